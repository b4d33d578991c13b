/** The sequential test for a conversion that has collapsed. */
import type { Cohort } from "../cohorts.ts";

/** The messages from a minute on, and how much better a collapse explains their conversion than the usual share does. */
export interface RatioFall {
  /** Logarithm of the likelihood ratio. */
  score: number;
  sinceMinute: number;
  sent: number;
  verified: number;
  due: number;
}

/**
 * The likeliest beginning of a collapse within the window: Page's CUSUM over cohorts, that is Wald's sequential probability
 * ratio test begun anew wherever that makes it strongest, so that honest traffic before an attack does not hide it. A message
 * whose code a share F of people would have typed by now is verified with chance p0 x F in usual traffic and p1 x F in a
 * collapse.
 *
 * By Ville's inequality a test begun at any one minute ever passes ln(1/a) with chance a at most in usual traffic.
 *
 * @param cohorts the oldest first
 * @param usualShare p0
 * @param fallenShare p1, below p0
 * @param ripeOf F of a minute
 * @param least beginnings with fewer messages after them are left out
 * @returns null while no beginning has as many
 */
export function likeliestFall(
  cohorts: readonly Cohort[],
  { usualShare, fallenShare, least }: { usualShare: number; fallenShare: number; least: number },
  ripeOf: (minute: number) => number,
): RatioFall | null {
  let strongest: RatioFall | null = null;
  let sofar: RatioFall = { score: 0, sinceMinute: 0, sent: 0, verified: 0, due: 0 };
  for (const { minute, sent, verified } of cohorts.toReversed()) {
    if (sent === 0 && verified === 0) continue;
    const ripe = ripeOf(minute);
    const unanswered = Math.max(0, sent - verified);
    sofar = {
      score:
        sofar.score +
        unanswered * Math.log((1 - fallenShare * ripe) / (1 - usualShare * ripe)) +
        verified * Math.log(fallenShare / usualShare),
      sinceMinute: minute,
      sent: sofar.sent + sent,
      verified: sofar.verified + verified,
      due: sofar.due + Math.max(verified, sent * ripe),
    };
    if (sofar.sent >= least && (strongest === null || sofar.score > strongest.score)) strongest = sofar;
  }
  return strongest;
}
