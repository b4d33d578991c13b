/** What a place acts on, of what cron and people have said. */

import type { RouteOverride } from "../delivery/route-overrides.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Ban, EffectiveBan, OperatorBan } from "./ban.ts";
import type { Pause } from "./pause.ts";
import type { ControlDocument } from "./posture.ts";

/** How long an isolate that saw something unreadable acts on that; it reads again long before. */
const CAUTION_MS = MINUTE_MS;

/** What a place acts on: the operators' document where there is one, else the cron's, and all blocks that are in force. */
export interface ControlState {
  document: ControlDocument | null;
  blocks: readonly EffectiveBan[];
  /** People's word on routes, over the policy. */
  routes: readonly RouteOverride[];
  /** What people stopped for everybody. */
  pauses: readonly Pause[];
}

/** The documents as they are stored, people's apart from the cron's: neither can overwrite the other. */
export interface ControlDocuments {
  cron: ControlDocument | null;
  operator: ControlDocument | null;
  cronBlocks: readonly Ban[];
  /** Subjects that people shut, challenge, or exempted from the cron's blocks. */
  operatorBlocks: readonly OperatorBan[];
  operatorRoutes: readonly RouteOverride[];
  operatorPauses: readonly Pause[];
  /** What could not be read, in words. */
  faults: readonly string[];
}

/** Where nobody ever wrote any. */
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
 * What a place acts on. The operators' document wins for as long as it lives, whatever else is there; then the cron's, raised
 * to an emergency where something could not be read. Blocks are the cron's without what people exempted, and people's own
 * stops and challenges.
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
  // A throttle says how much, and leaves to the watch how hard.
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

/** Whoever exempts a range exempts what lies in it. */
export function exemptionCovers(exemption: OperatorBan, block: Ban): boolean {
  if (exemption.kind !== block.kind) return false;
  if (block.kind === "range") return block.subject.startsWith(exemption.subject);
  return exemption.subject === block.subject;
}
