import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import { type Level, UNIT_HUNDREDTHS, uncappedLevel } from "../../domain/admission/exposure.ts";
import type { LimitDraw } from "../../domain/admission/limits.ts";
import { isRecordOnly } from "../../domain/admission/record-only.ts";
import { type Reservation, reservationFor } from "../../domain/admission/reservation.ts";
import type { RiskPolicy } from "../../domain/admission/risk.policy.ts";
import { summariseVerdict } from "../../domain/admission/risk.ts";
import type { Signals } from "../../domain/admission/signals.ts";
import { teacherOf } from "../../domain/admission/teaching.ts";
import type { Verdict } from "../../domain/admission/verdict.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import type { Route } from "../../domain/delivery/routing.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { probeTallyKey } from "../../domain/monitor/ban.ts";
import { countRulesMet, rulesThatWouldStop } from "../../domain/monitor/rule-counts.ts";
import type { Deps } from "../../ports/deps.ts";
import { type AdmissionTrail, type Refused, refused } from "../publish/facts.ts";
import { isProbe, observedEntries } from "./derive-signals.ts";
import type { AdmissionEvidence } from "./gather-evidence.ts";
import {
  type AdmissionRequest,
  type AdmissionResult,
  type AdmittedRequest,
  claimToGiveBack,
} from "./request.ts";

/** A verdict on a request, with everything it rests on. */
export interface Decision {
  /** The best first; at least one. */
  routes: Route[];
  meters: SpendMeter[];
  evidence: AdmissionEvidence;
  /** Limits that gave way. */
  waived: readonly LimitDraw["name"][];
  signals: Signals;
  verdict: Verdict;
  risk: RiskPolicy;
  trail: AdmissionTrail;
}

type ActNeeds = Pick<Deps, "policy" | "vault" | "nowMs">;

/** Turns a verdict into the request's admission, its decoy, or its refusal. */
export function resultOfVerdict(
  deps: ActNeeds,
  request: AdmissionRequest,
  decision: Decision,
): AdmissionResult {
  const { verdict, signals, evidence } = decision;
  const refuse = (refusal: Refusal, more: Pick<Refused, "askTag"> = {}) =>
    refused(refusal, { ...refusedBy(deps, request, decision), ...more });
  switch (verdict.action) {
    case "challenge": {
      const refusal = { kind: "challenge_required", fresh: true, factors: verdict.factors } as const;
      return refuse(refusal, { askTag: evidence.askTag });
    }
    case "step_up":
      return refuse({ kind: "step_up_required", factors: verdict.factors }, { askTag: evidence.askTag });
    case "deny": {
      if (isLandline(verdict)) return refuse({ kind: "number_type_refused", numberType: "fixed_line" });
      const retryAfterSeconds = signals.failedAttemptsWaitSeconds || 60;
      return refuse({ kind: "too_many_requests", cause: "risk", retryAfterSeconds });
    }
    case "decoy":
      return {
        ...shared(decision),
        kind: "decoy",
        observed: countRulesMet(verdict.uncounted, request.flow),
      };
    case "allow":
      return admitted(deps, request, decision);
  }
}

/** True where a lookup alone stopped the message, because it goes to a landline: it is answered as one by its plan is. */
const isLandline = ({ reasons }: Verdict): boolean =>
  reasons.some(
    ({ rule, evidence, counted }) =>
      rule === "number_insight" && counted && evidence.line_type === "fixed_line",
  );

/** The findings that admitted requests and decoys have in common. */
const shared = ({ evidence, waived, verdict, trail }: Decision) => ({
  ownLimits: evidence.limits.filter(({ take }) => take.owner === "caller" && !waived.includes(take.name)),
  verdict: summariseVerdict(verdict),
  trail,
});

function refusedBy(deps: ActNeeds, request: AdmissionRequest, decision: Decision) {
  const { verdict, evidence, trail } = decision;
  return {
    observed: {
      budgetUsedUp: verdict.reasons.some(({ rule, counted }) => rule === "exposure" && counted),
      entries: observedEntries(deps, request, evidence, decision),
    },
    verdict: summariseVerdict(verdict),
    trail,
    giveBack: claimToGiveBack(request),
  };
}

function admitted(deps: ActNeeds, request: AdmissionRequest, decision: Decision): AdmittedRequest {
  const { policy } = deps;
  const { evidence, risk, routes } = decision;
  const { slow_start } = rulesForCountry(policy, request.phone.country).exposure;
  const drawn = drawnLevels(deps, request, decision);
  const reservation = reservationOf(deps, decision, { drawn, request });
  return {
    ...shared(decision),
    kind: "admitted",
    reservation,
    levels: isRecordOnly("exposure", risk) ? drawn.map(uncappedLevel) : drawn,
    slowStart: { start: slow_start.start * UNIT_HUNDREDTHS, factor: slow_start.factor },
    limitDraws: evidence.limitDraws.filter(({ name }) => name !== "probe" || reservation.probe !== undefined),
    drawn: evidence.drawn,
    routes,
    claim: request.claim,
    observed: observedEntries(deps, request, evidence, decision),
  };
}

/** The levels of the pool that pays, and those that count what teaches, where this message does. */
function drawnLevels(
  { policy }: ActNeeds,
  { phone, control }: AdmissionRequest,
  { verdict, evidence, signals }: Decision,
): Level[] {
  const { exposure } = rulesForCountry(policy, phone.country);
  const teacher = teacherOf(signals, { pool: verdict.pool, posture: control.posture }, exposure);
  const taught = teacher === null ? [] : evidence.levels[teacher];
  return [...verdict.levels.map(({ level }) => level), ...taught.map(uncappedLevel)];
}

function reservationOf(
  { vault, nowMs }: ActNeeds,
  { verdict, evidence, signals, meters }: Decision,
  { drawn, request: { phone, flow } }: { drawn: readonly Level[]; request: AdmissionRequest },
): Reservation {
  // A known person passes without a probe, and one answer of theirs says nothing of the strangers there.
  const probed = isProbe(evidence) && verdict.pool !== "known" ? evidence.ban : null;
  const stoppers = rulesThatWouldStop(verdict.uncounted, flow);
  return {
    ...reservationFor({
      pool: verdict.pool,
      drawn,
      levels: evidence.levels,
      number: { known: signals.numberKnown || signals.ownDevice, fresh: signals.freshNumber },
      meters,
      id: vault.newId(),
      atMs: nowMs(),
    }),
    ...(probed && { probe: probeTallyKey(probed, phone) }),
    ...(stoppers.length > 0 && { stoppers }),
  };
}
