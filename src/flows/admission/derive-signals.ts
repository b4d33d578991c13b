/** The evidence about a request, as signals for the decision and as entries for the counters. */

import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import { waitSecondsAfterWrongCodes } from "../../domain/admission/failures.ts";
import { lacksVerifiedHistory } from "../../domain/admission/growth.ts";
import type { Signals } from "../../domain/admission/signals.ts";
import { inspectSource } from "../../domain/admission/source.ts";
import { isManyNumbers, type Verdict } from "../../domain/admission/verdict.ts";
import { takesProbes } from "../../domain/monitor/ban.ts";
import { countAddressWithManyNumbers, countChallenge } from "../../domain/monitor/counting.ts";
import { countRulesMet } from "../../domain/monitor/rule-counts.ts";
import type { CounterEntry } from "../../domain/monitor/tally.ts";
import type { Deps } from "../../ports/deps.ts";
import type { AdmissionEvidence } from "./gather-evidence.ts";
import { challengeDemandedBy, gradeChallengeAnswer } from "./refuse-by-challenge.ts";
import type { AdmissionRequest } from "./request.ts";

export type SignalNeeds = Pick<Deps, "policy" | "hosting" | "nowMs">;

/** Derives the decision's signals. */
export function deriveSignals(
  deps: SignalNeeds,
  request: AdmissionRequest,
  evidence: AdmissionEvidence,
): Signals {
  const { policy, hosting, nowMs } = deps;
  const { caller, phone, person, control } = request;
  const { recalled, readings, ban, challengeBan } = evidence;
  const { exposure } = rulesForCountry(policy, phone.country);
  const { after_seconds } = exposure.returned;
  return {
    source: inspectSource(caller, phone, policy.source, hosting),
    readings,
    numberKnown: recalled.numberKnown,
    freshNumber: lacksVerifiedHistory(recalled.knownSinceMs, exposure, nowMs()),
    ownDevice: person.ownDevice !== null,
    challenge: gradeChallengeAnswer(
      evidence.challenge,
      recalled,
      policy.captcha.fresh_site_key !== undefined,
    ),
    challengeDemanded: challengeDemandedBy(deps, request, readings),
    distinctNumbers: evidence.limits.find(({ take }) => take.name === "numbers_per_ip")?.used ?? 0,
    returned: recalled.askedAtMs !== null && nowMs() >= recalled.askedAtMs + after_seconds * 1000,
    failedAttemptsWaitSeconds: Math.max(
      0,
      ...recalled.failures.map((failures) => waitSecondsAfterWrongCodes(failures, policy.failures, nowMs())),
    ),
    unreported: policy.flows[request.flow]?.verified === "unknown",
    factors: policy.flows[request.flow]?.step_up ?? [],
    block: ban && { subject: ban.subject, by: ban.by, probe: isProbe(evidence) },
    challenged: challengeBan && { subject: challengeBan.subject, by: challengeBan.by },
    unknownRanges: control.rules?.unknown_ranges ?? "as_usual",
  };
}

/** True when a ban of the monitor's lets this one through, to see whether it converts. People's own bans let none. */
export function isProbe({ ban, limits }: AdmissionEvidence): boolean {
  if (ban === null || !takesProbes(ban)) return false;
  return limits.some(({ take, allowed }) => take.name === "probe" && allowed);
}

/**
 * Counts what a request shows beside its message: challenges, addresses that ask for more numbers than people do, and rules
 * in record-only mode.
 */
export function observedEntries(
  { policy }: Pick<Deps, "policy">,
  { phone, flow }: AdmissionRequest,
  { addressTag, readings }: AdmissionEvidence,
  { signals, verdict }: { signals: Signals; verdict: Verdict },
): CounterEntry[] {
  const { exposure } = rulesForCountry(policy, phone.country);
  const { challenge, distinctNumbers } = signals;
  const suspicious = isManyNumbers(distinctNumbers, policy.risk.many_numbers, {
    readings,
    risk: policy.risk,
    exposure,
  });
  return [
    ...(suspicious && addressTag !== null ? countAddressWithManyNumbers(addressTag, distinctNumbers) : []),
    ...(verdict.action === "challenge" ? countChallenge(phone.country, "challenged") : []),
    ...(challenge === "fresh" ? countChallenge(phone.country, "passed") : []),
    ...countRulesMet(verdict.uncounted, flow),
  ];
}
