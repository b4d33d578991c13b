/** The beginning and the end of an attack, from the messages and verifications of each minute. */
import type { ReportSums } from "./report-sums.ts";
import { addSums, type MessageSums, NO_MESSAGE_SUMS } from "./sums.ts";

/** The stretch of time of an attack. */
export interface AttackWindow {
  /** The times of its first and last unanswered message, exact to the ledger's millisecond. */
  startMs: number;
  endMs: number;
  /** All messages of its minutes. */
  sums: MessageSums;
}

/**
 * The conversion that is assumed without earlier traffic, and the messages it weighs: a few unanswered ones the week before, when
 * an attacker tries numbers, do not make silence normal.
 */
const PRIOR_RATIO = 0.5;
const PRIOR_WEIGHT = 20;

/** A quiet of this length outweighs the busiest minute: attacks that are further apart are two. */
const LULL_MINUTES = 60;

/** Fewer missing verifications than this are chance. */
const LEAST_MISSING = 5;

/**
 * The stretch of minutes that misses the most verifications: each minute scores half the verifications its messages should
 * have brought, less those it has, and the stretch with the highest sum is the incident (the maximum subarray, found in one
 * pass). An honest minute scores below zero and so ends it; every minute costs a little, so that a long quiet does too.
 *
 * @param usual the messages of usual days
 * @returns null where nothing is missing
 */
export function findAttackWindow(
  minutes: ReportSums["minutes"],
  usual: Pick<MessageSums, "sent" | "verified">,
): AttackWindow | null {
  const normal = (usual.verified + PRIOR_WEIGHT * PRIOR_RATIO) / (usual.sent + PRIOR_WEIGHT);
  const inOrder = [...minutes].sort(([a], [b]) => a - b);
  const scores = inOrder.map(([, { sent, verified }]) => (normal * sent) / 2 - verified);
  const perMinute = scores.reduce((most, score) => Math.max(most, score), 0) / LULL_MINUTES;
  let best = { score: 0, from: 0, to: -1 };
  let [score, from] = [0, 0];
  for (const [i, [minute]] of inOrder.entries()) {
    const before = inOrder[i - 1]?.[0] ?? minute;
    score -= perMinute * (minute - before);
    if (score <= 0) [score, from] = [0, i];
    score += scores[i] ?? 0;
    if (score > best.score) best = { score, from, to: i };
  }
  if (best.score < (LEAST_MISSING * normal) / 2) return null;
  const own = inOrder.slice(best.from, best.to + 1).map(([, sums]) => sums);
  return {
    startMs: own.reduce(
      (ms, { firstUnansweredMs }) => Math.min(ms, firstUnansweredMs),
      Number.POSITIVE_INFINITY,
    ),
    endMs: own.reduce((ms, { lastUnansweredMs }) => Math.max(ms, lastUnansweredMs), Number.NEGATIVE_INFINITY),
    sums: own.reduce<MessageSums>(addSums, NO_MESSAGE_SUMS),
  };
}

/**
 * The same stretch with its ends at the first and the last message to a range that never answered: an honest message nobody
 * answered, in the same minute, is not the attack's. It stays as it is where every range answered once.
 */
export function narrowAttackWindow(attack: AttackWindow, silent: Iterable<MessageSums>): AttackWindow {
  const { startMs, endMs } = attack;
  const within = (ms: number) => ms >= startMs && ms <= endMs;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { firstMs, lastMs } of silent) {
    if (within(firstMs)) first = Math.min(first, firstMs);
    if (within(lastMs)) last = Math.max(last, lastMs);
  }
  return {
    ...attack,
    startMs: Number.isFinite(first) ? first : startMs,
    endMs: Number.isFinite(last) ? last : endMs,
  };
}
