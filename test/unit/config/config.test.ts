import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { expect, test, vi } from "vitest";
import { composeProviders } from "../../../src/compose/compose-providers.ts";
import { parseConfig, parsePolicy, parseTables } from "../../../src/config/config.ts";
import { testBindings } from "../../support/bindings.ts";

type Table = Record<string, unknown>;
const settings = parse(readFileSync("wrangler.toml", "utf8")) as Table;
const policyOf = (environment: unknown) => ((environment as Table).vars as Table).POLICY;
const LEAST = {
  countries: { allow: ["IN"] },
  captcha: { hostnames: ["example.com"], site_key: "key" },
  proof: { issuer: "https://verify.example.com", audience: "example" },
  message: { brand: "Example" },
  delivery: { providers: ["twilio"] },
};
const faultsOf = (policy: unknown) => {
  const checked = parsePolicy(policy);
  return checked.ok ? [] : checked.faults;
};

const faultsOfList = (name: string, table: object) =>
  faultsOf({ ...LEAST, ...table }).filter((fault) => fault.startsWith(`POLICY.${name}`));

test.each([
  "*",
  "https://shop.example",
  "https://www.shop.example",
  "https://shop.example:8443",
  "http://localhost:3000",
  "http://127.0.0.1:8787",
  "http://[::1]:8787",
  "https://xn--mnchen-3ya.example",
  "capacitor://localhost",
  "ionic://localhost",
  "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
])("cors.origins may hold %s", (origin) => {
  expect(faultsOfList("cors", { cors: { origins: [origin] } })).toEqual([]);
});

test.each([
  "https://shop.example/",
  "https://shop.example/pay",
  "https://shop.example?x",
  "https://shop.example#x",
  "https://Shop.example",
  "HTTPS://shop.example",
  "https://shop.example:443",
  "http://shop.example:80",
  "https://shop.example:",
  "https://shop.example:08443",
  "https://shop.example:99999",
  "shop.example",
  "shop.example:8443",
  "//shop.example",
  "https:shop.example",
  "https:/shop.example",
  "https://",
  "https://*.shop.example",
  "*.shop.example",
  "https://user@shop.example",
  "https://münchen.example",
  "https://127.1",
  "https://shop.example,https://other.example",
  "https://shop.example https://other.example",
  " https://shop.example",
  "https://shop.example ",
  "null",
  "",
])("cors.origins may not hold %j", (origin) => {
  expect(faultsOfList("cors", { cors: { origins: [origin] } })).toEqual([
    expect.stringMatching(/^POLICY\.cors\.origins\.0: must be an origin as a browser states it/),
  ]);
});

test.each(["localhost", "127.0.0.1", "[::1]", "www.example.com", "xn--mnchen-3ya.example", "a_b.example"])(
  "captcha.hostnames may hold %s",
  (hostname) => {
    expect(faultsOfList("captcha", { captcha: { hostnames: [hostname], site_key: "key" } })).toEqual([]);
  },
);

test.each([
  "https://www.example.com",
  "//www.example.com",
  "www.example.com/",
  "www.example.com/pay",
  "www.example.com:443",
  "www.example.com:8443",
  "localhost:3000",
  "*.example.com",
  "*",
  "WWW.example.com",
  "www.example.com.",
  ".example.com",
  "www..example.com",
  "münchen.example",
  "www.example.com,example.com",
  " www.example.com",
  "user@example.com",
  "127.1",
  "",
])("captcha.hostnames may not hold %j", (hostname) => {
  expect(faultsOfList("captcha", { captcha: { hostnames: [hostname], site_key: "key" } })).toEqual([
    expect.stringMatching(/^POLICY\.captcha\.hostnames\.0: must be a host alone/),
  ]);
});

test("the policies of all environments pass, and so does the strict one over development's", () => {
  const { staging, production } = settings.env as Table;
  for (const environment of [settings, staging, production])
    expect(faultsOf(policyOf(environment))).toEqual([]);
  const strict = JSON.parse(readFileSync("scripts/policies/strict.json", "utf8"));
  expect(faultsOf({ ...(policyOf(settings) as Table), ...strict })).toEqual([]);
});

test.each([
  [{ attempts: { max: 0 } }, "POLICY.attempts.max"],
  [{ attempts: { max: 6 } }, "POLICY.attempts.max"],
  [{ code: { ttl_seconds: 601 } }, "POLICY.code.ttl_seconds"],
  [{ code: { ttl_seconds: 300, session_seconds: 200 } }, "POLICY.code.session_seconds"],
  [{ code: { length: 3 } }, "POLICY.code.length"],
  [{ limits: { ip: [{ max: 1, window_seconds: 0 }] } }, "POLICY.limits.ip.0.window_seconds"],
  [{ limits: { number: [] } }, "POLICY.limits.number"],
  [{ countries: { allow: ["india"] } }, "POLICY.countries.allow.0"],
  [{ challenge: "sometimes" }, "POLICY.challenge"],
  [{ source: { block_ips: ["10.0.0.0/40"] } }, "POLICY.source.block_ips.0"],
  [{ exposure: { block: { base: -1 } } }, "POLICY.exposure.block.base"],
  [{ exposure: { blok: {} } }, "POLICY.exposure: does not know blok"],
  [{ risk: { record_only: ["vibes"] } }, "POLICY.risk.record_only.0"],
  [{ money: { caps: { hour_micros: 0, day_micros: 1, month_micros: 1 } } }, "POLICY.money.caps.hour_micros"],
  [{ flows: { "Sign Up": {} } }, "POLICY.flows"],
  [
    {
      monitor: {
        answer_curve: [
          [10, 0.5],
          [5, 1],
        ],
      },
    },
    "POLICY.monitor.answer_curve",
  ],
  [{ delivery: { providers: ["pigeon"] } }, "POLICY.delivery.providers"],
  [{ surprise: 1 }, "POLICY: does not know surprise"],
])("%j is refused by name", (over, name) => {
  expect(faultsOf({ ...LEAST, ...over }).join("\n")).toContain(name);
});

test("a policy without what only the operator can know says what is missing", () => {
  expect(faultsOf({})).toEqual([
    ...["countries", "captcha", "proof", "message", "delivery"].map((table) => `POLICY.${table}: is missing`),
    ...["trigger_policy", "anomaly_response", "provider_escalation"].map(
      (role) => `POLICY.alerts.owners: nobody owns ${role}: name an owner without dates`,
    ),
  ]);
});

test("a broken table is refused by file and line", () => {
  const prices = readFileSync("src/data/prices.csv", "utf8");
  const hosting = readFileSync("src/data/hosting-asns.csv", "utf8");
  expect(parseTables({ prices, hosting }).ok).toBe(true);
  const broken = parseTables({
    prices: prices.replace(/^IN,twilio,sms,\d+/m, "IN,twilio,sms,-5"),
    hosting: "asn\nx\n",
  });
  expect(broken.ok ? [] : broken.faults).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^src\/data\/prices\.csv: line \d+: message_micros/),
      expect.stringMatching(/^src\/data\/hosting-asns\.csv: /),
    ]),
  );
});

const TWILIO = {
  TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}`,
  TWILIO_AUTH_TOKEN: "token",
  TWILIO_MESSAGING_SERVICE_SID: `MG${"0".repeat(32)}`,
};
const configOf = (policy: object, more: object) =>
  parseConfig({
    ...testBindings(),
    POLICY: { ...(policyOf(settings) as Table), ...policy },
    ...more,
  });

test.each([
  ["0a1b2c3d:of this account", false],
  ["ffffffff:of another,0a1b2c3d:of this one", false],
  ["ffffffff:of another", true],
])("Vonage's secrets %s: missing that of the account %s", (secrets, missing) => {
  const vonage = { VONAGE_API_KEY: "0a1b2c3d", VONAGE_SIGNATURE_SECRETS: secrets };
  const config = configOf({ delivery: { providers: ["vonage"] } }, vonage);
  const faults = config.ok ? "" : config.faults.join("\n");
  expect(faults.includes("VONAGE_SIGNATURE_SECRETS: has no secret of VONAGE_API_KEY")).toBe(missing);
});

test.each(["https://verify.example.com", "https://verify.example.com/"])(
  "receipts of an issuer %s come to the path that takes them",
  async (issuer) => {
    const config = configOf(
      { delivery: { providers: ["twilio"] }, proof: { issuer, audience: "example" } },
      TWILIO,
    );
    if (!config.ok) throw new Error(config.faults.join("\n"));
    const asked: URLSearchParams[] = [];
    vi.stubGlobal("fetch", async (_: string, { body }: { body: URLSearchParams }) => {
      asked.push(body);
      return new Response(null, { status: 500 });
    });
    const message = { to: "+919876543210", country: "IN", body: "1", code: "1", spoken: "1", locale: "en" };
    const rest = {
      dlt: null,
      channel: "sms" as const,
      ttlSeconds: 180,
      correlationId: "c",
      idempotencyKey: "k",
    };
    await composeProviders(config.value, {}, Date.now)
      .get("twilio")
      ?.send({ ...message, ...rest });
    vi.unstubAllGlobals();
    expect(asked.map((body) => body.get("StatusCallback"))).toEqual([
      "https://verify.example.com/v1/receipts/twilio",
    ]);
  },
);
