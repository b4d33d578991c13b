/**
 * The usual recipe, as verification providers publish it for those who build their own: 3 codes in 10 minutes per number
 * and 10 an hour per address (Telnyx, "Security best practices" of its Verify API, developers.telnyx.com), 1 in 60 seconds
 * per number (the common resend wait), and a watch on conversion that makes a CAPTCHA mandatory for an hour when fewer
 * than 30 % of more than 30 codes of the last 15 minutes came back. Refused requests are not counted.
 */

import type { Rule, RuleSetup } from "../rule.ts";
import { countryOf } from "../world/numbers.ts";
import { slidingCounts } from "./windows.ts";

const MINUTE_MS = 60_000;

/** The recipe's numbers. */
const RECIPE = {
  perNumber: [
    { messages: 1, windowMs: MINUTE_MS },
    { messages: 3, windowMs: 10 * MINUTE_MS },
  ],
  perAddress: { messages: 10, windowMs: 60 * MINUTE_MS },
  watch: { windowMs: 15 * MINUTE_MS, moreThanSends: 30, ratio: 0.3, emergencyMs: 60 * MINUTE_MS },
} as const;

export function recipeRule({ priceMicros }: RuleSetup): Rule {
  const { perNumber, perAddress, watch } = RECIPE;
  const limits = [
    ...perNumber.map((limit) => ({
      ...limit,
      scope: "number" as const,
      counts: slidingCounts(limit.windowMs),
    })),
    { ...perAddress, scope: "address" as const, counts: slidingCounts(perAddress.windowMs) },
  ];
  const sent = slidingCounts(watch.windowMs);
  const verified = slidingCounts(watch.windowMs);
  let emergencyUntilMs = 0;
  let emergency = false;
  let alerts = 0;
  let ratio: number | null = null;

  return {
    name: "recipe",
    async send(event, attempt, nowMs) {
      const keyOf = (scope: "number" | "address"): string => (scope === "number" ? event.phone : event.ip);
      const full = limits.find(
        ({ scope, counts, messages }) => counts.count(keyOf(scope), nowMs) >= messages,
      );
      if (full) return { kind: "refused", reason: `limit_${full.scope}` };
      if (emergency && !attempt.freshCaptcha) return { kind: "challenge" };
      for (const { scope, counts } of limits) counts.add(keyOf(scope), nowMs);
      sent.add("all", nowMs);
      return { kind: "left", ref: event.id, costMicros: priceMicros(countryOf(event.phone)) };
    },
    async verified(_event, _ref, nowMs) {
      verified.add("all", nowMs);
      return true;
    },
    async minute(nowMs) {
      const sends = sent.count("all", nowMs);
      ratio = sends === 0 ? null : Math.min(1, verified.count("all", nowMs) / sends);
      if (sends > watch.moreThanSends && ratio !== null && ratio < watch.ratio) {
        if (!emergency) alerts++;
        emergencyUntilMs = nowMs + watch.emergencyMs;
      }
      emergency = nowMs < emergencyUntilMs;
      if (nowMs % watch.emergencyMs === 0) for (const { counts } of limits) counts.sweep(nowMs);
    },
    readings: () => ({ posture: emergency ? "emergency" : "normal", alerts, blockedRanges: [], ratio }),
  };
}
