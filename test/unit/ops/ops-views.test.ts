import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeTables } from "../../../scripts/lib/settings.ts";
import { parsePolicy } from "../../../src/config/config.ts";
import { callingCodeRange, countryOfRange, mayLieIn } from "../../../src/domain/kernel/country.ts";
import type { LedgerRow } from "../../../src/domain/ledger/event.ts";
import type { ProviderLine } from "../../../src/flows/operators/views/read-routes.ts";
import { pageOfLines } from "../../../src/flows/operators/views/summarise-tally.ts";
import { destinationParams, readDestinationQuestion } from "../../../src/ops/views/destinations.ts";
import { judgeExposure, judgeRatio, judgeTime, judgeVolume } from "../../../src/ops/views/judged.ts";
import { ownerLines, policySections, rulesByPosture } from "../../../src/ops/views/policy.ts";
import { providerView } from "../../../src/ops/views/providers.ts";
import { BACK_PATH, tableLink } from "../../../src/ops/views/query.ts";
import { sparkOf } from "../../../src/ops/views/spark.ts";
import { eventLines } from "../../../src/ops/views/trace.ts";
import { formatsFor } from "../../../src/ops/words.ts";
import { NOW, POLICY } from "../../support/support-operate.ts";

const words = formatsFor("en-GB", "EUR");
const FILE = { name: "wrangler.toml", lines: new Map([["env.production.vars.POLICY.message.brand", 7]]) };

test.each([
  ["+91987", "IN"],
  ["+234801", "NG"],
  ["+1876", "JM"],
  ["+1212", "US"],
  ["+7701", "KZ"],
  ["+1", null],
  ["+9999", null],
  ["", null],
])("the range %j lies in %s", (range, country) => {
  expect(countryOfRange(range)).toBe(country);
});

test("a range whose digits leave several countries open may lie in each of them, and in no other", () => {
  expect([mayLieIn("+1", "US"), mayLieIn("+1", "CA"), mayLieIn("+1", "IN")]).toEqual([true, true, false]);
  expect([mayLieIn("+1876", "JM"), mayLieIn("+1876", "US"), mayLieIn("+1876", "nowhere")]).toEqual([
    true,
    false,
    false,
  ]);
});

test("a country is a range only where its calling code is its own", () => {
  expect([callingCodeRange("NG"), callingCodeRange("US"), callingCodeRange("*")]).toEqual([
    "+234",
    null,
    null,
  ]);
});

test("a table's question survives its address, whatever was typed into it", () => {
  fc.assert(
    fc.property(
      fc.record({ by: fc.string(), in: fc.string(), q: fc.string(), sort: fc.string(), page: fc.string() }),
      (typed) => {
        const asked = readDestinationQuestion(new URLSearchParams(typed));
        const link = tableLink("/destinations", destinationParams(asked), {});
        const again = readDestinationQuestion(new URL(link, "http://here").searchParams);
        expect(again).toEqual({ ...asked, page: 1 });
        expect(asked.contains.length).toBeLessThanOrEqual(40);
      },
    ),
  );
});

test.each([
  ["/destinations", true],
  ["/sources?sort=numbers&span=day", true],
  ["/destinations?by=prefix&in=%2B234", true],
  ["//evil.example", false],
  ["/destinations@evil.example", false],
  ["/destinations?q=\n", false],
  ["https://evil.example", false],
])("an action leads back to %j: %s", (path, allowed) => {
  expect(BACK_PATH.test(path)).toBe(allowed);
});

test.each([
  [0, 1, 1, 0],
  [1, 1, 1, 1],
  [51, 1, 2, 50],
  [51, 2, 2, 1],
  [51, 99, 2, 1],
  [51, Number.NaN, 2, 50],
])("of %d rows page %d is one of %d with %d rows", (total, page, pages, rows) => {
  const all = Array.from({ length: total }, (_, i) => i);
  const found = pageOfLines(all, page, 50);
  expect([found.pages, found.rows.length, found.total]).toEqual([pages, rows, total]);
});

test.each([
  [{ ratio: 0.7, usualRatio: 0.72, sent: 100 }, "good"],
  [{ ratio: 0.5, usualRatio: 0.72, sent: 100 }, "warn"],
  [{ ratio: 0.2, usualRatio: 0.72, sent: 100 }, "bad"],
  [{ ratio: 0.2, usualRatio: 0.72, sent: 4 }, "quiet"],
  [{ ratio: null, usualRatio: 0.72, sent: 100 }, "quiet"],
  [{ ratio: 0.29, usualRatio: null, sent: 100 }, "bad"],
  [{ ratio: 0.2, usualRatio: 0.22, sent: 100 }, "good"],
])("a conversion of %j is %s", (row, tone) => {
  const judged = judgeRatio(row, 0.3, words);
  expect(judged.tone).toBe(tone);
  if (tone === "bad") expect(judged.note, "in words too").toContain("low");
});

test.each([
  [{ unverified: 3, budget: 10, messages: 3, most: 30 }, "good", ""],
  [{ unverified: 9, budget: 10.5, messages: 9, most: 30 }, "warn", "nearly used up"],
  [{ unverified: 9.5, budget: 10, messages: 9, most: 30 }, "bad", "used up"],
  [{ unverified: 3, budget: 10, messages: 30, most: 30 }, "bad", "all messages used"],
  [{ unverified: 0, budget: 0, messages: 0, most: null }, "bad", "used up"],
  [null, "quiet", ""],
])("an exposure of %j is %s: %s", (exposure, tone, note) => {
  expect(judgeExposure(exposure, words)).toMatchObject({ tone, note });
});

test.each([
  [{ count: 100, medianMs: 240, p95Ms: 900 }, "good", "240 ms", "95 % in 900 ms"],
  [{ count: 100, medianMs: 240, p95Ms: 1999 }, "good", "240 ms", "95 % in 2 s"],
  [{ count: 100, medianMs: 240, p95Ms: 2000 }, "warn", "240 ms", "95 % in 2 s"],
  [{ count: 100, medianMs: 1200, p95Ms: 3000 }, "bad", "1.2 s", "slow, 95 % in 3 s"],
  [{ count: 4, medianMs: 4500, p95Ms: 4900 }, "quiet", "4.5 s", "95 % in 4.9 s"],
  [{ count: 5, medianMs: 999.6, p95Ms: 1000 }, "good", "1 s", "95 % in 1 s"],
  [{ count: 5, medianMs: 4500, p95Ms: 4900 }, "bad", "4.5 s", "slow, 95 % in 4.9 s"],
  [null, "quiet", "–", ""],
] as const)("a time of %j is %s", (taken, tone, text, note) => {
  expect(judgeTime(taken, { longMs: 2000, tooLongMs: 3000 }, words)).toEqual({ text, note, tone });
});

const LINE: ProviderLine = {
  provider: "twilio",
  channels: ["sms"],
  countries: null,
  sent: 100,
  verified: 70,
  ratio: 0.7,
  delivered: 90,
  undelivered: 2,
  rejected: 1,
  spentMicros: 0,
  course: [],
  share: 1,
  usualRatio: null,
  meanMicros: null,
  answers: null,
  deliveries: null,
  drained: false,
  weight: 1,
  pins: [],
  resting: 0,
};

test.each([
  // A route has 4 s of the 8 that the policy gives all of them: worth a colour from 2 s on, bad from 3.
  { answersMs: 1900, deliveredMs: 59_000, tones: ["good", "good"] },
  { answersMs: 2000, deliveredMs: 60_000, tones: ["warn", "warn"] },
  { answersMs: 3000, deliveredMs: 180_000, tones: ["bad", "bad"] },
])(
  "a provider is $tones where 95 % answer in $answersMs ms and deliver in $deliveredMs: by its time, the first wait and the code's life",
  ({ answersMs, deliveredMs, tones }) => {
    const policy = {
      ...POLICY,
      delivery: { ...POLICY.delivery, timeout_ms: 8000 },
      resend: { ...POLICY.resend, wait_seconds: [60, 120] },
      code: { ...POLICY.code, ttl_seconds: 180 },
    };
    const taken = (p95Ms: number) => ({ count: 50, medianMs: 100, p95Ms });
    const line = { ...LINE, answers: taken(answersMs), deliveries: taken(deliveredMs) };
    const seen = providerView(line, policy, words);
    expect([seen.answers.tone, seen.deliveries.tone]).toEqual(tones);
  },
);

test("a volume is worth a word from twice the usual on", () => {
  expect(judgeVolume(1.9, words.count)).toEqual({ note: "", tone: "quiet" });
  expect(judgeVolume(2.4, words.count)).toEqual({ note: "2× usual", tone: "warn" });
  expect(judgeVolume(33, words.count)).toEqual({ note: "33× usual", tone: "bad" });
});

test("a course stays in its box and says its sum, whatever was counted", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1e9 }), { maxLength: 200 }), (course) => {
      const { line, says } = sparkOf(course, words.count);
      const numbers = [...line.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
      expect(numbers.length).toBeLessThanOrEqual(48);
      for (const [x = -1, y = -1] of numbers) {
        expect(x >= 0 && x <= 96 && y >= 0 && y <= 20).toBe(true);
      }
      expect(says).toContain(words.count(course.reduce((sum, value) => sum + value, 0)));
      expect(line).not.toMatch(/NaN|Infinity/);
    }),
  );
});

test("every value of the policy stands in a table, with its unit and where it is changed", () => {
  const sections = policySections(POLICY, FILE, "production", words);
  const line = (section: string, name: string) =>
    sections.find(({ id }) => id === section)?.lines.find((one) => one.name === name)?.value;
  expect(line("policy-code", "ttl_seconds")).toBe("3 min");
  expect(line("policy-delivery", "rest.seconds")).toBe("30 s, 2 min, 10 min");
  expect(line("policy-money", "caps.hour_micros")).toBe("€20.00");
  expect(line("policy-money", "plan_day_micros")).toBe("none");
  expect(line("policy-limits", "ip")).toBe("10 in 1 h, 50 in 24 h");
  expect(line("policy-exposure", "country")).toBe("500 unanswered, and 0.46 more for each one verified");
  expect(line("policy-risk", "record_all")).toBe("no");
  expect(sections.find(({ id }) => id === "policy-code")?.place).toEqual({
    file: "wrangler.toml",
    table: "[env.production.vars.POLICY.code]",
    line: null,
  });
  const brand = sections
    .find(({ id }) => id === "policy-message")
    ?.lines.find(({ name }) => name === "brand");
  expect(brand?.line).toBe(7);
  const shown = sections.map(({ id }) => id.replace("policy-", ""));
  for (const [name, value] of Object.entries(POLICY)) {
    const isTable = typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
    if (isTable) expect(shown).toContain(name);
  }
  expect(JSON.stringify(sections)).not.toContain("[object");
});

test("a posture's column says what it changes: the challenge, halved limits, stopped ranges", () => {
  const strict = parsePolicy(
    mergeTables(POLICY as unknown as Parameters<typeof mergeTables>[0], {
      challenge: "emergency",
      limits: {
        number: [
          { max: 1, window_seconds: 60 },
          { max: 10, window_seconds: 86_400 },
        ],
      },
      postures: { emergency: { unknown_ranges: "stop" } },
    }),
  );
  if (!strict.ok) throw new Error(strict.faults.join());
  const lines = new Map(rulesByPosture(strict.value, words).map((line) => [line.name, line]));
  expect(lines.get("CAPTCHA of public clients")).toMatchObject({
    normal: "from nobody",
    elevated: "from everybody",
  });
  expect(lines.get("Limit: number")).toMatchObject({
    normal: "1 in 60 s, 10 in 24 h",
    emergency: "1 in 60 s, 5 in 24 h",
  });
  expect(lines.get("Ranges nobody verified in")?.emergency).toBe("nothing is sent to strangers");
});

test("owners are in charge, later or over by their dates", () => {
  const owner = { role: "anomaly_response" as const, name: "Ana", channels: [] };
  const at = (ms: number) => new Date(NOW + ms).toISOString();
  const alerts = {
    ...POLICY.alerts,
    owners: [owner, { ...owner, from: at(1000) }, { ...owner, from: at(-1000), until: at(0) }],
  };
  expect(ownerLines({ ...POLICY, alerts }, NOW).map(({ state }) => state)).toEqual([
    "in charge",
    "later",
    "over",
  ]);
});

test("a story says each fact once, counts from its first event, and shows hashes short", () => {
  const empty = {
    correlationId: null,
    sessionId: null,
    prefix: null,
    asn: null,
    subnet: null,
    userTag: null,
    tagKeyId: null,
    messageId: null,
    dltMicros: null,
    reasons: null,
    receipt: null,
    code: null,
    sealedNumber: "k.sealed.number",
    sealedAddress: "k.sealed.address",
    provider: null,
    costMicros: null,
    action: null,
    channel: null,
    block: null,
    verified: false,
  } as const;
  const place = { flow: "signup", country: "NG", numberTag: "n".repeat(27), addressTag: null };
  const rows: LedgerRow[] = [
    { ...empty, ...place, id: "1", kind: "requested", atMs: NOW, action: "allow" },
    { ...empty, ...place, id: "2", kind: "sent", atMs: NOW + 900, provider: "twilio", costMicros: 110_000 },
    { ...empty, ...place, id: "3", kind: "verified", atMs: NOW + 120_000 },
  ];
  const lines = eventLines(rows, words);
  expect(lines.map(({ what, after }) => [what, after])).toEqual([
    ["Let through", ""],
    ["Message left", "+0.9 s"],
    ["Verified", "+2 min"],
  ]);
  expect(lines.map(({ facts }) => facts.map(({ name, value }) => `${name} ${value}`))).toEqual([
    ["verdict allow", "flow signup", "country NG", "number nnnnnnnn…"],
    ["provider twilio", "cost €0.11"],
    [],
  ]);
  expect(JSON.stringify(lines)).not.toContain("sealed");
});
