/** The effective control: the posture, bans, routes and pauses that apply at this moment, from the monitor and from operators. */
import type { RouteOverride } from "../delivery/route-overrides.ts";
import type { Posture } from "../kernel/posture.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Ban, EffectiveBan, OperatorBan } from "./ban.ts";
import type { Pause } from "./pause.ts";
import type { PostureControls } from "./posture.ts";

/** How long an isolate acts on the caution after an unreadable document; it reads again long before. */
const CAUTION_MS = MINUTE_MS;

/** The control that applies now: the operators' document, else the monitor's, and all bans, routes and pauses that have not ended. */
export interface MergedControl {
  document: PostureControls | null;
  blocks: readonly EffectiveBan[];
  /** Operators' instructions on routes, over the policy. */
  routes: readonly RouteOverride[];
  /** Countries, flows and providers that operators paused. */
  pauses: readonly Pause[];
}

/** The documents as they are stored. The operators' and the monitor's are apart, so that neither overwrites the other. */
export interface ControlDocuments {
  cron: PostureControls | null;
  operator: PostureControls | null;
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
export function mergeControlDocuments(documents: ControlDocuments, nowMs: number): MergedControl {
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

function cautionOf(why: string, nowMs: number): PostureControls {
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
function exemptionCovers(exemption: OperatorBan, block: Ban): boolean {
  if (exemption.kind !== block.kind) return false;
  if (block.kind === "range") return block.subject.startsWith(exemption.subject);
  return exemption.subject === block.subject;
}

/** One line of the list of bans, challenges and exemptions. */
export interface ListedBan extends OperatorBan {
  set: "cron" | "operator";
  /** False for an exemption, and for a ban that an exemption lifts. */
  effective: boolean;
}

/** A ban in effect: strangers get no message there, not even after a challenge. */
export const isStopInEffect = ({ effect, effective }: ListedBan): boolean => effective && effect === "stop";

/** All bans, challenges and exemptions that are not over, the one that ends last first. */
export function listBans(
  { cronBlocks, operatorBlocks }: Pick<ControlDocuments, "cronBlocks" | "operatorBlocks">,
  nowMs: number,
): ListedBan[] {
  const people = operatorBlocks.filter(({ untilMs }) => nowMs < untilMs);
  const exempted = (ban: Ban) =>
    people.some((other) => other.effect === "exempt" && exemptionCovers(other, ban));
  return [
    ...people.map((ban) => ({ ...ban, set: "operator" as const, effective: ban.effect !== "exempt" })),
    ...cronBlocks
      .filter(({ untilMs }) => nowMs < untilMs)
      .map((ban) => ({ ...ban, effect: "stop" as const, set: "cron" as const, effective: !exempted(ban) })),
  ].toSorted((a, b) => b.untilMs - a.untilMs);
}

/** The posture documents that have not ended, and the posture they come to. */
export interface PostureDocuments {
  operator: PostureControls | null;
  cron: PostureControls | null;
  posture: Posture;
}

/**
 * The documents that have not ended. A document that cannot be read counts as an emergency, as in every place that sends,
 * unless people hold the posture.
 */
export function postureDocumentsOf(
  { operator, cron, faults }: Pick<ControlDocuments, "operator" | "cron" | "faults">,
  nowMs: number,
): PostureDocuments {
  const running = (document: PostureControls | null) =>
    document !== null && nowMs < document.until_ms ? document : null;
  const [people, monitor] = [withEffect(running(operator)), running(cron)];
  const unread = faults.length > 0 && monitor?.posture !== "shutdown";
  const others = unread ? "emergency" : (monitor?.posture ?? "normal");
  const held = people !== null && people.holds_posture !== false ? people.posture : null;
  return { operator: people, cron: monitor, posture: held ?? others };
}

/** A document that only notes up to when people have judged has no effect but on the monitor. */
const withEffect = (document: PostureControls | null): PostureControls | null =>
  document?.holds_posture === false && document.max_per_minute === undefined && !document.caps_lifted
    ? null
    : document;
