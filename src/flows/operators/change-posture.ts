/** The switch: people set, hold and clear the posture, and throttle the whole service. What they set wins over the watch. */

import { POSTURES, type Posture } from "../../domain/kernel/posture.ts";
import { MINUTE_MS } from "../../domain/kernel/time.ts";
import type { ControlDocuments } from "../../domain/monitor/effective-control.ts";
import type { ControlDocument } from "../../domain/monitor/posture.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type ActionEffect,
  durationInWords,
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { type UsualRate, usualRatePerMinute } from "../monitor/measure-usual-rate.ts";

type SwitchDeps = Pick<Deps, "control" | "records" | "vault" | "log" | "nowMs">;

export interface PostureCommand {
  posture: Posture;
  forSeconds: number;
  /** Sending goes on over the spend caps meanwhile. */
  liftCaps: boolean;
}

/** Of normal, or as a number; for how long. */
export type ThrottleCommand = ({ percent: number } | { maxPerMinute: number }) & { forSeconds: number };

export interface PostureChanged extends Performed {
  /** The people's document from now on; null when there is none. */
  document: ControlDocument | null;
  /** The one it replaced: whoever acted a moment before finds it here. */
  replaced: ControlDocument | null;
  /** What the watch says meanwhile, and goes on saying when the people's document ends. */
  cron: ControlDocument | null;
}

/** Sets a posture until it ends by itself, and keeps a running throttle. Normal too is held: the watch cannot raise it. */
export async function setPosture(
  deps: SwitchDeps,
  act: OperatorCommand,
  { posture, forSeconds, liftCaps }: PostureCommand,
): Promise<PostureChanged | NotPerformed> {
  const nowMs = deps.nowMs();
  const before = await look(deps);
  const throttle = before.operator?.max_per_minute;
  const asked = nowMs + forSeconds * 1000;
  // One document has one end. A throttle that is kept must not end early; lifted caps must never last longer than asked.
  const untilMs =
    throttle === undefined || liftCaps ? asked : Math.max(asked, before.operator?.until_ms ?? asked);
  const document: ControlDocument = {
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
  const bearing: ActionEffect = liftCaps || rank(posture) < rank(before.posture) ? "lowers" : "raises";
  const details = { posture, until_ms: untilMs, caps_lifted: liftCaps };
  const acted = await runOperatorAction(deps, act, { what: "posture set", details }, bearing, () =>
    deps.control.writeOperator(document),
  );
  if (acted.kind !== "done") return acted;
  const notes = [
    `The posture is held at ${posture} for ${durationInWords(untilMs - nowMs)}: the watch neither raises nor lowers it.`,
    ...(liftCaps ? ["Spend caps hold nothing back meanwhile."] : []),
    ...(throttle === undefined ? [] : [`The throttle of ${throttle} a minute stays as long.`]),
  ];
  return switched(acted, act, notes, before, document);
}

/**
 * Takes down what people set and what the watch raised. What was sent so far has been judged by whoever clears: the watch
 * raises the posture again only over what comes after.
 */
export async function clearPosture(
  deps: SwitchDeps & Pick<Deps, "policy">,
  act: OperatorCommand,
): Promise<PostureChanged | NotPerformed> {
  const before = await look(deps);
  const details = { from: before.posture };
  const nowMs = deps.nowMs();
  const document: ControlDocument = {
    posture: "normal",
    since_ms: nowMs,
    // Until all that was judged is out of the watch's sight.
    until_ms: nowMs + deps.policy.monitor.window_minutes * MINUTE_MS,
    by: "operator",
    who: act.who,
    why: act.why,
    judged_ms: nowMs,
    holds_posture: false,
    healthy_since_ms: null,
  };
  const acted = await runOperatorAction(
    deps,
    act,
    { what: "posture cleared", details },
    "lowers",
    async () => {
      const [operator, cron] = await Promise.all([
        deps.control.writeOperator(document),
        deps.control.writeCron(null),
      ]);
      return operator.kind === "done" ? cron : operator;
    },
  );
  if (acted.kind !== "done") return acted;
  const notes = [
    "The posture is normal. The watch raises it again over new messages only; to hold it, set normal for a time.",
    ...(before.operator?.max_per_minute === undefined ? [] : ["The throttle is off too."]),
  ];
  return { ...switched(acted, act, notes, before, null), cron: null };
}

export interface ThrottleChanged extends PostureChanged {
  maxPerMinute: number;
  /** What the percentage was taken of; null for a plain number. */
  normal: UsualRate | null;
}

/** Lets at most so many messages out in a minute, and keeps the posture in force, whoever set it. */
export async function setThrottle(
  deps: SwitchDeps & Pick<Deps, "watch">,
  act: OperatorCommand,
  command: ThrottleCommand,
): Promise<ThrottleChanged | NotPerformed> {
  const nowMs = deps.nowMs();
  const [before, normal] = await Promise.all([
    look(deps),
    "percent" in command ? usualRatePerMinute(deps.watch, nowMs) : null,
  ]);
  const maxPerMinute =
    "percent" in command
      ? Math.max(1, Math.round(((normal?.perMinute ?? 0) * command.percent) / 100))
      : command.maxPerMinute;
  const { operator } = before;
  const asked = nowMs + command.forSeconds * 1000;
  const untilMs = operator === null ? asked : endOfBoth(operator, asked);
  const document: ControlDocument = {
    posture: before.posture,
    since_ms: operator?.since_ms ?? nowMs,
    until_ms: untilMs,
    by: "operator",
    who: act.who,
    why: act.why,
    ...(operator?.caps_lifted ? { caps_lifted: true } : {}),
    max_per_minute: maxPerMinute,
    ...(operator?.judged_ms === undefined ? {} : { judged_ms: operator.judged_ms }),
    // What people held before stays held.
    holds_posture: operator !== null && operator.holds_posture !== false,
    healthy_since_ms: null,
  };
  const looser = operator?.max_per_minute !== undefined && maxPerMinute > operator.max_per_minute;
  const details = {
    max_per_minute: maxPerMinute,
    percent: "percent" in command ? command.percent : null,
    until_ms: untilMs,
  };
  const bearing: ActionEffect = looser ? "lowers" : "raises";
  const acted = await runOperatorAction(deps, act, { what: "throttle set", details }, bearing, () =>
    deps.control.writeOperator(document),
  );
  if (acted.kind !== "done") return acted;
  const notes = [
    `Messages that leave in a minute: at most ${maxPerMinute}, for ${durationInWords(untilMs - nowMs)}.`,
    ...(normal === null ? [] : [saysNormal(normal)]),
    document.holds_posture
      ? `The posture is held at ${before.posture} meanwhile.`
      : "The watch goes on deciding on the posture.",
  ];
  return { ...switched(acted, act, notes, before, document), maxPerMinute, normal };
}

/** Takes the throttle off; a posture that people set stays until its end. */
export async function clearThrottle(
  deps: SwitchDeps,
  act: OperatorCommand,
): Promise<PostureChanged | NotPerformed> {
  const before = await look(deps);
  const { operator, cron } = before;
  if (operator?.max_per_minute === undefined) {
    return { kind: "not_found", reason: "There is no throttle." };
  }
  const { max_per_minute, ...rest } = operator;
  // What holds nothing, or no more than the watch says, is no word of people's.
  const idle =
    !rest.caps_lifted && (rest.holds_posture === false || rest.posture === (cron?.posture ?? "normal"));
  const document = idle ? null : rest;
  const details = { max_per_minute };
  const acted = await runOperatorAction(deps, act, { what: "throttle cleared", details }, "lowers", () =>
    deps.control.writeOperator(document),
  );
  if (acted.kind !== "done") return acted;
  const notes = [
    "The throttle is off.",
    document === null
      ? "The watch decides on the posture again."
      : `The posture stays ${document.posture} for ${durationInWords(document.until_ms - deps.nowMs())}.`,
  ];
  return switched(acted, act, notes, before, document);
}

/** The documents that run now, and the posture they come to. */
export interface PostureDocuments {
  operator: ControlDocument | null;
  cron: ControlDocument | null;
  posture: Posture;
}

/** Documents that have ended count no more. What cannot be read is an emergency, as the edge takes it, unless people spoke. */
export function postureDocumentsOf(
  { operator, cron, faults }: Pick<ControlDocuments, "operator" | "cron" | "faults">,
  nowMs: number,
): PostureDocuments {
  const running = (document: ControlDocument | null) =>
    document !== null && nowMs < document.until_ms ? document : null;
  const [people, watch] = [sayingSomething(running(operator)), running(cron)];
  const unread = faults.length > 0 && watch?.posture !== "shutdown";
  const others = unread ? "emergency" : (watch?.posture ?? "normal");
  const held = people !== null && people.holds_posture !== false ? people.posture : null;
  return { operator: people, cron: watch, posture: held ?? others };
}

/** A note of what people have judged is for the watch alone. */
const sayingSomething = (document: ControlDocument | null): ControlDocument | null =>
  document?.holds_posture === false && document.max_per_minute === undefined && !document.caps_lifted
    ? null
    : document;

async function look({ control, nowMs }: SwitchDeps): Promise<PostureDocuments> {
  const documents = await control.documents();
  return "kind" in documents
    ? { operator: null, cron: null, posture: "emergency" }
    : postureDocumentsOf(documents, nowMs());
}

function switched(
  acted: Performed,
  { who }: OperatorCommand,
  notes: string[],
  before: PostureDocuments,
  document: ControlDocument | null,
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
function endOfBoth(kept: ControlDocument, askedMs: number): number {
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
