import fc from "fast-check";
import { expect, test } from "vitest";
import { passedShares, priceMicros, spendMeters } from "../../src/domain/money.ts";

const row = (country: string, message_micros: number, dlt_micros = 0) => ({
  country,
  provider: "twilio",
  channel: "sms" as const,
  message_micros,
  dlt_micros,
});
const PRICES = [row("IN", 2500, 300), row("*", 500_000)];

test("a message costs its row and the registry's fee; a country nobody priced costs the default", () => {
  expect(priceMicros(PRICES, "IN", "twilio", "sms")).toBe(2800);
  expect(priceMicros(PRICES, "KE", "twilio", "sms")).toBe(500_000);
  expect(() => priceMicros(PRICES, "IN", "vonage", "sms")).toThrow("no price");
});

test("a message runs on the meters of the whole and of a country with caps of its own", () => {
  const caps = { hour_micros: 1, day_micros: 2, month_micros: 3 };
  const policy = { currency: "USD", caps, country_caps: { IN: caps }, alert_shares: [] };
  const meters = spendMeters(policy, "IN", 7);
  expect(meters.map(({ scope, period, amount, cap }) => [scope, period, amount, cap])).toEqual([
    ["spend:all", "hour", 7, 1],
    ["spend:all", "day", 7, 2],
    ["spend:all", "month", 7, 3],
    ["spend:IN", "hour", 7, 1],
    ["spend:IN", "day", 7, 2],
    ["spend:IN", "month", 7, 3],
  ]);
  expect(spendMeters(policy, "US", 7)).toHaveLength(3);
});

test("each share of a cap is passed exactly once, however the spend grows", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 50 }), (amounts) => {
      const seen: number[] = [];
      let total = 0;
      for (const amount of amounts) {
        if (total + amount > 1000) break;
        total += amount;
        const meter = { scope: "spend:all", period: "day" as const, amount, cap: 1000 };
        seen.push(...passedShares({ meter, total }, [0.5, 0.8, 1]));
      }
      expect(seen).toEqual([0.5, 0.8, 1].filter((share) => total >= share * 1000));
    }),
  );
});
