/** Operators ban and challenge ranges, networks and addresses, and lift bans of their own and of the monitor. */
import { addressUnit } from "../../domain/admission/address.ts";
import { HOUR_SECONDS } from "../../domain/kernel/time.ts";
import type { Ban, BanEffect, BanKind, OperatorBan } from "../../domain/monitor/ban.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  invalidAction,
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  roundedDurationText,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { findReplaced } from "./find-replaced.ts";

type BanDeps = Pick<Deps, "control" | "records" | "vault" | "log" | "nowMs">;

/** Bans and challenges by people at one time: every send compares with all of them. */
export const OPERATOR_BANS_MOST = 500;

/** A ban of the monitor that people lift stays lifted this long, unless they state a time. */
const EXEMPT_SECONDS = HOUR_SECONDS;

/** E.164 numbers have at most 15 digits (ITU-T E.164 section 6.2.1). */
const RANGE = /^\+[1-9]\d{0,14}$/;
const NETWORK = /^AS([1-9]\d{0,9})$/i;
/** 32 bits; the last one is reserved (RFC 6793, RFC 7300). */
const LAST_ASN = 4_294_967_294;
/** Written out: the parser also takes `23480` for an address, and means a range without its plus sign. */
const ADDRESS = /:|^\d{1,3}(\.\d{1,3}){3}$/;
/** An address as lists show it: its keyed hash. */
const ADDRESS_TAG = /^[\w-]{27}$/;

export interface BanSubject {
  kind: BanKind;
  /** As it is stored: an address as its keyed hash. */
  subject: string;
}

/** @returns null for text that is no range (`+23480`), network (`AS64500`), internet address or address hash */
export async function parseBanSubject(vault: Deps["vault"], text: string): Promise<BanSubject | null> {
  if (RANGE.test(text)) return { kind: "range", subject: text };
  const asn = Number(NETWORK.exec(text)?.[1] ?? Number.NaN);
  if (asn <= LAST_ASN) return { kind: "network", subject: `AS${asn}` };
  const unit = ADDRESS.test(text) ? addressUnit(text) : null;
  if (unit !== null) return { kind: "address", subject: await vault.tag("ip", unit) };
  return ADDRESS_TAG.test(text) ? { kind: "address", subject: text } : null;
}

export interface BanChanged extends Performed {
  ban: OperatorBan | null;
  /** The ban, challenge or exemption by people that this one replaces. */
  replaced: OperatorBan | null;
}

interface TimedCommand {
  subject: string;
  forSeconds: number;
}

/** Bans a subject for strangers until the time is over. */
export const ban = (
  deps: BanDeps,
  act: OperatorCommand,
  command: TimedCommand,
): Promise<BanChanged | NotPerformed> => restrict(deps, act, command, "stop");

/** Asks the strangers of a subject for a fresh challenge until the time is over. Bans stay in effect meanwhile. */
export const challengeSubject = (
  deps: BanDeps,
  act: OperatorCommand,
  command: TimedCommand,
): Promise<BanChanged | NotPerformed> => restrict(deps, act, command, "challenge");

async function restrict(
  deps: BanDeps,
  act: OperatorCommand,
  command: TimedCommand,
  effect: Exclude<BanEffect, "exempt">,
): Promise<BanChanged | NotPerformed> {
  const found = await findSubject(deps, command.subject);
  if ("kind" in found) return found;
  const { subject, others, replaced, nowMs } = found;
  if (others.length >= OPERATOR_BANS_MOST) {
    return invalidAction(
      "subject",
      `is one too many: people block and challenge at most ${OPERATOR_BANS_MOST} at a time`,
    );
  }
  const made: OperatorBan = {
    ...subject,
    sinceMs: nowMs,
    untilMs: nowMs + command.forSeconds * 1000,
    by: act.who,
    why: act.why,
    times: 1,
    effect,
  };
  const details = { subject: subject.subject, until_ms: made.untilMs };
  const what = `${subject.kind} ${effect === "stop" ? "blocked" : "challenged"}`;
  // A challenge in place of a ban lets those through who solve it.
  const laxer = effect === "challenge" && replaced?.effect === "stop";
  const acted = await runOperatorAction(deps, act, {
    what,
    details,
    effect: laxer ? "lowers" : "raises",
    perform: () => deps.control.writeOperatorBlocks([...others, made]),
  });
  if (acted.kind !== "done") return acted;
  const means = effect === "stop" ? "is shut to strangers" : "asks strangers for a fresh challenge";
  const notes = [
    `${named(subject)} ${means} for ${roundedDurationText(made.untilMs - nowMs)}.`,
    ...(replaced ? [`This replaces what ${replaced.by} had set.`] : []),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], ban: made, replaced };
}

/**
 * Lifts a ban. A ban of the monitor is replaced by an exemption, or the monitor would set it again in the next minute.
 *
 * @param command.exemptForSeconds how long the monitor may not ban it; undefined means an hour for a ban of the monitor, and
 *   no exemption otherwise
 */
export async function liftBan(
  deps: BanDeps,
  act: OperatorCommand,
  command: { subject: string; exemptForSeconds: number | undefined },
): Promise<BanChanged | NotPerformed> {
  const found = await findSubject(deps, command.subject);
  if ("kind" in found) return found;
  const { subject, documents, others, replaced, nowMs } = found;
  const running = documents.cronBlocks.filter(({ untilMs }) => nowMs < untilMs);
  const byCron = running.some((other) => isSame(other, subject));
  const exemptSeconds = command.exemptForSeconds ?? (byCron ? EXEMPT_SECONDS : undefined);
  if (exemptSeconds === undefined && replaced === null) {
    return { kind: "not_found", reason: notBannedText(subject, [...running, ...others]) };
  }
  const exemption: OperatorBan | null =
    exemptSeconds === undefined
      ? null
      : {
          ...subject,
          sinceMs: nowMs,
          untilMs: nowMs + exemptSeconds * 1000,
          by: act.who,
          why: act.why,
          times: 0,
          effect: "exempt",
        };
  const details = { subject: subject.subject, exempt_until_ms: exemption?.untilMs ?? null };
  const acted = await runOperatorAction(deps, act, {
    what: `${subject.kind} unblocked`,
    details,
    effect: "lowers",
    async perform() {
      // The exemption first: it alone opens the subject, and the monitor may be writing its own list just now.
      const opened = await deps.control.writeOperatorBlocks(exemption ? [...others, exemption] : others);
      if (opened.kind !== "done" || !byCron) return opened;
      return deps.control.writeCronBlocks(documents.cronBlocks.filter((other) => !isSame(other, subject)));
    },
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `${named(subject)} is open.`,
    ...(exemption
      ? [`The watch does not shut it for ${roundedDurationText(exemption.untilMs - nowMs)}.`]
      : []),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], ban: exemption, replaced };
}

/** Ends a challenge and nothing else: a ban the monitor set meanwhile stays. */
export async function liftChallenge(
  deps: BanDeps,
  act: OperatorCommand,
  command: { subject: string },
): Promise<BanChanged | NotPerformed> {
  const found = await findSubject(deps, command.subject);
  if ("kind" in found) return found;
  const { subject, others, replaced } = found;
  if (replaced?.effect !== "challenge") return { kind: "not_found", reason: "Nobody challenges it." };
  const acted = await runOperatorAction(deps, act, {
    what: `${subject.kind} challenge ended`,
    details: { subject: subject.subject },
    effect: "lowers",
    perform: () => deps.control.writeOperatorBlocks(others),
  });
  if (acted.kind !== "done") return acted;
  const notes = [`${named(subject)} asks nobody for a challenge of its own any more.`];
  return { ...acted, notes: [...acted.notes, ...notes], ban: null, replaced };
}

/** The subject a text names, with the ban by people on it and those on others. */
async function findSubject({ vault, control, nowMs: clock }: BanDeps, text: string) {
  const subject = await parseBanSubject(vault, text);
  if (subject === null) return invalidAction("subject", "is no range, network or address");
  const documents = await control.documents();
  if ("kind" in documents) return documents;
  const nowMs = clock();
  const ofSubject = (other: OperatorBan) => isSame(other, subject);
  return { subject, documents, nowMs, ...findReplaced(documents.operatorBlocks, ofSubject, nowMs) };
}

const isSame = (left: BanSubject, right: BanSubject): boolean =>
  left.kind === right.kind && left.subject === right.subject;

const named = ({ kind, subject }: BanSubject): string => (kind === "address" ? "The address" : subject);

/** Names the wider and narrower ranges that are banned or challenged, to help a person who asked for another one. */
function notBannedText({ kind, subject }: BanSubject, bans: readonly Ban[]): string {
  const near = bans
    .filter((other) => other.kind === "range" && kind === "range")
    .filter((other) => other.subject.startsWith(subject) || subject.startsWith(other.subject))
    .map((other) => other.subject);
  return near.length > 0
    ? `It is neither blocked nor challenged itself. Look at ${near.slice(0, 10).join(", ")}.`
    : "It is neither blocked nor challenged.";
}
