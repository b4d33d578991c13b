import { expect, test } from "vitest";
import { mergeTables, policyOf, readSettings } from "../../../scripts/lib/settings.ts";
import { parsePolicy, parseTables } from "../../../src/config/config.ts";

const development = policyOf(await readSettings());
const roles = ["trigger_policy", "anomaly_response", "provider_escalation"];
const owners = (...more: object[]) => ({
  alerts: { owners: [...roles.map((role) => ({ role, name: "You", channels: ["slack"] })), ...more] },
});
const owner = (changes: object) => ({
  role: "anomaly_response",
  name: "Holidays",
  channels: ["slack"],
  ...changes,
});
const caps = (hour_micros: number, day_micros: number, month_micros: number) => ({
  hour_micros,
  day_micros,
  month_micros,
});

/** What is laid over the development policy, and the setting that must be named for it. */
const CONTRADICTIONS: [string, object, string][] = [
  ["an owner nobody can reach", owners(owner({ channels: [] })), "POLICY.alerts.owners.3.channels: is empty"],
  [
    "a temporary owner who ends before beginning",
    owners(owner({ from: "2026-12-24T00:00:00Z", until: "2026-12-20T00:00:00Z" })),
    "POLICY.alerts.owners.3.until: must come after from",
  ],
  [
    "a temporary owner of no time at all",
    owners(owner({ from: "2026-12-24T00:00:00Z", until: "2026-12-24T01:00:00+01:00" })),
    "POLICY.alerts.owners.3.until: must come after from",
  ],
  [
    "an owner's name with a line end",
    owners(owner({ name: "Dana\nBot" })),
    "POLICY.alerts.owners.3.name: must not hold",
  ],
  [
    "an hour's cap above the day's",
    { money: { caps: caps(20, 10, 30) } },
    "POLICY.money.caps.hour_micros: must not be above",
  ],
  [
    "a day's cap above the month's",
    { money: { caps: caps(1, 40, 30) } },
    "POLICY.money.caps.day_micros: must not be above",
  ],
  [
    "a country's caps in the wrong order",
    { money: { country_caps: { IN: caps(5, 4, 30) } } },
    "POLICY.money.country_caps.IN.hour_micros: must not be above",
  ],
  [
    "a cap for a country that is none",
    { money: { country_caps: { XX: caps(1, 2, 3) } } },
    "POLICY.money.country_caps.XX: XX is no country",
  ],
  [
    "a cap for the United Kingdom by its usual name",
    { money: { country_caps: { UK: caps(1, 2, 3) } } },
    "POLICY.money.country_caps.UK: UK is no ISO 3166-1 code; write GB",
  ],
  ["a currency that is none", { money: { currency: "USX" } }, "POLICY.money.currency: is no currency"],
  [
    "a share of a cap twice",
    { money: { alert_shares: [0.5, 0.8, 0.5] } },
    "POLICY.money.alert_shares.2: repeats 0.5",
  ],
  [
    "a pin to a country that is none",
    { delivery: { pin: { ZZ: "sandbox" } } },
    "POLICY.delivery.pin.ZZ: ZZ is no country",
  ],
  [
    "a pin to a provider that is not used",
    { delivery: { pin: { IN: "msg91" } } },
    "POLICY.delivery.pin.IN: names msg91, which delivery.providers does not",
  ],
  [
    "a drain of every provider",
    { delivery: { drain: ["sandbox", "sandbox_b"] } },
    "POLICY.delivery.drain: leaves no provider",
  ],
  [
    "a provider twice",
    { delivery: { providers: ["sandbox", "sandbox"] } },
    "POLICY.delivery.providers.1: repeats sandbox",
  ],
  ["a channel twice", { delivery: { channels: ["sms", "sms"] } }, "POLICY.delivery.channels.1: repeats sms"],
  [
    "a country in two groups",
    { groups: { dear: { countries: ["NG", "PK"] }, far: { countries: ["PK"] } } },
    "POLICY.groups.far.countries.0: names PK, which the group dear has already",
  ],
  [
    "a country allowed and denied",
    { countries: { allow: ["IN", "US"], deny: ["US"] } },
    "POLICY.countries.deny.0: denies US",
  ],
  [
    "texts for a flow that is none",
    { message: { templates: { sign_up: { en: { text: "{code}" } } } } },
    "POLICY.message.templates.sign_up: is for no flow",
  ],
  [
    "registered texts for a flow that is none",
    {
      message: { dlt: { entity_id: "110716000000000", template_ids: { sinup: { en: "110716000000001" } } } },
    },
    "POLICY.message.dlt.template_ids.sinup: is for no flow",
  ],
  [
    "a brand with a line end",
    { message: { brand: "Acme\r\nBank" } },
    "POLICY.message.brand: must not hold control characters",
  ],
  [
    "a brand with a separator of lines",
    { message: { brand: "Acme\u2028Bank" } },
    "POLICY.message.brand: must not hold",
  ],
  [
    "a brand with half a character",
    { message: { brand: "Acme\ud83d" } },
    "POLICY.message.brand: must not hold",
  ],
  [
    "an alarm that clears itself",
    { monitor: { alarm_ratio: 0.5, clear_ratio: 0.4 } },
    "POLICY.monitor.clear_ratio: must not be under alarm_ratio",
  ],
  [
    "a first ban longer than the longest",
    { monitor: { blocks: { first_seconds: 7200, longest_seconds: 3600 } } },
    "POLICY.monitor.blocks.first_seconds: must not be above longest_seconds",
  ],
];

test.each(CONTRADICTIONS)("%s is refused by name", (_, over, says) => {
  const policy = parsePolicy(mergeTables(development, over as never));
  expect(policy.ok).toBe(false);
  const faults = policy.ok ? [] : policy.faults;
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(says);
});

test.each([
  ["the development policy", {}],
  ["caps that are equal", { money: { caps: caps(10, 10, 10) } }],
  [
    "a country's cap above all countries'",
    { money: { country_caps: { IN: caps(10 ** 9, 10 ** 10, 10 ** 11) } } },
  ],
  ["an alarm and its end at one ratio", { monitor: { alarm_ratio: 0.4, clear_ratio: 0.4 } }],
  ["everything allowed but one country", { countries: { allow: ["*"], deny: ["NG"] } }],
  ["a drain that leaves a provider", { delivery: { drain: ["sandbox"] } }],
  [
    "texts for all flows",
    { message: { templates: { default: { en: { text: "{code}" } }, login: { en: { text: "{code}" } } } } },
  ],
  ["a brand in another script", { message: { brand: "टोलगेट 🚧" } }],
  ["an owner without an end", owners(owner({ from: "2026-12-24T00:00:00Z" }))],
])("%s is accepted", (_, over) => {
  expect(parsePolicy(mergeTables(development, over as never))).toMatchObject({ ok: true });
});

test("every contradiction is named at once", () => {
  const over = mergeTables({ money: { caps: caps(30, 20, 10) } }, { monitor: { clear_ratio: 0.1 } });
  const policy = parsePolicy(mergeTables(development, over));
  expect(policy.ok ? [] : policy.faults.map((fault) => fault.split(":")[0])).toEqual([
    "POLICY.money.caps.hour_micros",
    "POLICY.money.caps.day_micros",
    "POLICY.monitor.clear_ratio",
  ]);
});

test("a price table says what its prices are in, and is in US dollars where it does not", () => {
  const head =
    "country,provider,channel,message_micros,dlt_micros,source,date\n*,sandbox,sms,1,0,none,2026-11-01\n";
  const read = (prices: string) => {
    const tables = parseTables({ prices, hosting: "asn,owner\n16276,OVHcloud\n" });
    return tables.ok ? tables.value.currency : tables.faults;
  };
  expect(read(head)).toBe("USD");
  expect(read(`# currency: INR\n${head}`)).toBe("INR");
});
