import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { parsePolicy, parseTables } from "../../src/config.ts";

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
