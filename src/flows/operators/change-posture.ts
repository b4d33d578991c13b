/** Operators set, hold and clear the posture, and throttle the whole service. Their document wins over the monitor's. */
import { POSTURES, type Posture } from "../../domain/kernel/posture.ts";
import { MINUTE_MS } from "../../domain/kernel/time.ts";
import type { PostureDocuments } from "../../domain/monitor/effective-control.ts";
import type { PostureControls } from "../../domain/monitor/posture.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  roundedDurationText,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { measureUsualRate, type UsualRate } from "../monitor/measure-usual-rate.ts";
import { readPosture } from "./views/read-posture.ts";

type PostureDeps = Pick<Deps, "control" | "records" | "vault" | "log" | "nowMs">;

export interface PostureCommand {
  posture: Posture;
  forSeconds: number;
  /** Sending goes on over the spend caps meanwhile. */
  liftCaps: boolean;
}

/** A limit as a percentage of the usual rate or as a number, and how long it lasts. */
export type ThrottleCommand = ({ percent: number } | { maxPerMinute: number }) & { forSeconds: number };

export interface PostureChanged extends Performed {
  /** The people's document from now on; null when there is none. */
  document: PostureControls | null;
  /** The one it replaced, so that a change made a moment before is not lost unseen. */
  replaced: PostureControls | null;
  /** The monitor's document, which counts again when the people's ends. */
  cron: PostureControls | null;
}

/** Holds a posture until its time is over, and keeps a running throttle. `normal` is held too: the monitor cannot raise it. */
export async function setPosture(
  deps: PostureDeps,
  act: OperatorCommand,
  { posture, forSeconds, liftCaps }: PostureCommand,
): Promise<PostureChanged | NotPerformed> {
  const nowMs = deps.nowMs();
  const before = await readPosture(deps);
  const throttle = before.operator?.max_per_minute;
  const asked = nowMs + forSeconds * 1000;
  // One document has one end. A throttle that is kept must not end early; lifted caps must never last longer than asked.
  const untilMs =
    throttle === undefined || liftCaps ? asked : Math.max(asked, before.operator?.until_ms ?? asked);
  const document: PostureControls = {
    posture,
    since_ms: nowMs,
    until_ms: untilMs,
    by: "operator",
    who: act.who,
    why: act.why,
    ...(liftCaps ? { caps_lifted: true } : {}),
    ...(throttle === undefined ? {} : { max_per_minute: throttle }),
    healthy_since_ms: null,
  };
  const laxer = liftCaps || rank(posture) < rank(before.posture);
  const acted = await runOperatorAction(deps, act, {
    what: "posture set",
    details: { posture, until_ms: untilMs, caps_lifted: liftCaps },
    effect: laxer ? "lowers" : "raises",
    perform: () => deps.control.writeOperator(document),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `The posture is held at ${posture} for ${roundedDurationText(untilMs - nowMs)}: the watch neither raises nor lowers it.`,
    ...(liftCaps ? ["Spend caps hold nothing back meanwhile."] : []),
    ...(throttle === undefined ? [] : [`The throttle of ${throttle} a minute stays as long.`]),
  ];
  return postureChanged(acted, act, { before, document, notes });
}

/**
 * Removes the posture that people set and the one the monitor raised. Clearing judges every message sent so far: the monitor
 * raises the posture again only over later ones.
 */
export async function clearPosture(
  deps: PostureDeps & Pick<Deps, "policy">,
  act: OperatorCommand,
): Promise<PostureChanged | NotPerformed> {
  const before = await readPosture(deps);
  const nowMs = deps.nowMs();
  const document: PostureControls = {
    posture: "normal",
    since_ms: nowMs,
    // Until every judged message is out of the monitor's window.
    until_ms: nowMs + deps.policy.monitor.window_minutes * MINUTE_MS,
    by: "operator",
    who: act.who,
    why: act.why,
    judged_ms: nowMs,
    holds_posture: false,
    healthy_since_ms: null,
  };
  const acted = await runOperatorAction(deps, act, {
    what: "posture cleared",
    details: { from: before.posture },
    effect: "lowers",
    async perform() {
      const [operator, cron] = await Promise.all([
        deps.control.writeOperator(document),
        deps.control.writeCron(null),
      ]);
      return operator.kind === "done" ? cron : operator;
    },
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    "The posture is normal. The watch raises it again over new messages only; to hold it, set normal for a time.",
    ...(before.operator?.max_per_minute === undefined ? [] : ["The throttle is off too."]),
  ];
  return { ...postureChanged(acted, act, { before, document: null, notes }), cron: null };
}

export interface ThrottleChanged extends PostureChanged {
  maxPerMinute: number;
  /** The rate that the percentage was taken of; null for a plain number. */
  normal: UsualRate | null;
}

/** Limits the messages that leave in a minute, and keeps the posture, whoever set it. */
export async function setThrottle(
  deps: PostureDeps & Pick<Deps, "monitorState">,
  act: OperatorCommand,
  command: ThrottleCommand,
): Promise<ThrottleChanged | NotPerformed> {
  const nowMs = deps.nowMs();
  const [before, normal] = await Promise.all([
    readPosture(deps),
    "percent" in command ? measureUsualRate(deps.monitorState, nowMs) : null,
  ]);
  const maxPerMinute =
    "percent" in command
      ? Math.max(1, Math.round(((normal?.perMinute ?? 0) * command.percent) / 100))
      : command.maxPerMinute;
  const { operator } = before;
  const asked = nowMs + command.forSeconds * 1000;
  const untilMs = operator === null ? asked : endOfBoth(operator, asked);
  const document: PostureControls = {
    posture: before.posture,
    since_ms: operator?.since_ms ?? nowMs,
    until_ms: untilMs,
    by: "operator",
    who: act.who,
    why: act.why,
    ...(operator?.caps_lifted ? { caps_lifted: true } : {}),
    max_per_minute: maxPerMinute,
    ...(operator?.judged_ms === undefined ? {} : { judged_ms: operator.judged_ms }),
    // A posture that people held stays held.
    holds_posture: operator !== null && operator.holds_posture !== false,
    healthy_since_ms: null,
  };
  const laxer = operator?.max_per_minute !== undefined && maxPerMinute > operator.max_per_minute;
  const acted = await runOperatorAction(deps, act, {
    what: "throttle set",
    details: {
      max_per_minute: maxPerMinute,
      percent: "percent" in command ? command.percent : null,
      until_ms: untilMs,
    },
    effect: laxer ? "lowers" : "raises",
    perform: () => deps.control.writeOperator(document),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `Messages that leave in a minute: at most ${maxPerMinute}, for ${roundedDurationText(untilMs - nowMs)}.`,
    ...(normal === null ? [] : [saysNormal(normal)]),
    document.holds_posture
      ? `The posture is held at ${before.posture} meanwhile.`
      : "The watch goes on deciding on the posture.",
  ];
  return { ...postureChanged(acted, act, { before, document, notes }), maxPerMinute, normal };
}

/** Takes the throttle off; a posture that people set stays until its end. */
export async function clearThrottle(
  deps: PostureDeps,
  act: OperatorCommand,
): Promise<PostureChanged | NotPerformed> {
  const before = await readPosture(deps);
  const { operator, cron } = before;
  if (operator?.max_per_minute === undefined) {
    return { kind: "not_found", reason: "There is no throttle." };
  }
  const { max_per_minute, ...rest } = operator;
  // A document that holds nothing, or no more than the monitor's, is not needed.
  const idle =
    !rest.caps_lifted && (rest.holds_posture === false || rest.posture === (cron?.posture ?? "normal"));
  const document = idle ? null : rest;
  const acted = await runOperatorAction(deps, act, {
    what: "throttle cleared",
    details: { max_per_minute },
    effect: "lowers",
    perform: () => deps.control.writeOperator(document),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    "The throttle is off.",
    document === null
      ? "The watch decides on the posture again."
      : `The posture stays ${document.posture} for ${roundedDurationText(document.until_ms - deps.nowMs())}.`,
  ];
  return postureChanged(acted, act, { before, document, notes });
}

interface PostureChange {
  before: PostureDocuments;
  /** The people's document from now on. */
  document: PostureControls | null;
  notes: string[];
}

function postureChanged(
  acted: Performed,
  { who }: OperatorCommand,
  { before, document, notes }: PostureChange,
): PostureChanged {
  const { operator } = before;
  const other = operator !== null && operator.who !== who ? (operator.who ?? "somebody else") : null;
  const replaces = other === null ? [] : [`This replaces what ${other} had set.`];
  return {
    ...acted,
    notes: [...acted.notes, ...notes, ...replaces],
    document,
    replaced: operator,
    cron: before.cron,
  };
}

/** A posture that is kept must not end early; lifted caps must never last longer than they were asked for. */
function endOfBoth(kept: PostureControls, askedMs: number): number {
  if (kept.caps_lifted) return Math.min(askedMs, kept.until_ms);
  return kept.posture === "normal" ? askedMs : Math.max(askedMs, kept.until_ms);
}

function saysNormal({ perMinute, from }: UsualRate): string {
  const rounded = Math.round(perMinute * 10) / 10;
  switch (from) {
    case "same_time":
      return `Normal at this time of day is ${rounded} a minute.`;
    case "history":
      return `Normal is ${rounded} a minute, the mean of what is remembered.`;
    case "nothing":
      return "What is normal is not known yet.";
  }
}

const rank = (posture: Posture): number => POSTURES.indexOf(posture);
