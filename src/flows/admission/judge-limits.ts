/** What refuses a request before the decision: the caller's limits, spend caps, and what providers said of the number. */

import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import {
  type LimitDraw,
  type LimitResult,
  tightestRefusal,
  waivedLimits,
} from "../../domain/admission/limits.ts";
import { isAddressProven, verificationsFromAddress } from "../../domain/admission/verdict.ts";
import { capRetryAfterSeconds, type SpendMeter, spendMeters } from "../../domain/delivery/money.ts";
import { refuseRememberedNumber } from "../../domain/delivery/number-refusal.ts";
import type { Route } from "../../domain/delivery/routing.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Policy } from "../../domain/policy.ts";
import type { AdmissionEvidence } from "./gather-evidence.ts";
import type { AdmissionRequest } from "./request.ts";

/**
 * The meters a message runs on: money, and messages of the whole service in a minute. The money is that of the dearest route
 * the message may end up with, which it must have too.
 */
export function metersFor(
  { money, limits }: Policy,
  { phone, control }: AdmissionRequest,
  routes: readonly Route[],
): SpendMeter[] {
  const costMicros = Math.max(...routes.map((route) => route.costMicros));
  return [
    ...spendMeters(money, phone.country, costMicros, control.capsLifted),
    {
      scope: "service",
      period: "minute",
      amount: 1,
      cap: Math.min(limits.service_per_minute, control.maxPerMinute ?? Number.POSITIVE_INFINITY),
      lifted: false,
    },
  ];
}

/** Names the limits that give way for this caller, see `waivedLimits`. */
export function waivedFor(
  policy: Policy,
  { phone, person, flow }: AdmissionRequest,
  { readings, limits }: AdmissionEvidence,
): LimitDraw["name"][] {
  const { exposure } = rulesForCountry(policy, phone.country);
  return waivedLimits({
    proven: isAddressProven(readings, exposure),
    ownDevice: person.ownDevice !== null,
    results: limits,
    answers: verificationsFromAddress(readings),
    perAnswer: (policy.flows[flow]?.risk ?? policy.risk).numbers_per_answer,
  });
}

/** Refuses by the caller's tightest limit; null where all of them allow. */
export function refuseByLimits(
  limits: readonly LimitResult[],
  waived: readonly LimitDraw["name"][],
): Refusal | null {
  const counted = limits.filter(({ take }) => take.name !== "probe" && !waived.includes(take.name));
  const limited = tightestRefusal(counted);
  return limited && refusalByLimit(limited);
}

/** The refusal that a used-up limit comes to. */
export const refusalByLimit = ({ take, retryAfterSeconds }: LimitResult): Refusal => ({
  kind: "too_many_requests",
  cause: `limit ${take.name}`,
  retryAfterSeconds,
});

/** Refuses by the first spend cap without room; null where all have some. @param totals in the order of the meters */
export function refuseByCaps(
  meters: readonly SpendMeter[],
  totals: readonly number[],
  nowMs: number,
): Refusal | null {
  const capped = meters.find(({ amount, cap, lifted }, i) => !lifted && (totals[i] ?? 0) + amount > cap);
  return capped ? refusalByCap(capped, nowMs) : null;
}

/** The refusal that a used-up spend cap comes to. */
export const refusalByCap = ({ scope, period }: SpendMeter, nowMs: number): Refusal => ({
  kind: "sending_paused",
  cause: `cap ${scope} ${period}`,
  retryAfterSeconds: capRetryAfterSeconds(period, nowMs),
});

/** Refuses a number that a provider refused for good by this channel; null for any other. */
export const refuseByEarlierRefusal = (
  { delivery }: Policy,
  { phone, channel }: AdmissionRequest,
  { recalled }: AdmissionEvidence,
): Refusal | null =>
  recalled.refusal && refuseRememberedNumber(recalled.refusal, { phone, channel }, delivery);
