/**
 * The bound: the most that an attack can cost by policy, whatever it does. In a window of a level there are never more units
 * unanswered than `base + gain x V`, V being the units verified there in the window; every message is paid by one pool, and every
 * pool has one level that counts all its messages, weighed by their price. The sum over the pools is the bound:
 *
 *   stranger  overall                    proven  overall                named  overall       own devices  overall
 *   second    the day's level of both pools behind a challenge, or the windows of both, whichever is less
 *   unreported  overall, where a flow has verifications that nobody reports
 *
 * Of a day that begins somewhere in a window, V counts the verifications of that day and of the window before it. The levels of
 * ranges, countries, networks and addresses only lower it further.
 */
import { DAY_SECONDS } from "../kernel/time.ts";
import type { BudgetRule, ExposurePolicy } from "./exposure.policy.ts";
import { costWeight, type LevelReading, UNIT_HUNDREDTHS } from "./exposure.ts";

/** Pools as the bound counts them: those behind a challenge share one. */
export const BOUND_POOLS = ["stranger", "proven", "second", "named", "known"] as const;
export type TrustPool = (typeof BOUND_POOLS)[number] | "unreported";

/** The pools of a policy. @param unreported true where a flow's verifications are reported by nobody */
export const boundPools = (unreported: boolean): readonly TrustPool[] =>
  unreported ? [...BOUND_POOLS, "unreported"] : BOUND_POOLS;

/** The unanswered units of a day that one pool lets out at most: `base + gain x V`. */
export interface PoolBound {
  pool: TrustPool;
  /** Units with nothing verified. */
  base: number;
  /** Units more for each unit verified in the day and the window before. */
  gain: number;
}

/**
 * The bound of each pool for one day, from the policy alone.
 *
 * @param unreported true where a flow draws on the pool of that name
 */
export function worstCasePoolBounds(policy: ExposurePolicy, unreported = false): PoolBound[] {
  const { challenged, returned, known, own, second_pools: day, window_seconds: window } = policy;
  const short = addBounds(
    inOneDay("second", challenged.overall, challenged.window_seconds, challenged.overall.gain),
    inOneDay("second", returned.overall, returned.window_seconds, returned.overall.gain),
  );
  const long = inOneDay("second", day, window, mostGain(day, policy));
  return [
    inOneDay("stranger", policy.overall, window, mostGain(policy.overall, policy)),
    inOneDay("proven", policy.proven.overall, window, mostGain(policy.proven.overall, policy)),
    long.base <= short.base * policy.max_weight ? long : short,
    inOneDay("named", known.overall, known.window_seconds, mostGain(known.overall, policy)),
    inOneDay("known", own.overall, known.window_seconds, mostGain(own.overall, policy)),
    ...(unreported ? [inOneDay("unreported", policy.unreported.overall, window, 0)] : []),
  ];
}

/** Units that all pools together let out in a day in which so many were verified in each. */
export const worstCaseUnits = (bounds: readonly PoolBound[], verified: number): number =>
  bounds.reduce((sum, { base, gain }) => sum + base + gain * verified, 0);

/** A level in a day: as many windows as begin in it, each with its own base. A verification counts in two short windows. */
function inOneDay(pool: TrustPool, { base }: BudgetRule, windowSeconds: number, gain: number): PoolBound {
  const windows = Math.ceil(DAY_SECONDS / windowSeconds);
  return { pool, base: windows * base, gain: windows > 1 ? 2 * gain : gain };
}

const addBounds = (one: PoolBound, other: PoolBound): PoolBound => ({
  pool: one.pool,
  base: one.base + other.base,
  gain: Math.max(one.gain, other.gain),
});

/** The most a level's gain can become: earlier days may teach it so much. */
const mostGain = ({ gain }: BudgetRule, { learned_gain }: ExposurePolicy): number =>
  gain === 0 ? 0 : Math.max(gain, learned_gain.most);

/**
 * The dearest that one unit can be, in micros: a message weighs its price, up to `max_weight`.
 *
 * @param costsMicros prices of a message, one for each destination and channel it may take
 */
export function dearestUnitMicros(
  costsMicros: readonly number[],
  policy: Pick<ExposurePolicy, "reference_price_micros" | "max_weight">,
): number {
  return Math.max(
    0,
    ...costsMicros.map((micros) => Math.ceil((micros * UNIT_HUNDREDTHS) / costWeight(micros, policy))),
  );
}

/** The messages and the money that one pool still allows until midnight UTC. */
interface PoolRest extends PoolBound {
  /** Units verified in its window, and units that left since midnight and are unanswered. */
  verified: number;
  out: number;
  /** Units more that can be out and unanswered by midnight. */
  left: number;
  leftMicros: number;
}

export interface BoundNow {
  pools: PoolRest[];
  /** Of all pools. */
  leftUnits: number;
  leftMicros: number;
  /** The money that the spend caps leave until midnight; null without a cap. */
  capsLeftMicros: number | null;
  /** The least of both: the most that an attack can cost until midnight. */
  mostMicros: number;
  /** The cost that each verification by an attacker adds: the message itself and the room it earns, at the dearest destination. */
  perAnswerMicros: number;
  dearestUnitMicros: number;
}

/**
 * The bound from now to midnight UTC.
 *
 * @param readings of each pool's level: over its window for `verified`, since midnight for `unverified`
 * @param capsLeftMicros what the caps of hour, day and month leave together; null for none
 */
export function worstCaseUntilMidnight(
  bounds: readonly PoolBound[],
  readings: ReadonlyMap<TrustPool, { window: LevelReading; today: LevelReading }>,
  unitMicros: number,
  capsLeftMicros: number | null,
): BoundNow {
  const pools = bounds.map((bound): PoolRest => {
    const reading = readings.get(bound.pool);
    const verified = (reading?.window.verified ?? 0) / UNIT_HUNDREDTHS;
    const out = Math.max(0, reading?.today.unverified ?? 0) / UNIT_HUNDREDTHS;
    const left = Math.max(0, bound.base + bound.gain * verified - out);
    return { ...bound, verified, out, left, leftMicros: Math.floor(left * unitMicros) };
  });
  const leftUnits = pools.reduce((sum, { left }) => sum + left, 0);
  const leftMicros = pools.reduce((sum, one) => sum + one.leftMicros, 0);
  const gain = Math.max(0, ...bounds.map((bound) => bound.gain));
  return {
    pools,
    leftUnits,
    leftMicros,
    capsLeftMicros,
    mostMicros: capsLeftMicros === null ? leftMicros : Math.min(leftMicros, capsLeftMicros),
    perAnswerMicros: Math.round((1 + gain) * unitMicros),
    dearestUnitMicros: unitMicros,
  };
}
