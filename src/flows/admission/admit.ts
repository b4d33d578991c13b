/**
 * Decides whether a request's message may leave. Nothing is taken from a destination or from the money here.
 *
 * 1. Find the routes to the number's country: without one nothing is sent.
 * 2. Gather the evidence, in one round trip to the stores and one to the CAPTCHA's issuer.
 * 3. Answer a repeated request with the first one's session.
 * 4. Refuse what the caller's limits, the CAPTCHA, a spend cap or an earlier refusal of the number stop, and a call before
 *    any text.
 * 5. Decide on the signals, with a number lookup where its answer could change the verdict.
 * 6. Turn the verdict into the request's admission or refusal.
 */

import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import { decide } from "../../domain/admission/verdict.ts";
import { composeMessage } from "../../domain/delivery/message.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Deps } from "../../ports/deps.ts";
import { refused } from "../publish/facts.ts";
import { deriveSignals, type SignalNeeds } from "./derive-signals.ts";
import { findRoutes, type RouteNeeds } from "./find-routes.ts";
import { type EvidenceNeeds, gatherEvidence } from "./gather-evidence.ts";
import {
  metersFor,
  refuseByCaps,
  refuseByEarlierRefusal,
  refuseByLimits,
  waivedFor,
} from "./judge-limits.ts";
import { type LookupNeeds, lookUpNumber, refuseEarlyCall } from "./look-up-number.ts";
import { isOurFault, refuseByChallenge } from "./refuse-by-challenge.ts";
import { type AdmissionRequest, type AdmissionResult, claimToGiveBack } from "./request.ts";
import { type Decision, resultOfVerdict } from "./result-of-verdict.ts";

export type AdmitNeeds = RouteNeeds & EvidenceNeeds & SignalNeeds & LookupNeeds;

export async function admit(deps: AdmitNeeds, request: AdmissionRequest): Promise<AdmissionResult> {
  const { policy, nowMs } = deps;
  const { control, phone, channel, claim } = request;

  const message = { country: phone.country, channel, segments: segmentsOf(deps, request) };
  const routes = await findRoutes(deps, control, message);
  if (routes.length === 0) return refused(noRoute(request));

  const meters = metersFor(policy, request, routes);
  const evidence = await gatherEvidence(deps, request, {
    meters,
    // Nearly all messages go by the first route, whose price is what they weigh.
    costMicros: routes[0]?.costMicros ?? 0,
  });
  const trail = { storeFailure: null, carriedOver: evidence.carriedOver, lookup: null, verdict: null };
  if (evidence.kind === "unavailable") {
    const giveBack = claimToGiveBack(request, evidence.drawn);
    return refused(STORE_UNAVAILABLE, { trail: { ...trail, storeFailure: evidence.cause }, giveBack });
  }

  const challengeFailure = refuseByChallenge(evidence.challenge, control.posture, policy.captcha.on_outage);
  if (claim && evidence.held !== null && evidence.held !== claim.value) {
    // A repetition brings the first request's token, which is spent, or one that passes. Garbage is neither.
    const entitled = challengeFailure === null || claim.repeats(evidence.held);
    if (!entitled) return refused(challengeFailure, { trail });
    const drawnOnly = { reservation: null, limitDraws: evidence.drawn, claim: null };
    return { kind: "replay", held: evidence.held, trail, giveBack: drawnOnly };
  }

  const waived = waivedFor(policy, request, evidence);
  const refusal =
    refuseByLimits(evidence.limits, waived) ??
    challengeFailure ??
    refuseByCaps(meters, evidence.totals, nowMs()) ??
    refuseByEarlierRefusal(policy, request, evidence) ??
    (await refuseEarlyCall(deps, request));
  if (refusal) {
    const isOurs = refusal === challengeFailure && isOurFault(refusal);
    return refused(refusal, { trail, giveBack: claimToGiveBack(request, isOurs ? evidence.drawn : []) });
  }

  const decision = await decideOn(deps, request, { routes, meters, evidence, waived, trail });
  return resultOfVerdict(deps, request, decision);
}

const STORE_UNAVAILABLE: Refusal = {
  kind: "sending_paused",
  cause: "store unavailable",
  retryAfterSeconds: 30,
};

const noRoute = ({ phone, channel }: AdmissionRequest): Refusal => ({
  kind: "sending_paused",
  cause: `no route to ${phone.country} by ${channel}`,
  retryAfterSeconds: 300,
});

/** Counts the messages this one is billed as, with any code in it. A provider's own text may differ. */
function segmentsOf(
  { policy }: Pick<Deps, "policy">,
  { phone, flow, locale, channel, codeLength }: AdmissionRequest,
): number {
  if (channel !== "sms") return 1;
  const { length, ttl_seconds: ttlSeconds } = policy.code;
  const content = {
    code: "0".repeat(codeLength ?? length),
    channel,
    country: phone.country,
    flow,
    locale,
    ttlSeconds,
  };
  return composeMessage(content, policy.message).segments;
}

async function decideOn(
  deps: AdmitNeeds,
  request: AdmissionRequest,
  found: Omit<Decision, "signals" | "verdict" | "risk">,
): Promise<Decision> {
  const { policy } = deps;
  const { phone, person, flow, channel, control } = request;
  const { exposure } = rulesForCountry(policy, phone.country);
  const risk = policy.flows[flow]?.risk ?? policy.risk;
  const signals = deriveSignals(deps, request, found.evidence);
  const { verdict, lookup } = await lookUpNumber(
    deps,
    {
      e164: phone.e164,
      numberTag: person.numberTag,
      posture: control.posture,
      factors: signals.factors,
      risk,
      channel,
    },
    decide(signals, risk, exposure),
  );
  return { ...found, signals, verdict, risk, trail: { ...found.trail, lookup, verdict } };
}
