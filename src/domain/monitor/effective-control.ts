/** The effective control: the posture, bans, routes and pauses that apply at this moment, from the monitor and from operators. */

import type { RouteOverride } from "../delivery/route-overrides.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Ban, EffectiveBan, OperatorBan } from "./ban.ts";
import type { Pause } from "./pause.ts";
import type { ControlDocument } from "./posture.ts";

/** How long an isolate acts on the caution after an unreadable document; it reads again long before. */
const CAUTION_MS = MINUTE_MS;

/** The control that applies now: the operators' document, else the monitor's, and all bans, routes and pauses that have not ended. */
export interface ControlState {
  document: ControlDocument | null;
  blocks: readonly EffectiveBan[];
  /** Operators' instructions on routes, over the policy. */
  routes: readonly RouteOverride[];
  /** Countries, flows and providers that operators paused. */
  pauses: readonly Pause[];
}

/** The documents as they are stored. The operators' and the monitor's are apart, so that neither overwrites the other. */
export interface ControlDocuments {
  cron: ControlDocument | null;
  operator: ControlDocument | null;
  cronBlocks: readonly Ban[];
  /** Subjects that operators stop, challenge, or exempt from the monitor's bans. */
  operatorBlocks: readonly OperatorBan[];
  operatorRoutes: readonly RouteOverride[];
  operatorPauses: readonly Pause[];
  /** Documents that could not be read, in words. */
  faults: readonly string[];
}

/** The documents before any was written. */
export const NO_CONTROL_DOCUMENTS: ControlDocuments = {
  cron: null,
  operator: null,
  cronBlocks: [],
  operatorBlocks: [],
  operatorRoutes: [],
  operatorPauses: [],
  faults: [],
};

/**
 * Merges the documents into the control that applies now. The operators' document wins for as long as it lives; then the
 * monitor's, raised to an emergency where a document could not be read. The bans are the monitor's without those that operators
 * exempted, and the operators' own stops and challenges.
 */
export function mergeControlDocuments(documents: ControlDocuments, nowMs: number): ControlState {
  const { cron, operator, cronBlocks, operatorBlocks, operatorRoutes, operatorPauses, faults } = documents;
  const running = operatorBlocks.filter(({ untilMs }) => nowMs < untilMs);
  const exempt = running.filter(({ effect }) => effect === "exempt");
  const blocks: EffectiveBan[] = [
    ...cronBlocks
      .filter(
        (block) => nowMs < block.untilMs && !exempt.some((exemption) => exemptionCovers(exemption, block)),
      )
      .map((block) => ({ ...block, effect: "stop" as const })),
    ...running.flatMap(({ effect, ...block }) => (effect === "exempt" ? [] : [{ ...block, effect }])),
  ];
  const routes = operatorRoutes.filter(({ untilMs }) => nowMs < untilMs);
  const pauses = operatorPauses.filter(({ untilMs }) => nowMs < untilMs);
  const people = operator !== null && nowMs < operator.until_ms ? operator : null;
  if (people !== null && people.holds_posture !== false) return { document: people, blocks, routes, pauses };
  const flag = cron !== null && nowMs < cron.until_ms ? cron : null;
  const [why] = faults;
  const decides = why === undefined || flag?.posture === "shutdown" ? flag : cautionOf(why, nowMs);
  if (people === null) return { document: decides, blocks, routes, pauses };
  // A throttle limits the amount, and leaves the posture to the monitor.
  const { max_per_minute, caps_lifted } = people;
  return { document: { ...(decides ?? people), max_per_minute, caps_lifted }, blocks, routes, pauses };
}

function cautionOf(why: string, nowMs: number): ControlDocument {
  return {
    posture: "emergency",
    since_ms: nowMs,
    until_ms: nowMs + CAUTION_MS,
    by: "operator",
    why,
    healthy_since_ms: null,
  };
}

/** True for a ban of the exempted subject, or of a range inside the exempted one. */
export function exemptionCovers(exemption: OperatorBan, block: Ban): boolean {
  if (exemption.kind !== block.kind) return false;
  if (block.kind === "range") return block.subject.startsWith(exemption.subject);
  return exemption.subject === block.subject;
}
