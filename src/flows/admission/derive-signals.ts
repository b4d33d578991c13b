/** What the answers say of a request: to the decision, and to the watch. */

import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import { waitAfterFailures } from "../../domain/admission/failures.ts";
import type { Signals } from "../../domain/admission/signals.ts";
import { inspectSource } from "../../domain/admission/source.ts";
import { isProven, type Verdict } from "../../domain/admission/verdict.ts";
import { takesProbes } from "../../domain/monitor/ban.ts";
import { countAddress, countChallenge } from "../../domain/monitor/counting.ts";
import { countRulesMet } from "../../domain/monitor/rule-counts.ts";
import type { CounterEntry } from "../../domain/monitor/tally.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Admission } from "./admit.ts";
import type { Evidence } from "./gather-evidence.ts";
import { challengeDemanded, challengeGrade } from "./judge-challenge.ts";

export function deriveSignals(deps: Deps, admission: Admission, answers: Evidence, weight: number): Signals {
  const { policy, nowMs } = deps;
  const { caller, phone, device } = admission;
  const { recalled, readings } = answers;
  const { after_seconds } = rulesForCountry(policy, phone.country).exposure.returned;
  return {
    weight,
    source: inspectSource(caller, phone, policy.source, deps.hosting),
    readings,
    numberKnown: recalled.numberKnown,
    ownDevice: device !== null,
    challenge: challengeGrade(answers.challenge, recalled, policy.captcha.fresh_site_key !== undefined),
    challengeDemanded: challengeDemanded(deps, admission, readings),
    distinctNumbers: answers.limits.find(({ take }) => take.name === "numbers_per_ip")?.used ?? 0,
    returned: recalled.askedAtMs !== null && nowMs() >= recalled.askedAtMs + after_seconds * 1000,
    failedAttemptsWaitSeconds: Math.max(
      0,
      ...recalled.failures.map((failures) => waitAfterFailures(failures, policy.failures, nowMs())),
    ),
    factors: policy.flows[admission.flow]?.step_up ?? [],
    block: answers.block && {
      subject: answers.block.subject,
      by: answers.block.by,
      probe: isProbe(answers),
    },
    challenged: answers.challengedBy && {
      subject: answers.challengedBy.subject,
      by: answers.challengedBy.by,
    },
    unknownRanges: admission.standing.rules?.unknown_ranges ?? "as_usual",
  };
}

/** True when a block of the watch's lets this one through, to see whether it converts. What people shut stays shut. */
export function isProbe({ block, limits }: Evidence): boolean {
  if (block === null || !takesProbes(block)) return false;
  return limits.some(({ take, allowed }) => take.name === "probe" && allowed);
}

/**
 * What the watch hears of beside the message itself: challenges, addresses that ask for more numbers than people do, and
 * rules in record-only mode.
 */
export function observedEntries(
  { policy }: Deps,
  { phone, flow }: Admission,
  { addressTag, readings }: Evidence,
  { challenge, distinctNumbers }: Signals,
  { action, uncounted }: Verdict,
): CounterEntry[] {
  const { exposure } = rulesForCountry(policy, phone.country);
  const suspicious = distinctNumbers > policy.risk.many_numbers && !isProven(readings, exposure);
  return [
    ...(suspicious ? countAddress(addressTag, distinctNumbers) : []),
    ...(action === "challenge" ? countChallenge(phone.country, "challenged") : []),
    ...(challenge === "fresh" ? countChallenge(phone.country, "passed") : []),
    ...countRulesMet(uncounted, flow),
  ];
}
