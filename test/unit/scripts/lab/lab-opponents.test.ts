import { describe, expect, test } from "vitest";
import { authgearRule, authgearThresholds } from "../../../../scripts/lab/opponents/authgear.ts";
import { noRule } from "../../../../scripts/lab/opponents/none.ts";
import { recipeRule } from "../../../../scripts/lab/opponents/recipe.ts";
import { slidingCounts } from "../../../../scripts/lab/opponents/windows.ts";
import type { Rule, RuleSetup } from "../../../../scripts/lab/rule.ts";
import type { TraceEvent } from "../../../../scripts/lab/trace.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SETUP: RuleSetup = { startMs: 0, countedFromMs: 0, policy: {}, seed: "1", priceMicros: () => 1000 };

const from = (phone: string, ip: string): TraceEvent => ({
  t: 0,
  id: phone,
  label: "honest",
  phone,
  ip,
  asn: 1,
  ip_country: "IN",
  device: null,
  user: null,
  flow: "signup",
  captcha: "pass",
  step_up: "pass",
  verify_after: null,
  wrong_first: 0,
  retry_of: null,
});
const kenyan = (at: number): string => `+2547123${String(at).padStart(5, "0")}`;
const singaporean = (at: number): string => `+65912${String(at).padStart(5, "0")}`;

/** Asks `count` times from ever new numbers and addresses; returns how many left. */
async function ask(
  rule: Rule,
  count: number,
  startMs: number,
  stepMs: number,
  phoneOf = kenyan,
): Promise<number> {
  let left = 0;
  for (let at = 0; at < count; at++) {
    const event = from(phoneOf(startMs / 1000 + at), `ip${startMs}-${at}`);
    const { kind } = await rule.send(event, { freshCaptcha: false }, startMs + at * stepMs);
    if (kind === "left") left++;
  }
  return left;
}

test("sliding windows count what is inside and forget the rest", () => {
  const counts = slidingCounts(1000);
  counts.add("a", 0);
  counts.add("a", 500);
  counts.add("b", 900);
  expect([counts.count("a", 999), counts.count("a", 1000), counts.count("a", 1500)]).toEqual([2, 1, 0]);
  counts.sweep(1600);
  expect(counts.count("b", 1600)).toBe(1);
});

test("without a guard every request is a message at its country's price", async () => {
  const rule = noRule({ ...SETUP, priceMicros: (country) => (country === "KE" ? 7 : 1) });
  const outcome = await rule.send(from(kenyan(1), "ip"), { freshCaptcha: false }, 0);
  expect(outcome).toEqual({ kind: "left", ref: kenyan(1), costMicros: 7 });
});

describe("the usual recipe", () => {
  test("gives a number one message a minute and three in ten minutes", async () => {
    const rule = recipeRule(SETUP) as Rule;
    const kinds: string[] = [];
    for (const seconds of [0, 59, 60, 121, 200, 599, 601]) {
      const outcome = await rule.send(
        from(kenyan(1), `ip${seconds}`),
        { freshCaptcha: false },
        seconds * 1000,
      );
      kinds.push(outcome.kind);
    }
    expect(kinds).toEqual(["left", "refused", "left", "left", "refused", "refused", "left"]);
  });

  test("gives an address ten messages an hour", async () => {
    const rule = recipeRule(SETUP) as Rule;
    let left = 0;
    for (let at = 0; at < 40; at++) {
      const outcome = await rule.send(
        from(kenyan(at), "one ip"),
        { freshCaptcha: false },
        at * 2 * MINUTE_MS,
      );
      if (outcome.kind === "left") left++;
    }
    expect(left).toBe(20);
  });

  test("challenges everybody for an hour once fewer than 30 of 100 come back", async () => {
    const rule = recipeRule(SETUP) as Rule;
    await ask(rule, 30, 0, 1000);
    await rule.minute?.(MINUTE_MS);
    expect(rule.readings().posture).toBe("normal");
    await ask(rule, 1, MINUTE_MS, 0);
    await rule.minute?.(2 * MINUTE_MS);
    expect(rule.readings()).toMatchObject({ posture: "emergency", alerts: 1, ratio: 0 });
    const asking = from(kenyan(9000), "new ip");
    expect(await rule.send(asking, { freshCaptcha: false }, 2 * MINUTE_MS)).toEqual({ kind: "challenge" });
    expect((await rule.send(asking, { freshCaptcha: true }, 2 * MINUTE_MS)).kind).toBe("left");
    await rule.minute?.(61 * MINUTE_MS);
    expect(rule.readings().posture).toBe("emergency");
    await rule.minute?.(63 * MINUTE_MS);
    expect(rule.readings().posture).toBe("normal");
  });
});

describe("Authgear's formulas", () => {
  test.each([
    ["nothing verified yet", [0, 0, 0, 0], [20, 20 / 6, 10, 5]],
    ["its own example of a launch", [0, 300, 300, 0], [60, 60, 10, 5]],
    ["its own example of a normal day", [1000, 1000, 200, 0], [200, 40, 10, 5]],
    ["its own example of a spike", [1000, 2000, 400, 0], [400, 80, 10, 5]],
    ["a quiet hour after a good fortnight", [1000, 500, 100, 0], [200, 200 / 6, 10, 5]],
    ["an address many people share", [0, 0, 0, 300], [20, 20 / 6, 60, 10]],
  ])("give, for %s, the published thresholds", (_, verified, wanted) => {
    const [countryBestDay = 0, countryDay = 0, countryHour = 0, addressDay = 0] = verified;
    const thresholds = authgearThresholds({ countryBestDay, countryDay, countryHour, addressDay });
    expect([
      thresholds.countryDay,
      thresholds.countryHour,
      thresholds.addressDay,
      thresholds.addressHour,
    ]).toEqual(wanted);
  });

  const make = (action: "deny" | "record_only", countsRefused: boolean, countedFromMs = 0) =>
    authgearRule({ name: "it", action, countsRefused })({ ...SETUP, countedFromMs }) as Rule;

  test("let three out of a rush into a new country, and more as the bucket leaks", async () => {
    const rule = make("deny", false);
    expect(await ask(rule, 100, 0, 1000)).toBe(3);
    expect(await ask(rule, 100, HOUR_MS, 1000)).toBe(3);
  });

  test("keep the country shut while somebody keeps asking, where refused requests count", async () => {
    expect(await ask(make("deny", true), 500, 0, MINUTE_MS)).toBe(3);
    expect(await ask(make("deny", false), 500, 0, MINUTE_MS)).toBeGreaterThan(20);
  });

  test("give the unit back on verification", async () => {
    const rule = make("deny", false);
    expect(await ask(rule, 10, 0, 1000)).toBe(3);
    await rule.verified(from(kenyan(0), "ip0-0"), "", 20_000);
    expect(await ask(rule, 10, 21_000, 1000)).toBe(1);
  });

  test("only record, or let everything out until the learning days are over", async () => {
    expect(await ask(make("record_only", true), 100, 0, 1000)).toBe(100);
    const learning = make("deny", false, HOUR_MS);
    expect(await ask(learning, 100, 0, 1000)).toBe(100);
    expect(learning.readings().alerts).toBeGreaterThan(90);
    expect(await ask(learning, 100, HOUR_MS, 1000)).toBeLessThan(10);
  });

  test("deny an address its fourth country without a verification", async () => {
    const rule = make("deny", false);
    const phones = [kenyan(1), singaporean(1), "+919876543210", "+447400123456"];
    const kinds: string[] = [];
    for (const [at, phone] of phones.entries()) {
      kinds.push((await rule.send(from(phone, "one"), { freshCaptcha: false }, at * 1000)).kind);
    }
    expect(kinds).toEqual(["left", "left", "left", "refused"]);
    await rule.verified(from(kenyan(1), "one"), "", 5000);
    expect((await rule.send(from("+447400123457", "one"), { freshCaptcha: false }, 6000)).kind).toBe("left");
  });
});
