/**
 * Lets a request through to delivery, or not: asks everything at once, judges limits, caps and CAPTCHA, and hands the
 * signals to the domain's decision. Nothing is taken from a destination or from the money here.
 */

import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import type { ExposurePolicy } from "../../domain/admission/exposure.policy.ts";
import { type Level, UNIT_HUNDREDTHS, weightOf, withoutBound } from "../../domain/admission/exposure.ts";
import {
  type LimitDraw,
  type LimitResult,
  tightestRefusal,
  waivedLimits,
} from "../../domain/admission/limits.ts";
import { isRecordOnly } from "../../domain/admission/record-only.ts";
import { type Reservation, reservationFor } from "../../domain/admission/reservation.ts";
import { decide, isProven, type Verdict } from "../../domain/admission/verdict.ts";
import { summariseVerdict, type VerdictSummary } from "../../domain/admission/verdict-summary.ts";
import { composeMessage } from "../../domain/delivery/message.ts";
import { secondsToNextPeriod, spendMeters } from "../../domain/delivery/money.ts";
import type { Route } from "../../domain/delivery/routing.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { probeKey } from "../../domain/monitor/ban.ts";
import { countRulesMet, rulesThatStopped } from "../../domain/monitor/rule-counts.ts";
import type { CounterEntry } from "../../domain/monitor/tally.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { DeviceClaims } from "../../ports/people.ts";
import type { EffectiveControl } from "../control/read-effective-control.ts";
import { deriveSignals, isProbe, observedEntries } from "./derive-signals.ts";
import { findRoutes } from "./find-routes.ts";
import { gatherEvidence } from "./gather-evidence.ts";
import { judgeChallenge } from "./judge-challenge.ts";
import { lookUpNumber } from "./look-up-number.ts";

export interface Admission {
  correlationId: string;
  standing: EffectiveControl;
  caller: Caller;
  phone: Phone;
  numberTag: string;
  /** Of pepper keys that are being retired. */
  olderNumberTags: readonly string[];
  flow: string;
  /** Language the client asked for: the text's length has a price. */
  locale: string | null;
  channel: Channel;
  captchaToken: string | null;
  /** A device that verified this very number; null for everybody else, whatever they bring. */
  device: DeviceClaims | null;
  claimedDeviceId: string | null;
  /** Of a user that a server named. */
  userTag: string | null;
  failureTags: string[];
  /** UUID under which the very same request may check its token again. */
  retryKey: string;
  /** The idempotency key, already hashed, and the value that claims it for this request. */
  claim: { key: string; value: string; repeats(held: string): boolean } | null;
}

/** What an admitted message takes when it leaves. */
export interface AdmittedRequest {
  kind: "admitted";
  hold: Reservation;
  /** The levels that must have room for it. */
  levels: Level[];
  leavingTakes: LimitDraw[];
  slowStart: ExposurePolicy["slow_start"];
  /** Ways to send it, the best first. */
  routes: Route[];
  /** The caller's own limits, for the RateLimit headers. */
  own: LimitResult[];
  /** What was seen on the way, for the counters. */
  observed: CounterEntry[];
  verdict: VerdictSummary;
  /** The request goes no further after all. */
  undo(): void;
}

export type AdmissionResult =
  | AdmittedRequest
  /** An earlier request with the same idempotency key holds it. */
  | { kind: "replay"; value: string }
  /** `observed`: rules in record-only mode that it met, for the counters. */
  | { kind: "decoy"; own: LimitResult[]; observed: CounterEntry[]; verdict: VerdictSummary }
  | Refusal;

export async function admit(deps: Deps, admission: Admission): Promise<AdmissionResult> {
  const { policy, marks, vault, log, defer, nowMs } = deps;
  const { phone, claim, correlationId, channel } = admission;
  const { posture, capsLifted, maxPerMinute } = admission.standing;
  const { exposure } = rulesForCountry(policy, phone.country);
  const routes = await findRoutes(
    deps,
    admission.standing,
    phone.country,
    channel,
    segmentsOf(deps, admission),
  );
  if (routes.length === 0) {
    return {
      kind: "sending_paused",
      cause: `no route to ${phone.country} by ${channel}`,
      retryAfterSeconds: 300,
    };
  }
  // The dearest of those it may end up with: a message that goes out by another route must have its money too. Nearly all
  // go by the first one, which is what they weigh.
  const costMicros = Math.max(...routes.map((route) => route.costMicros));
  const meters = [
    ...spendMeters(policy.money, phone.country, costMicros, capsLifted),
    {
      scope: "service",
      period: "minute" as const,
      amount: 1,
      cap: Math.min(policy.limits.service_per_minute, maxPerMinute ?? Number.POSITIVE_INFINITY),
      lifted: false,
    },
  ];
  const answers = await gatherEvidence(deps, admission, meters);
  if (answers.kind === "unavailable") {
    log("store_unavailable", { correlation_id: correlationId, cause: answers.cause });
    return { kind: "sending_paused", cause: "store unavailable", retryAfterSeconds: 30 };
  }
  const failure = judgeChallenge(answers.challenge, posture, policy.captcha.on_outage);
  if (claim && answers.held !== null && answers.held !== claim.value) {
    // A repetition brings the first request's token, which is spent, or one that passes. Garbage is neither.
    const entitled = failure === null || claim.repeats(answers.held);
    return entitled ? { kind: "replay", value: answers.held } : failure;
  }
  const stop = (refusal: Refusal): Refusal => {
    answers.undo();
    return refusal;
  };

  const waived = waivedLimits({
    proven: isProven(answers.readings, exposure),
    numberKnown: answers.recalled.numberKnown,
    ownDevice: admission.device !== null,
  });
  const limited = tightestRefusal(
    answers.limits.filter(({ take }) => take.name !== "probe" && !waived.includes(take.name)),
  );
  if (limited) {
    const { retryAfterSeconds, take } = limited;
    return stop({ kind: "too_many_requests", cause: `limit ${take.name}`, retryAfterSeconds });
  }
  if (failure) return stop(failure);
  const capped = meters.find(
    ({ amount, cap, lifted }, i) => !lifted && (answers.totals[i] ?? 0) + amount > cap,
  );
  if (capped) {
    const { scope, period } = capped;
    return stop({
      kind: "sending_paused",
      cause: `cap ${scope} ${period}`,
      retryAfterSeconds: secondsToNextPeriod(period, nowMs()),
    });
  }

  const signals = deriveSignals(
    deps,
    admission,
    answers,
    weightOf(routes[0]?.costMicros ?? costMicros, exposure),
  );
  const risk = policy.flows[admission.flow]?.risk ?? policy.risk;
  const question = {
    correlationId,
    e164: phone.e164,
    numberTag: admission.numberTag,
    posture,
    factors: signals.factors,
    risk,
  };
  const verdict = await lookUpNumber(deps, question, decide(signals, risk, exposure));
  logVerdict(deps, admission, verdict);
  const own = answers.limits.filter(({ take }) => take.owner === "caller" && !waived.includes(take.name));
  const observed = observedEntries(deps, admission, answers, signals, verdict);
  const turnedAway = verdict.reasons.some(({ rule, counted }) => rule === "exposure" && counted);
  const refuse = (refusal: Refusal): Refusal =>
    stop({ ...refusal, observed: { turnedAway, entries: observed }, verdict: summariseVerdict(verdict) });
  switch (verdict.action) {
    case "challenge":
      defer(marks.markAsked(answers.askTag), correlationId);
      return refuse({ kind: "challenge_required", fresh: true, factors: verdict.factors });
    case "step_up":
      defer(marks.markAsked(answers.askTag), correlationId);
      return refuse({ kind: "step_up_required", factors: verdict.factors });
    case "deny":
      return refuse({
        kind: "too_many_requests",
        cause: "risk",
        retryAfterSeconds: signals.failedAttemptsWaitSeconds || 60,
      });
    case "decoy":
      return {
        kind: "decoy",
        own,
        observed: countRulesMet(verdict.uncounted, admission.flow),
        verdict: summariseVerdict(verdict),
      };
    case "allow": {
      const drawn = verdict.levels.map(({ level }) => level);
      // Whoever is known passes without a probe, and one answer of theirs says nothing of the strangers there.
      const probe = isProbe(answers) && verdict.pool !== "known" ? answers.block : null;
      const stoppers = rulesThatStopped(verdict.uncounted, admission.flow);
      return {
        kind: "admitted",
        hold: {
          ...reservationFor({
            pool: verdict.pool,
            drawn,
            levels: answers.levels,
            weight: signals.weight,
            meters,
            id: vault.newId(),
            atMs: nowMs(),
          }),
          ...(probe && { probe: probeKey(probe, phone) }),
          ...(stoppers.length > 0 && { stoppers }),
        },
        levels: isRecordOnly("exposure", risk) ? drawn.map(withoutBound) : drawn,
        leavingTakes: answers.leavingTakes.filter(({ name }) => name !== "probe" || probe !== null),
        slowStart: { start: exposure.slow_start.start * UNIT_HUNDREDTHS, factor: exposure.slow_start.factor },
        routes,
        own,
        observed,
        verdict: summariseVerdict(verdict),
        undo: answers.undo,
      };
    }
  }
}

/** How many messages this one is billed as, with any code in it. What a provider puts into a text of its own may differ. */
function segmentsOf({ policy }: Deps, { flow, locale, channel }: Admission): number {
  if (channel !== "sms") return 1;
  const { length, ttl_seconds: ttlSeconds } = policy.code;
  const what = { code: "0".repeat(length), channel, flow, locale, ttlSeconds };
  return composeMessage(what, policy.message).segments;
}

/** Each reason with its evidence, for the operator alone. */
function logVerdict({ log }: Deps, { correlationId, flow, phone }: Admission, verdict: Verdict): void {
  log("verdict", {
    correlation_id: correlationId,
    flow,
    country: phone.country,
    block: phone.block,
    action: verdict.action,
    recorded: verdict.recorded,
    pool: verdict.pool,
    reasons: JSON.stringify(verdict.reasons),
  });
}
