/** People shut and challenge ranges, networks and addresses, and open what they or the watch have shut. */

import { addressUnit } from "../../domain/admission/address.ts";
import { HOUR_SECONDS } from "../../domain/kernel/time.ts";
import type { Ban, BanEffect, BanKind, OperatorBan } from "../../domain/monitor/ban.ts";
import type { ControlDocuments } from "../../domain/monitor/effective-control.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  durationInWords,
  invalidAction,
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

type BlockDeps = Pick<Deps, "control" | "records" | "vault" | "log" | "nowMs">;

/** Blocks and challenges by people at one time: every send looks through them. */
export const OPERATOR_BANS_MOST = 500;

/** What the watch shut and people opened stays open at least this long, unless they say otherwise. */
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
  block: OperatorBan | null;
  /** What people had said of the same subject before. */
  replaced: OperatorBan | null;
}

interface Lasting {
  subject: string;
  forSeconds: number;
}

/** Shuts a subject to strangers until the time is over. */
export const ban = (
  deps: BlockDeps,
  act: OperatorCommand,
  command: Lasting,
): Promise<BanChanged | NotPerformed> => restrict(deps, act, command, "stop");

/** Asks the strangers of a subject for a fresh challenge until the time is over. What is shut stays shut meanwhile. */
export const challengeSubject = (
  deps: BlockDeps,
  act: OperatorCommand,
  command: Lasting,
): Promise<BanChanged | NotPerformed> => restrict(deps, act, command, "challenge");

async function restrict(
  deps: BlockDeps,
  act: OperatorCommand,
  command: Lasting,
  effect: Exclude<BanEffect, "exempt">,
): Promise<BanChanged | NotPerformed> {
  const found = await find(deps, command.subject);
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
  // Whoever challenges what people had shut opens it to those who solve the challenge.
  const bearing = effect === "challenge" && replaced?.effect === "stop" ? "lowers" : "raises";
  const acted = await runOperatorAction(deps, act, { what, details }, bearing, () =>
    deps.control.writeOperatorBlocks([...others, made]),
  );
  if (acted.kind !== "done") return acted;
  const means = effect === "stop" ? "is shut to strangers" : "asks strangers for a fresh challenge";
  const notes = [
    `${named(subject)} ${means} for ${durationInWords(made.untilMs - nowMs)}.`,
    ...(replaced ? [`This replaces what ${replaced.by} had set.`] : []),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], block: made, replaced };
}

/**
 * Opens a subject. What the watch had shut is exempted for a while, or the watch would shut it again in the next minute.
 *
 * @param command.exemptForSeconds how long the watch may not shut it; an hour where the watch had and nothing is said
 */
export async function liftBan(
  deps: BlockDeps,
  act: OperatorCommand,
  command: { subject: string; exemptForSeconds: number | undefined },
): Promise<BanChanged | NotPerformed> {
  const found = await find(deps, command.subject);
  if ("kind" in found) return found;
  const { subject, documents, others, replaced, nowMs } = found;
  const running = documents.cronBlocks.filter(({ untilMs }) => nowMs < untilMs);
  const byCron = running.some((shut) => isSame(shut, subject));
  const exemptSeconds = command.exemptForSeconds ?? (byCron ? EXEMPT_SECONDS : undefined);
  if (exemptSeconds === undefined && replaced === null) {
    return { kind: "not_found", reason: saysWhere(subject, [...running, ...others]) };
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
  const acted = await runOperatorAction(
    deps,
    act,
    { what: `${subject.kind} unblocked`, details },
    "lowers",
    async () => {
      // The exemption first: it alone opens the subject, and the watch may be writing its own list just now.
      const opened = await deps.control.writeOperatorBlocks(exemption ? [...others, exemption] : others);
      if (opened.kind !== "done" || !byCron) return opened;
      return deps.control.writeCronBlocks(documents.cronBlocks.filter((shut) => !isSame(shut, subject)));
    },
  );
  if (acted.kind !== "done") return acted;
  const notes = [
    `${named(subject)} is open.`,
    ...(exemption ? [`The watch does not shut it for ${durationInWords(exemption.untilMs - nowMs)}.`] : []),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], block: exemption, replaced };
}

/** Takes back a challenge and nothing else: what the watch shut meanwhile stays shut. */
export async function liftChallenge(
  deps: BlockDeps,
  act: OperatorCommand,
  command: { subject: string },
): Promise<BanChanged | NotPerformed> {
  const found = await find(deps, command.subject);
  if ("kind" in found) return found;
  const { subject, others, replaced } = found;
  if (replaced?.effect !== "challenge") return { kind: "not_found", reason: "Nobody challenges it." };
  const details = { subject: subject.subject };
  const acted = await runOperatorAction(
    deps,
    act,
    { what: `${subject.kind} challenge ended`, details },
    "lowers",
    () => deps.control.writeOperatorBlocks(others),
  );
  if (acted.kind !== "done") return acted;
  const notes = [`${named(subject)} asks nobody for a challenge of its own any more.`];
  return { ...acted, notes: [...acted.notes, ...notes], block: null, replaced };
}

/** One line of the list of blocks. */
export interface ListedBan extends OperatorBan {
  set: "cron" | "operator";
  /** In force: not over, no exemption, and not lifted by one. */
  inForce: boolean;
}

/** Strangers get nothing there, rather than being asked for a challenge. */
export const isBanned = ({ effect, inForce }: ListedBan): boolean => inForce && effect === "stop";

/** All blocks, challenges and exemptions that are not over, what ends last first. */
export function listBans(
  { cronBlocks, operatorBlocks }: Pick<ControlDocuments, "cronBlocks" | "operatorBlocks">,
  nowMs: number,
): ListedBan[] {
  const people = operatorBlocks.filter(({ untilMs }) => nowMs < untilMs);
  const exempted = (shut: Ban) => people.some((other) => other.effect === "exempt" && covers(other, shut));
  return [
    ...people.map((said) => ({ ...said, set: "operator" as const, inForce: said.effect !== "exempt" })),
    ...cronBlocks
      .filter(({ untilMs }) => nowMs < untilMs)
      .map((shut) => ({ ...shut, effect: "stop" as const, set: "cron" as const, inForce: !exempted(shut) })),
  ].toSorted((a, b) => b.untilMs - a.untilMs);
}

/** What a text names, and what people say of it now. */
async function find({ vault, control, nowMs: clock }: BlockDeps, text: string) {
  const subject = await parseBanSubject(vault, text);
  if (subject === null) return invalidAction("subject", "is no range, network or address");
  const documents = await control.documents();
  if ("kind" in documents) return documents;
  const nowMs = clock();
  const running = documents.operatorBlocks.filter(({ untilMs }) => nowMs < untilMs);
  return {
    subject,
    documents,
    nowMs,
    others: running.filter((other) => !isSame(other, subject)),
    replaced: running.find((other) => isSame(other, subject)) ?? null,
  };
}

const isSame = (left: BanSubject, right: BanSubject): boolean =>
  left.kind === right.kind && left.subject === right.subject;

/** Whoever exempts a range exempts what lies in it. */
const covers = (exemption: BanSubject, shut: BanSubject): boolean =>
  exemption.kind === shut.kind &&
  (shut.kind === "range" ? shut.subject.startsWith(exemption.subject) : exemption.subject === shut.subject);

const named = ({ kind, subject }: BanSubject): string => (kind === "address" ? "The address" : subject);

/** A person who asks to open a part of what is shut or challenged, or the whole of which a part is, learns what it is called. */
function saysWhere({ kind, subject }: BanSubject, blocks: readonly Ban[]): string {
  const near = blocks
    .filter((other) => other.kind === "range" && kind === "range")
    .filter((other) => other.subject.startsWith(subject) || subject.startsWith(other.subject))
    .map((other) => other.subject);
  return near.length > 0
    ? `It is neither blocked nor challenged itself. Look at ${near.slice(0, 10).join(", ")}.`
    : "It is neither blocked nor challenged.";
}
