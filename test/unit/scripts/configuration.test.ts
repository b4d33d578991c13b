import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readDevVars } from "../../../scripts/dev/dev-vars.ts";
import { configurationFindings } from "../../../scripts/doctor/configuration.ts";
import { isSetting, judge, requiredSecrets, SETTING_NAMES } from "../../../scripts/lib/configuration.ts";
import { findPlaceholders } from "../../../scripts/lib/placeholders.ts";
import { environmentOf, mergeTables, readSettings, type Table } from "../../../scripts/lib/settings.ts";
import { answerEdits } from "../../../scripts/provision/answers.ts";

const settings = await readSettings();
const shipped = environmentOf(settings, "production");
const withPolicy = (policy: Table): Table => mergeTables(shipped, { vars: { POLICY: policy } });
const owners = (...channels: string[]) =>
  ["trigger_policy", "anomaly_response", "provider_escalation"].map((role) => ({
    role,
    name: "Ada",
    channels,
  }));

test("what wrangler.toml requires is what the policies need, in every environment", () => {
  for (const environment of [settings, shipped, environmentOf(settings, "staging")]) {
    const { required } = environment.secrets as { required: string[] };
    expect(required.toSorted()).toEqual(requiredSecrets(environment).toSorted());
  }
});

describe("required secrets follow from the policy", () => {
  const base = [
    "UPSTASH_REDIS_REST_TOKEN",
    "CAPTCHA_SECRET_KEY",
    "SESSION_KEYS",
    "PEPPER_KEYS",
    "ENCRYPTION_KEYS",
    "PROOF_KEYS",
  ];
  test.each([
    [
      { delivery: { providers: ["msg91"] }, alerts: { owners: owners("slack") } },
      ["MSG91_AUTH_KEY", "MSG91_TEMPLATE_IDS", "SLACK_WEBHOOK_URL"],
    ],
    [
      { delivery: { providers: ["webhook"] }, alerts: { owners: owners("webhook") } },
      ["WEBHOOK_PROVIDER_URL", "WEBHOOK_PROVIDER_SECRETS", "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"],
    ],
    [
      {
        delivery: { providers: ["startmessaging"] },
        alerts: { owners: owners("pagerduty") },
        lookup: { provider: "twilio" },
      },
      ["STARTMESSAGING_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PAGERDUTY_ROUTING_KEY"],
    ],
    [
      {
        delivery: { providers: ["startmessaging"] },
        alerts: { owners: owners("slack") },
        captcha: { fresh_site_key: "0x4x" },
      },
      ["STARTMESSAGING_API_KEY", "SLACK_WEBHOOK_URL", "CAPTCHA_FRESH_SECRET_KEY"],
    ],
    [
      { delivery: { providers: ["vonage"] }, alerts: { owners: owners("slack") } },
      [
        "VONAGE_API_KEY",
        "VONAGE_API_SECRET",
        "VONAGE_APPLICATION_ID",
        "VONAGE_PRIVATE_KEY",
        "VONAGE_SIGNATURE_SECRETS",
        "VONAGE_FROM",
        "SLACK_WEBHOOK_URL",
      ],
    ],
  ])("%j needs %j", async (policy, more) => {
    const environment = withPolicy(policy);
    const required = requiredSecrets(environment);
    expect(required.toSorted()).toEqual([...base, ...more].toSorted());
    expect((await judge(environment, required)).faults).toEqual([]);
    const [last = ""] = required.slice(-1);
    const without = await judge(environment, required.slice(0, -1));
    expect(without.faults).toEqual([expect.stringContaining(`${last}: is missing`)]);
  });
});

test("a signer in KMS needs its keys and its login, and no local keys", async () => {
  const environment = withPolicy({ proof: { signer: "aws_kms" } });
  const required = requiredSecrets(environment);
  expect(required).toEqual(
    expect.arrayContaining(["PROOF_KMS_KEYS", "PROOF_KMS_ACCESS_KEY_ID", "PROOF_KMS_SECRET_ACCESS_KEY"]),
  );
  expect(required).not.toContain("PROOF_KEYS");
  expect((await judge(environment, required)).faults).toEqual([]);
  const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
  for (const odd of ["alias/proofs", arn.replace(":key/", ":alias/"), `${arn},${arn}`, "", `${arn},`]) {
    const { faults } = await judge(environment, required, { PROOF_KMS_KEYS: odd });
    expect(faults).toEqual([expect.stringMatching(/^PROOF_KMS_KEYS: /)]);
    expect(faults.join()).not.toContain("111122223333");
  }
  expect((await judge(environment, required, { PROOF_KMS_KEYS: arn })).faults).toEqual([]);
  const local = await judge(
    shipped,
    requiredSecrets(shipped).filter((name) => name !== "PROOF_KEYS"),
  );
  expect(local.faults).toEqual(["PROOF_KEYS: is missing; POLICY.proof.signer is keys"]);
});

test("every setting that a platform may hold has a specimen that its own rules accept", async () => {
  const names = SETTING_NAMES.filter((name) => !["POLICY", "ENVIRONMENT"].includes(name));
  const environment = withPolicy({ captcha: { fresh_site_key: "0x4x" } });
  const rings = ["SESSION_KEYS_20261121T234501Z", "PROOF_KEYS_20261121T234501Z"];
  expect((await judge(environment, [...names, ...rings])).faults).toEqual([]);
  expect(rings.every(isSetting)).toBe(true);
  expect(isSetting("SESSION_KEYS_OLD")).toBe(false);
});

test("a known value is judged, and its fault names the setting and never the value", async () => {
  const { faults } = await judge(shipped, requiredSecrets(shipped), { TWILIO_ACCOUNT_SID: "very-secret" });
  expect(faults).toEqual([expect.stringContaining("TWILIO_ACCOUNT_SID: must be AC")]);
  expect(faults.join()).not.toContain("very-secret");
});

test.each([
  ["00000000000000000000000000000000", true],
  ["0x0000000000000000000000", true],
  ["https://verify.example.com", true],
  ["https://production.upstash.example", true],
  ["Example", true],
  ["example-staging", true],
  ["<id>", true],
  ["Example Bank", false],
  ["1x00000000000000000000AA", false],
  ["https://verify.acme.test", false],
  ["0a000000000000000000000000000000", false],
])("%s stands for something still to come: %s", (value, expected) => {
  expect(findPlaceholders({ value })).toEqual(expected ? ["value"] : []);
});

describe("what doctor judges offline", () => {
  const ready = withPolicy({
    captcha: { hostnames: ["www.acme.test"], site_key: "0x4AAA", fresh_site_key: "0x4BBB" },
    proof: { issuer: "https://verify.acme.test", audience: "acme" },
    message: { brand: "Acme", origin_host: "acme.test" },
    cors: { origins: ["https://www.acme.test"] },
  });
  const environment: Table = mergeTables(ready, {
    routes: [{ pattern: "verify.acme.test", custom_domain: true }],
    kv_namespaces: [{ binding: "CONTROL", id: "1f" }],
    d1_databases: [{ binding: "DB", database_id: "2f" }],
    vars: { UPSTASH_REDIS_REST_URL: "https://acme.upstash.io" },
  });
  const fit = { ...environment, secrets: { required: requiredSecrets(environment) } };
  const look = async (over: Table, others: Record<string, Table> = {}, nowMs = Date.UTC(2026, 10, 30)) => {
    const judged = mergeTables(fit, over);
    const found = await configurationFindings({
      name: "production",
      environment: judged,
      others: { ...others, production: judged },
      held: [...requiredSecrets(judged), "ADMIN_TOKENS"],
      known: {},
      nowMs,
    });
    return found.filter(({ severity, check }) => severity !== "ok" && check !== "message");
  };

  test("a whole configuration has nothing to say", async () => {
    expect(await look({})).toEqual([]);
  });

  test.each<[Table, string, string, string]>([
    [{ routes: [] }, "error", "address", "no address leads to the Worker"],
    [
      { routes: [{ pattern: "other.acme.test", custom_domain: true }] },
      "error",
      "address",
      "the routes lead to other.acme.test",
    ],
    [{ secrets: { required: [] } }, "error", "required-secrets", "does not list"],
    [
      { vars: { POLICY: { cors: { origins: ["https://new.acme.test"] } } } },
      "error",
      "pages",
      "captcha.hostnames lacks new.acme.test",
    ],
    [
      { vars: { POLICY: { message: { origin_host: "acme.example.test" } } } },
      "warning",
      "pages",
      "does not hold for www.acme.test",
    ],
    [
      { vars: { POLICY: { captcha: { site_key: "1x00000000000000000000AA" } } } },
      "error",
      "captcha",
      "test key",
    ],
    [{ vars: { POLICY: { attempts: { max: 99 } } } }, "error", "configuration", "POLICY.attempts.max"],
    [
      { vars: { POLICY: { challenge: "never" } } },
      "error",
      "configuration",
      "must not be never in production",
    ],
    [
      { vars: { POLICY: { message: { brand: "Example" } } } },
      "error",
      "placeholders",
      "vars.POLICY.message.brand",
    ],
  ])("%j is told", async (over, severity, check, what) => {
    expect(await look(over)).toContainEqual(
      expect.objectContaining({
        severity,
        check,
        what: expect.stringContaining(what),
        mend: expect.stringMatching(/\S/),
      }),
    );
  });

  test("what two environments share is told, and old tables are", async () => {
    const staging = {
      kv_namespaces: [{ id: "1f" }],
      vars: { UPSTASH_REDIS_REST_URL: "https://acme.upstash.io" },
    };
    expect(await look({}, { staging })).toMatchObject([
      {
        check: "separation",
        severity: "error",
        what: expect.stringContaining("1f (staging), https://acme.upstash.io"),
      },
    ]);
    expect(await look({}, {}, Date.UTC(2027, 5, 1))).toMatchObject([
      { check: "tables" },
      { check: "tables" },
    ]);
  });
});

test("answers become changes of the file, and what follows from them does", () => {
  const edits = answerEdits("production", shipped, { domain: "verify.acme.co.uk", brand: "Acme & Söhne" });
  const at = Object.fromEntries(edits.map(({ path, value }) => [path.slice(2).join("."), value]));
  expect(at).toMatchObject({
    routes: [{ pattern: "verify.acme.co.uk", custom_domain: true }],
    "vars.POLICY.proof.issuer": "https://verify.acme.co.uk",
    "vars.POLICY.captcha.hostnames": ["acme.co.uk", "www.acme.co.uk"],
    "vars.POLICY.message.origin_host": "acme.co.uk",
    "vars.POLICY.proof.audience": "acme-s-hne",
  });
  expect(at["vars.POLICY.countries.allow"]).toBeUndefined();
});

test("of .dev.vars every setting that says something is read, but the policy", () => {
  const folder = mkdtempSync(join(tmpdir(), "tollgate-dev-vars-"));
  try {
    expect(readDevVars(`${folder}/`)).toEqual({});
    writeFileSync(
      join(folder, ".dev.vars"),
      'TWILIO_AUTH_TOKEN="a b"\nEVENTS_WEBHOOK_URL=https://x.test\nEMPTY=\nPOLICY={}\n',
    );
    expect(readDevVars(`${folder}/`)).toEqual({
      TWILIO_AUTH_TOKEN: "a b",
      EVENTS_WEBHOOK_URL: "https://x.test",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
