/** The bound for people: the most that an attack can cost from now to midnight UTC, whatever it does. */
import {
  type BoundNow,
  dearestUnitMicros,
  worstCasePoolBounds,
  worstCaseUnits,
  worstCaseUntilMidnight,
} from "../../../domain/admission/bound.ts";
import { worstCaseLevels } from "../../../domain/admission/levels.ts";
import { messagePriceMicros, spendMeters } from "../../../domain/delivery/money.ts";
import { DAY_MS, HOUR_MS } from "../../../domain/kernel/time.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";

export type WorstCaseBoundDeps = Pick<Deps, "policy" | "prices" | "budgets" | "nowMs">;

export interface WorstCaseBound extends BoundNow {
  kind: "answered";
  nowMs: number;
  /** By the policy alone: units of a whole day in which nothing is verified, and what they cost at most. */
  dayUnits: number;
  dayMicros: number;
}

/** Reads every pool's level over its window and since midnight, and the spend meters, in one round trip. */
export async function readWorstCaseBound({
  policy,
  prices,
  budgets,
  nowMs,
}: WorstCaseBoundDeps): Promise<WorstCaseBound | Unavailable> {
  const now = nowMs();
  const { exposure, money } = policy;
  const unreported = Object.values(policy.flows).some(({ verified }) => verified === "unknown");
  const levels = [...worstCaseLevels(exposure, unreported)];
  const sinceMs = Math.floor(now / DAY_MS) * DAY_MS;
  const meters = spendMeters(money, "", 0, false);
  const answer = await budgets.read(
    levels.flatMap(([, level]) => [level, { ...level, sinceMs }]),
    meters,
  );
  if (answer.kind !== "answered") return answer;
  const readings = new Map(
    levels.flatMap(([pool], i) => {
      const [window, today] = answer.readings.slice(2 * i, 2 * i + 2);
      return window && today ? [[pool, { window, today }] as const] : [];
    }),
  );
  const bounds = worstCasePoolBounds(exposure, unreported);
  const unitMicros = dearestUnitMicros(pricesOf({ policy, prices }), exposure);
  const hoursLeft = 24 - Math.floor((now % DAY_MS) / HOUR_MS);
  // The hour's cap opens again with every hour that begins before midnight.
  const capsLeft = meters.map(({ period, cap }, i) => {
    const left = Math.max(0, cap - (answer.totals[i] ?? 0));
    return period === "hour" ? left + (hoursLeft - 1) * cap : left;
  });
  const dayUnits = worstCaseUnits(bounds, 0);
  return {
    kind: "answered",
    nowMs: now,
    ...worstCaseUntilMidnight(bounds, readings, unitMicros, Math.min(...capsLeft)),
    dayUnits,
    dayMicros: Math.floor(dayUnits * unitMicros),
  };
}

/** Prices of a message by every provider and channel in use, to every country of the table. */
function pricesOf({ policy, prices }: Pick<Deps, "policy" | "prices">): number[] {
  const { providers, channels } = policy.delivery;
  const countries = [...new Set(prices.map(({ country }) => country))];
  return prices
    .filter(
      ({ country, provider, channel }) =>
        country === "*" && isIn(providers, provider) && isIn(channels, channel),
    )
    .flatMap(({ provider, channel }) =>
      countries.map((country) => messagePriceMicros(prices, country, provider, channel)),
    );
}

const isIn = (list: readonly string[], name: string): boolean => list.includes(name);
