import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Finding } from "../../scripts/doctor/finding.ts";
import { runningFindings } from "../../scripts/doctor/running.ts";
import { serviceFindings } from "../../scripts/doctor/services.ts";
import { testAlertFindings } from "../../scripts/doctor/test-alerts.ts";
import { contractFile } from "../support/contracts.ts";
import { LOGIN, serveKms } from "./aws/support-kms.ts";
import { serveVendors, type Vendors } from "./support/support-vendors.ts";

const NOEVICTION = "# Memory\r\nused_memory:1\r\nmaxmemory_policy:noeviction\r\n";
const SID = `AC${"1".repeat(32)}`;

let vendors: Vendors;
let info: string;
let known: Record<string, string>;
beforeEach(async () => {
  info = NOEVICTION;
  const basic = (user: string, password: string) =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  vendors = await serveVendors({
    "POST /": ({ headers, body }) => {
      if (headers.authorization !== "Bearer upstash-token")
        return { status: 401, body: { error: "Unauthorized" } };
      const [command] = JSON.parse(body);
      return { body: { result: command === "PING" ? "PONG" : info } };
    },
    "POST /siteverify": ({ body }) => {
      const isKnown = new URLSearchParams(body).get("secret") === "captcha-secret";
      return {
        body: {
          success: false,
          "error-codes": [isKnown ? "invalid-input-response" : "invalid-input-secret"],
        },
      };
    },
    [`GET /2010-04-01/Accounts/${SID}.json`]: ({ headers }) =>
      headers.authorization === basic(SID, "twilio-token")
        ? { body: { sid: SID, status: "active" } }
        : { status: 401, body: { code: 20003, message: "Authenticate" } },
    "GET /account/get-balance": ({ headers }) =>
      headers.authorization === basic("vonagekey", "vonage-secret")
        ? { body: { value: 10.28, autoReload: false } }
        : { status: 401, body: { "error-code": "401", "error-code-label": "authentication failed" } },
  });
  known = {
    UPSTASH_REDIS_REST_URL: vendors.url,
    UPSTASH_REDIS_REST_TOKEN: "upstash-token",
    CAPTCHA_SITEVERIFY_URL: `${vendors.url}/siteverify`,
    CAPTCHA_SECRET_KEY: "captcha-secret",
    TWILIO_API_URL: vendors.url,
    TWILIO_ACCOUNT_SID: SID,
    TWILIO_AUTH_TOKEN: "twilio-token",
    VONAGE_SMS_URL: vendors.url,
    VONAGE_API_KEY: "vonagekey",
    VONAGE_API_SECRET: "vonage-secret",
  };
});
afterEach(async () => {
  expect(vendors.unknown).toEqual([]);
  await vendors.close();
});

/** A clock on which each reading is so many milliseconds after the one before. */
const clock = (stepMs: number) => {
  let atMs = 0;
  return () => {
    atMs += stepMs;
    return atMs;
  };
};
const environment = (policy: object) => ({
  vars: { POLICY: { delivery: { providers: ["twilio", "vonage"] }, ...policy } },
});
const services = (over: Record<string, string | undefined> = {}, stepMs = 10, policy: object = {}) => {
  const settings = Object.fromEntries(
    Object.entries({ ...known, ...over }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  return serviceFindings("production", environment(policy), settings, clock(stepMs));
};
const lines = (findings: readonly Finding[]) => findings.map(({ check, severity }) => `${check} ${severity}`);
const findingOf = (findings: readonly Finding[], check: string) =>
  findings.find((one) => one.check === check);

describe("the services that the Worker uses", () => {
  test("that answer are told to be well, by free calls that change nothing", async () => {
    const found = await services();
    expect(lines(found)).toEqual([
      "upstash ok",
      "eviction ok",
      "siteverify ok",
      "provider twilio ok",
      "provider vonage ok",
    ]);
    expect(findingOf(found, "upstash")?.what).toBe("answers in 10 ms from here");
    const commands = vendors.asked.filter(({ path }) => path === "/").map(({ body }) => JSON.parse(body)[0]);
    expect(new Set(commands)).toEqual(new Set(["PING", "INFO"]));
  });

  test("far from here are a warning that names placement", async () => {
    const far = findingOf(await services({}, 61), "upstash");
    expect(far).toMatchObject({ severity: "warning", what: "answers in 61 ms from here" });
    expect(far?.mend).toContain("[env.production.placement]");
  });

  test.each([
    ["a wrong Upstash token", { UPSTASH_REDIS_REST_TOKEN: "old" }, "upstash", "answers 401"],
    [
      "an Upstash that is not there",
      { UPSTASH_REDIS_REST_URL: "http://127.0.0.1:9" },
      "upstash",
      "does not answer",
    ],
    ["a wrong CAPTCHA secret", { CAPTCHA_SECRET_KEY: "old" }, "siteverify", "does not know the secret"],
    ["a wrong Twilio token", { TWILIO_AUTH_TOKEN: "old" }, "provider twilio", "answers 401"],
    ["a wrong Vonage secret", { VONAGE_API_SECRET: "old" }, "provider vonage", "answers 401"],
  ])("%s is an error with the command that mends it", async (_name, over, check, what) => {
    const found = findingOf(await services(over), check);
    expect(found).toMatchObject({ severity: "error", what });
    expect(found?.mend).toMatch(/npx wrangler secret put [A-Z_]+ --env production/);
    expect(JSON.stringify(found)).not.toContain("old");
  });

  test.each([
    ["allkeys-random", "error"],
    ["volatile-lru", "error"],
    ["noeviction", "ok"],
  ])("eviction by %s is %s", async (policy, severity) => {
    info = NOEVICTION.replace("noeviction", policy);
    expect(findingOf(await services(), "eviction")).toMatchObject({ severity });
  });

  test("that tell nothing of eviction are not called safe", async () => {
    info = "# Server\r\nupstash_version:1\r\n";
    expect(findingOf(await services(), "eviction")).toMatchObject({ severity: "skipped" });
  });

  test("that nobody can reach from here are a warning, for the network may be to blame", async () => {
    const away = "http://127.0.0.1:9";
    const found = await services({
      CAPTCHA_SITEVERIFY_URL: away,
      TWILIO_API_URL: away,
      VONAGE_SMS_URL: away,
    });
    expect(lines(found).slice(2)).toEqual([
      "siteverify warning",
      "provider twilio warning",
      "provider vonage warning",
    ]);
  });

  test("whose secrets are not known here are skipped, and the setting is named", async () => {
    const found = await services({
      UPSTASH_REDIS_REST_TOKEN: undefined,
      CAPTCHA_SECRET_KEY: undefined,
      TWILIO_AUTH_TOKEN: undefined,
      VONAGE_API_SECRET: undefined,
    });
    expect(found.map(({ severity, what }) => `${severity} ${what.split(" ")[0]}`)).toEqual([
      "skipped UPSTASH_REDIS_REST_TOKEN",
      "skipped CAPTCHA_SECRET_KEY",
      "skipped TWILIO_AUTH_TOKEN",
      "skipped VONAGE_API_SECRET",
    ]);
    expect(vendors.asked).toEqual([]);
  });

  test("a provider without a free call says that the smoke test will tell", async () => {
    const policy = { delivery: { providers: ["msg91"] } };
    expect(findingOf(await services({}, 10, policy), "provider msg91")).toMatchObject({
      severity: "skipped",
      mend: "npm run smoke -- --env production --to +…",
    });
  });

  test("a signer in KMS is asked for its keys, and signs with the first", async () => {
    const aws = await serveKms("eu-west-1");
    try {
      const [first, second] = ["1", "2"].map((id) => `arn:aws:kms:eu-west-1:111122223333:key/${id}`) as [
        string,
        string,
      ];
      aws.addKey(first);
      const settings = {
        PROOF_KMS_KEYS: `${first},${second}`,
        PROOF_KMS_ACCESS_KEY_ID: LOGIN.accessKeyId,
        PROOF_KMS_SECRET_ACCESS_KEY: LOGIN.secretAccessKey,
        PROOF_KMS_URL: aws.url,
      };
      const policy = { proof: { signer: "aws_kms" } };
      const found = (await services(settings, 10, policy)).filter(({ check }) => check === "kms");
      expect(found.map(({ severity, what }) => `${severity} ${what}`)).toEqual([
        "ok 1 signs",
        "error 2: KMS GetPublicKey answered 400 (NotFoundException)",
      ]);
      const without = findingOf(await services({}, 10, policy), "kms");
      expect(without).toMatchObject({ severity: "skipped" });
    } finally {
      await aws.close();
    }
  });

  const file = contractFile("cloudflare/turnstile_siteverify.json");
  test.skipIf(file === null)("siteverify's words for a secret that is none are those of its contract", () => {
    const codes = Object.keys(JSON.parse(readFileSync(file ?? "", "utf8")).error_codes);
    expect(codes).toEqual(expect.arrayContaining(["invalid-input-secret", "missing-input-secret"]));
  });
});

describe("the Worker at its address", () => {
  const healthy = { body: { status: "ok", environment: "production" } };
  const status = (watch: object | null, code = 200) => ({
    status: code,
    body: { environment: "production", watch },
  });
  const look = (token?: string) => runningFindings("production", vendors.url, token);

  test("answers, its operator signs in, and its cron has run", async () => {
    vendors.answers["GET /healthz"] = () => healthy;
    vendors.answers["GET /admin/v1/status"] = ({ headers }) =>
      headers.authorization === "Bearer tgo_good"
        ? status({ last_run: "2026-11-21T00:00:00Z", age_seconds: 31, late: false })
        : status(null, 401);
    expect(lines(await look("tgo_good"))).toEqual(["reachable ok", "operator ok", "cron ok"]);
    expect(lines(await look("tgo_old"))).toEqual(["reachable ok", "operator error"]);
    expect(lines(await look())).toEqual(["reachable ok", "cron skipped"]);
  });

  test.each([
    ["never ran", { last_run: null, age_seconds: null, late: true }, "has never run"],
    ["stopped", { last_run: "2026-11-21T00:00:00Z", age_seconds: 900, late: true }, "ran 900 s ago"],
    ["is not told of", null, "has never run"],
  ])("with a cron that %s is not fit", async (_name, watch, what) => {
    vendors.answers["GET /healthz"] = () => healthy;
    vendors.answers["GET /admin/v1/status"] = () => status(watch);
    expect(findingOf(await look("tgo_good"), "cron")).toMatchObject({ severity: "error", what });
  });

  test.each([
    ["another environment", { body: { status: "ok", environment: "staging" } }, "is staging, not production"],
    ["somebody else's page", { body: "<html>", type: "text/html" }, "is something else, not production"],
    [
      "a Worker that refuses its configuration",
      { status: 500, body: { code: "misconfigured" } },
      "500 misconfigured",
    ],
    ["an error of the platform", { status: 522, body: "error code: 522" }, "answers 522"],
    ["a redirect", { status: 301, body: "" }, "answers 301"],
  ])("%s is an error", async (_name, answer, what) => {
    vendors.answers["GET /healthz"] = () => answer;
    const [found] = await look();
    expect(found).toMatchObject({
      check: "reachable",
      severity: "error",
      what: expect.stringContaining(what),
    });
    expect(found?.mend).not.toBe("");
  });

  test("without a DNS record or without anybody behind it is not reachable", async () => {
    const [nowhere] = await runningFindings("production", "https://verify.acme.invalid", undefined);
    expect(nowhere?.what).toContain("has no DNS record that leads anywhere");
    const [nobody] = await runningFindings("production", "http://127.0.0.1:9", undefined);
    expect(nobody).toMatchObject({
      severity: "error",
      what: expect.stringMatching(/does not answer|refused/i),
    });
  });

  const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
  if (!hasOpenssl)
    console.log("no openssl here: the test of a certificate that is not the host's is skipped");
  test.skipIf(!hasOpenssl)("with a certificate that is not the host's is not reachable", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tollgate-certificate-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const made = spawnSync("openssl", [
      ...words,
      "-keyout",
      key,
      "-out",
      cert,
      "-days",
      "2",
      "-subj",
      "/CN=elsewhere.test",
    ]);
    expect(made.status).toBe(0);
    const server = createServer({ key: await readFile(key), cert: await readFile(cert) });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [found] = await runningFindings("production", url, undefined);
    expect(found?.what).toContain("has no certificate for this host");
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });
});

describe("a test alert", () => {
  const policy = {
    alerts: {
      owners: [
        { role: "trigger_policy", name: "Ada", channels: ["slack", "pagerduty"] },
        { role: "anomaly_response", name: "Grace", channels: ["webhook"] },
      ],
    },
  };
  const settings = () => ({
    SLACK_WEBHOOK_URL: `${vendors.url}/services/T0/B0/secret-path`,
    PAGERDUTY_API_URL: vendors.url,
    PAGERDUTY_ROUTING_KEY: "routing-key",
    ALERT_WEBHOOK_URL: `${vendors.url}/alerts`,
    ALERT_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
  });

  test("goes to each owner by each channel, and says that nothing is wrong", async () => {
    vendors.answers["POST /services/T0/B0/secret-path"] = () => ({ body: "ok", type: "text/plain" });
    vendors.answers["POST /v2/enqueue"] = () => ({
      status: 202,
      body: { status: "success", message: "Event processed" },
    });
    vendors.answers["POST /alerts"] = () => ({ status: 204, body: "" });
    const found = await testAlertFindings("production", environment(policy), settings());
    expect(lines(found)).toEqual([
      "alert Ada by slack ok",
      "alert Ada by pagerduty ok",
      "alert Grace by webhook ok",
    ]);
    expect(vendors.asked).toHaveLength(3);
    for (const { body } of vendors.asked) expect(body).toContain("nothing is wrong");
  });

  test("that is refused names the owner and the channel and no secret", async () => {
    vendors.answers["POST /services/T0/B0/secret-path"] = () => ({
      status: 404,
      body: "no_service",
      type: "text/plain",
    });
    vendors.answers["POST /v2/enqueue"] = () => ({ status: 400, body: { status: "invalid event" } });
    vendors.answers["POST /alerts"] = () => ({ status: 500, body: "" });
    const found = await testAlertFindings("production", environment(policy), settings());
    expect(found.map(({ severity }) => severity)).toEqual(["error", "error", "error"]);
    expect(JSON.stringify(found)).not.toMatch(/secret-path|routing-key|whsec_/);
  });

  test("whose settings are not known here is skipped", async () => {
    const found = await testAlertFindings("production", environment(policy), {});
    expect(found.map(({ severity }) => severity)).toEqual(["skipped", "skipped", "skipped"]);
  });
});
