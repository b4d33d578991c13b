/** Bans: ranges, networks and addresses that the monitor or people stop for a time, or that people challenge. */
import { MONITOR_OPERATOR_NAME } from "../access/operator.ts";
import { durationText } from "../kernel/instant.ts";
import type { Phone } from "../kernel/phone.ts";
import { DAY_MS, MINUTE_MS } from "../kernel/time.ts";
import type { Finding } from "./finding.ts";
import type { MonitorPolicy } from "./monitor.policy.ts";
import { type MinuteTally, OTHER_SUBJECTS, splitTallyKey, sumTallies, tallyKey } from "./tally.ts";

export type BanKind = "range" | "network" | "address";

/** One subject that gets no messages for a time, or that people gave a word about. */
export interface Ban {
  kind: BanKind;
  /** A number's first digits in E.164 (`+23480`), `AS64500`, or the keyed hash of an address. */
  subject: string;
  sinceMs: number;
  untilMs: number;
  /** `cron` for the monitor, or the operator's name. */
  by: string;
  why: string;
  /** Bans of this subject in the last week, this one included: each return is for longer. */
  times: number;
}

/**
 * An operator's word on a subject: `stop` bans it for strangers, `challenge` asks its strangers for a fresh challenge,
 * `exempt` keeps the monitor from banning it.
 */
export const BAN_EFFECTS = ["stop", "challenge", "exempt"] as const;
export type BanEffect = (typeof BAN_EFFECTS)[number];

/** A ban, a challenge or an exemption that an operator set. */
export interface OperatorBan extends Ban {
  effect: BanEffect;
}

/** A ban or a challenge as it applies at this moment; every ban of the monitor's is a stop. */
export interface EffectiveBan extends Ban {
  effect: Exclude<BanEffect, "exempt">;
}

/** The changes of one run to the monitor's bans. */
export interface BanChanges {
  blocked: readonly Ban[];
  lifted: readonly { block: Ban; why: string }[];
  extended: readonly Ban[];
}

/** Earlier bans by `<kind> <subject>`: how many in the last week, and when the last one began or was lifted (ms). */
export type BanMemory = Readonly<Record<string, { times: number; lastMs: number }>>;

const WEEK_MS = 7 * DAY_MS;

/** Subjects whose earlier bans are remembered, the latest first. */
const REMEMBERED = 1000;

/** A whole prefix is banned only when its silence is spread: over at least so many ranges of ten thousand numbers. */
const SPREAD_RANGES = 3;

/** Its two busiest silent ranges must not hold more than this share of the silent messages. */
const NARROW_SHARE = 0.75;

/** Among equally strict bans the range is named before the network, and the network before the address. */
const KINDS: readonly BanKind[] = ["range", "network", "address"];

/**
 * Finds the ban of this effect that applies to a message. The strictest wins: an operator's ban, which lets nobody through,
 * goes before the monitor's, which lets probes through. Among equals the longest range wins, then the network, then the
 * address. Stops and challenges are looked for apart: no challenge softens a stop, and a stop without effect (in record-only
 * mode) hides no challenge.
 *
 * @param addressTags under the key in use and older ones
 * @returns null when none applies
 */
export function findBan(
  bans: readonly EffectiveBan[],
  effect: EffectiveBan["effect"],
  { e164, asn, addressTags }: { e164: string; asn: number | null; addressTags: readonly string[] },
  nowMs: number,
): EffectiveBan | null {
  const applies = ({ kind, subject }: Ban): boolean => {
    if (kind === "range") return e164.startsWith(subject);
    return kind === "network" ? asn !== null && subject === `AS${asn}` : addressTags.includes(subject);
  };
  const [strictest] = bans
    .filter((ban) => ban.effect === effect && nowMs < ban.untilMs && applies(ban))
    .sort(
      (a, b) =>
        Number(takesProbes(a)) - Number(takesProbes(b)) ||
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        b.subject.length - a.subject.length,
    );
  return strictest ?? null;
}

/** True for the monitor's bans: they rest on suspicion, so one stranger passes now and then to see whether it converts. */
export const takesProbes = ({ by }: Pick<Ban, "by">): boolean => by === MONITOR_OPERATOR_NAME;

/** The grounds of the next bans. */
export interface BanEvidence {
  /** The monitor's bans so far. */
  bans: readonly Ban[];
  findings: readonly Finding[];
  memory: BanMemory;
  /** The window's counters. */
  minutes: readonly MinuteTally[];
  /** The operators' word. An exempted subject is never banned, nor any range inside or around it. */
  operatorBans: readonly OperatorBan[];
}

interface BanDraft {
  running: Map<string, Ban>;
  memory: Map<string, { times: number; lastMs: number }>;
  changes: { blocked: Ban[]; lifted: { block: Ban; why: string }[]; extended: Ban[] };
}

/**
 * The monitor's bans after this run: those that ended are lifted, findings with `block` add new ones, and beyond the policy's
 * `most` those that would end first are dropped.
 *
 * Each return of a subject within a week is for longer. A country is never banned, and a whole prefix only when its silence is
 * spread over it, else its silent ranges are. A verified probe lifts a ban, and no other message does: known people get theirs
 * all the while. For one window after a ban began or was lifted the same messages are still counted, so they neither begin it
 * again nor extend it. A subject that an operator stops or challenges can be banned besides: the operator's word may end before
 * the attack does.
 */
export function nextBans(
  evidence: BanEvidence,
  policy: MonitorPolicy,
  nowMs: number,
): { blocks: Ban[]; blocked: BanMemory; changes: BanChanges } {
  const recent = Object.entries(evidence.memory).filter(([, { lastMs }]) => nowMs - lastMs < WEEK_MS);
  const draft: BanDraft = {
    running: new Map(),
    memory: new Map(recent),
    changes: { blocked: [], lifted: [], extended: [] },
  };
  keepRunningBans(draft, evidence, nowMs);
  addBans(draft, evidence, policy, nowMs);
  const kept = [...draft.running.values()].sort((a, b) => b.untilMs - a.untilMs);
  for (const block of kept.splice(policy.blocks.most)) {
    draft.changes.lifted.push({ block, why: "others that last longer needed the room" });
  }
  const latest = [...draft.memory].sort(([, a], [, b]) => b.lastMs - a.lastMs).slice(0, REMEMBERED);
  return { blocks: kept, blocked: Object.fromEntries(latest), changes: draft.changes };
}

function keepRunningBans(
  { running, memory, changes }: BanDraft,
  { bans, minutes, operatorBans }: BanEvidence,
  nowMs: number,
): void {
  for (const ban of bans) {
    const key = banKey(ban);
    const lift = (why: string) => changes.lifted.push({ block: ban, why });
    if (nowMs >= ban.untilMs) lift("its time is over");
    else if (isExempt(ban, operatorBans, nowMs)) lift("an operator exempted it");
    else if (hasVerifiedProbe(ban, minutes)) {
      lift("a probe was verified");
      memory.set(key, { times: memory.get(key)?.times ?? ban.times, lastMs: nowMs });
    } else running.set(key, ban);
  }
}

function addBans(draft: BanDraft, evidence: BanEvidence, policy: MonitorPolicy, nowMs: number): void {
  const { running, memory, changes } = draft;
  for (const finding of evidence.findings.filter(({ block }) => block)) {
    for (const target of banTargets(finding, evidence, nowMs)) {
      const key = banKey(target);
      const earlier = memory.get(key);
      if (earlier && nowMs - earlier.lastMs < policy.window_minutes * MINUTE_MS) continue;
      if (target.kind === "range" && [...running.values()].some((ban) => liesAround(ban, target.subject)))
        continue;
      const current = running.get(key);
      const times = current?.times ?? (earlier?.times ?? 0) + 1;
      const untilMs = nowMs + banSeconds(times, policy) * 1000;
      if (current && current.untilMs - nowMs > (untilMs - nowMs) / 2) continue;
      const sinceMs = current?.sinceMs ?? nowMs;
      const ban: Ban = { ...target, sinceMs, untilMs, by: MONITOR_OPERATOR_NAME, why: finding.says, times };
      running.set(key, ban);
      memory.set(key, { times, lastMs: nowMs });
      (current ? changes.extended : changes.blocked).push(ban);
    }
  }
}

type BanTarget = Pick<Ban, "kind" | "subject">;

const banKey = ({ kind, subject }: BanTarget): string => `${kind} ${subject}`;

/** Length of the ban of a subject that was banned so many times in the last week, this one included. */
const banSeconds = (times: number, { blocks }: MonitorPolicy): number =>
  Math.min(blocks.longest_seconds, blocks.first_seconds * blocks.factor ** (times - 1));

const liesAround = (ban: Ban, range: string): boolean =>
  ban.kind === "range" && ban.subject !== range && range.startsWith(ban.subject);

function isExempt(
  { kind, subject }: BanTarget,
  operatorBans: readonly OperatorBan[],
  nowMs: number,
): boolean {
  return operatorBans.some(
    (said) =>
      said.effect === "exempt" &&
      nowMs < said.untilMs &&
      said.kind === kind &&
      (said.subject === subject ||
        (kind === "range" && (subject.startsWith(said.subject) || said.subject.startsWith(subject)))),
  );
}

/** The tally that counts the verification of a probe: of a message to this number that a ban of the monitor's let through. */
export function probeTallyKey({ kind, subject }: Ban, { prefix }: Pick<Phone, "prefix">): string {
  if (kind !== "range") return tallyKey(kind, subject);
  return tallyKey(subject === prefix ? "prefix" : "block", subject);
}

function hasVerifiedProbe(ban: Ban, minutes: readonly MinuteTally[]): boolean {
  const keys = [probeTallyKey(ban, { prefix: "" }), probeTallyKey(ban, { prefix: ban.subject })];
  return minutes.some(
    ({ minute, tally }) =>
      minute * MINUTE_MS >= ban.sinceMs && keys.some((key) => (tally.get(key)?.probe_verified ?? 0) > 0),
  );
}

/** The subjects that a finding would have banned, without those an operator exempted. */
function banTargets(finding: Finding, { minutes, operatorBans }: BanEvidence, nowMs: number): BanTarget[] {
  const [dimension, subject] = splitTallyKey(finding.subject);
  const wanted = ((): BanTarget[] => {
    if (subject === OTHER_SUBJECTS) return [];
    if (dimension === "network" || dimension === "address") return [{ kind: dimension, subject }];
    if (dimension === "block") return [{ kind: "range", subject }];
    if (dimension !== "prefix") return [];
    const silent = silentRanges(subject, minutes);
    const narrow = silent.length < SPREAD_RANGES || shareOfBusiestTwo(silent) > NARROW_SHARE;
    const whole: BanTarget = { kind: "range", subject };
    if (!narrow && !isExempt(whole, operatorBans, nowMs)) return [whole];
    return silent.slice(0, SPREAD_RANGES - 1).map(({ range }) => ({ kind: "range", subject: range }));
  })();
  return wanted.filter((target) => !isExempt(target, operatorBans, nowMs));
}

interface SilentRange {
  range: string;
  sent: number;
}

/** The number ranges of a prefix that got messages in the window and verified none, the busiest first. */
function silentRanges(prefix: string, minutes: readonly MinuteTally[]): SilentRange[] {
  const silent: SilentRange[] = [];
  for (const [key, { sent = 0, verified = 0 }] of sumTallies(minutes.map(({ tally }) => tally))) {
    const [dimension, range] = splitTallyKey(key);
    if (dimension === "block" && range.startsWith(prefix) && sent > 0 && verified === 0)
      silent.push({ range, sent });
  }
  return silent.sort((a, b) => b.sent - a.sent);
}

function shareOfBusiestTwo(silent: readonly SilentRange[]): number {
  const total = silent.reduce((sum, { sent }) => sum + sent, 0);
  return ((silent[0]?.sent ?? 0) + (silent[1]?.sent ?? 0)) / total;
}

/** `shut range +23480 for 4 h (2nd time in a week): nobody answers there`. */
export function banText({ kind, subject, sinceMs, untilMs, why, times }: Ban): string {
  // The keyed hash of an address means nothing to people; its beginning is enough to find it by.
  const what = kind === "address" ? subject.slice(0, 8) : subject;
  const again = times > 1 ? `, time ${times} in a week` : "";
  return `shut ${kind} ${what} for ${durationText(untilMs - sinceMs)}${again}: ${why}`;
}
