import fc from "fast-check";
import { expect, test } from "vitest";
import {
  capRetryAfterSeconds,
  crossedShares,
  messagePriceMicros,
  spendMeters,
} from "../../../../src/domain/delivery/money.ts";

const row = (country: string, message_micros: number, dlt_micros = 0) => ({
  country,
  provider: "twilio",
  channel: "sms" as const,
  message_micros,
  dlt_micros,
});
const PRICES = [row("IN", 2500, 300), row("*", 500_000)];

test("a message costs its row and the registry's fee; a country nobody priced costs the default", () => {
  expect(messagePriceMicros(PRICES, "IN", "twilio", "sms")).toBe(2800);
  expect(messagePriceMicros(PRICES, "KE", "twilio", "sms")).toBe(500_000);
  expect(() => messagePriceMicros(PRICES, "IN", "vonage", "sms")).toThrow("no price");
});

test("a message runs on the meters of the whole and of a country with caps of its own", () => {
  const caps = { hour_micros: 1, day_micros: 2, month_micros: 3 };
  const policy = {
    currency: "USD",
    caps,
    country_caps: { IN: caps },
    alert_shares: [],
    plan_day_micros: null,
  };
  const meters = spendMeters(policy, "IN", 7, false);
  expect(meters.map(({ scope, period, amount, cap }) => [scope, period, amount, cap])).toEqual([
    ["spend:all", "hour", 7, 1],
    ["spend:all", "day", 7, 2],
    ["spend:all", "month", 7, 3],
    ["spend:IN", "hour", 7, 1],
    ["spend:IN", "day", 7, 2],
    ["spend:IN", "month", 7, 3],
  ]);
  expect(spendMeters(policy, "US", 7, false)).toHaveLength(3);
  expect(meters.map(({ lifted }) => lifted)).toEqual(Array(6).fill(false));
  expect(spendMeters(policy, "IN", 7, true)).toEqual(meters.map((meter) => ({ ...meter, lifted: true })));
});

const SHARES = [0.5, 0.8, 1];
const CAP = 1000;
const amounts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 50 });

/** Spends one amount after the other, as far as they fit, and says what each one passed. */
function spend(each: readonly number[], lifted = false) {
  let total = 0;
  const steps: { amount: number; total: number; passed: number[] }[] = [];
  for (const amount of each) {
    if (!lifted && total + amount > CAP) break;
    total += amount;
    const meter = { scope: "spend:all", period: "day" as const, amount, cap: CAP, lifted };
    steps.push({ amount, total, passed: crossedShares({ meter, total }, SHARES) });
  }
  return { total, steps, passed: steps.flatMap(({ passed }) => passed) };
}

test("each share of a cap is passed exactly once, however the spend grows, and the whole when nothing more fits", () => {
  fc.assert(
    fc.property(amounts, (each) => {
      const { total, steps, passed } = spend(each);
      expect(passed.filter((share) => share < 1)).toEqual([0.5, 0.8].filter((share) => total >= share * CAP));
      for (const step of steps) expect(step.passed.includes(1)).toBe(step.total + step.amount > CAP);
    }),
  );
});

test("with one price each share of a cap is passed at most once, the whole by the last message that fits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: CAP }), fc.nat(1200), (amount, count) => {
      const { total, steps, passed } = spend(Array(count).fill(amount));
      const full = total > 0 && total + amount > CAP;
      expect(passed.toSorted()).toEqual(
        [0.5, 0.8, 1].filter((share) => (share === 1 ? full : total >= share * CAP)),
      );
      if (full) expect(steps.at(-1)?.passed).toContain(1);
    }),
  );
});

test("past a lifted cap no share is passed a second time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: CAP }), fc.nat(2500), (amount, count) => {
      const { total, passed } = spend(Array(count).fill(amount), true);
      const full = total + amount > CAP && total > 0;
      expect(passed.toSorted()).toEqual(
        [0.5, 0.8, 1].filter((share) => (share === 1 ? full : total >= share * CAP)),
      );
    }),
  );
});

test("the whole cap counts as passed though the total never meets it to the micro", () => {
  expect(spend([300, 300, 300]).steps.map(({ passed }) => passed)).toEqual([[], [0.5], [0.8, 1]]);
  expect(spend([500, 500]).steps.map(({ passed }) => passed)).toEqual([[0.5], [0.8, 1]]);
});

test.each([
  ["minute", "2026-07-01T12:00:00.000Z", 60],
  ["minute", "2026-07-01T12:00:59.001Z", 1],
  ["minute", "2026-07-01T12:00:30.500Z", 30],
  ["hour", "2026-07-01T12:00:00.000Z", 3600],
  ["hour", "2026-07-01T12:59:59.999Z", 1],
  ["day", "2026-07-01T00:00:00.000Z", 86_400],
  ["day", "2026-07-01T18:00:00.000Z", 6 * 3600],
  ["month", "2026-07-01T18:00:00.000Z", 6 * 3600],
  ["month", "2026-07-31T23:59:58.000Z", 2],
] as const)("a %s that is used up at %s gives way in %d s", (period, at, seconds) => {
  expect(capRetryAfterSeconds(period, Date.parse(at))).toBe(seconds);
});
