/** Ranges, networks and addresses that are shut for a limited time, by the watch or by people, or challenged by people. */
import { MONITOR_OPERATOR_NAME } from "../access/operator.ts";
import type { Phone } from "../kernel/phone.ts";
import type { Finding } from "./finding.ts";
import { splitKey } from "./history.ts";
import type { MonitorPolicy } from "./monitor.policy.ts";
import type { MonitorMemory } from "./monitor-memory.ts";
import { type MinuteTally, OTHER_SUBJECTS, sumTallies, tallyKey } from "./tally.ts";

export type BanKind = "range" | "network" | "address";

export interface Ban {
  kind: BanKind;
  /** A number's first digits in E.164 (`+23480`), `AS64500`, or the keyed hash of an address. */
  subject: string;
  sinceMs: number;
  untilMs: number;
  /** `cron`, or who set it. */
  by: string;
  why: string;
  /** How often it was shut in the last week, this time included: it comes back for longer. */
  times: number;
}

/**
 * What people say of a subject, one word at a time: shut it to strangers, ask its strangers for a fresh challenge, or never
 * let the watch shut it.
 */
export const BAN_EFFECTS = ["stop", "challenge", "exempt"] as const;
export type BanEffect = (typeof BAN_EFFECTS)[number];

export interface OperatorBan extends Ban {
  effect: BanEffect;
}

/** What a place acts on; all that the watch shuts is a stop. */
export interface EffectiveBan extends Ban {
  effect: Exclude<BanEffect, "exempt">;
}

export interface BanChanges {
  blocked: readonly Ban[];
  lifted: readonly { block: Ban; why: string }[];
  extended: readonly Ban[];
}

const WEEK_MS = 7 * 86_400_000;

/** Subjects whose returns are remembered, the latest. */
const REMEMBERED = 1000;

/** A prefix is shut as a whole only when its silence is spread: over at least so many blocks of ten thousand numbers, */
const SPREAD_BLOCKS = 3;
/** of which the busiest two must not hold more than this share of the silent messages. */
const NARROW_SHARE = 0.75;

/** Of equally strict blocks the range is told before the network, and that before the address. */
const KINDS: readonly BanKind[] = ["range", "network", "address"];

/**
 * For this message, the block of this effect that holds of it; null when none does. Of stops the strictest, whatever it is of
 * and however narrow: people's, which lets nobody through, before the watch's, which lets probes through. Among equals it is
 * the longest range, else the network, else the address. Stops and challenges are looked for apart: no challenge softens a
 * stop, and a stop that has no effect (in record-only mode) hides no challenge.
 *
 * @param addressTags under the key in use and older ones
 */
export function findBan(
  blocks: readonly EffectiveBan[],
  effect: EffectiveBan["effect"],
  { e164, asn, addressTags }: { e164: string; asn: number | null; addressTags: readonly string[] },
  nowMs: number,
): EffectiveBan | null {
  const meets = ({ kind, subject }: Ban): boolean => {
    if (kind === "range") return e164.startsWith(subject);
    return kind === "network" ? asn !== null && subject === `AS${asn}` : addressTags.includes(subject);
  };
  const [strictest] = blocks
    .filter((block) => block.effect === effect && nowMs < block.untilMs && meets(block))
    .sort(
      (a, b) =>
        Number(takesProbes(a)) - Number(takesProbes(b)) ||
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
        b.subject.length - a.subject.length,
    );
  return strictest ?? null;
}

/** The watch shuts on suspicion and lets one stranger through now and then, to see whether it converts; people mean it. */
export const takesProbes = ({ by }: Pick<Ban, "by">): boolean => by === MONITOR_OPERATOR_NAME;

/**
 * What is shut from now on. A finding with `block` shuts its range, network or address, each return within a week for longer;
 * a country is never shut, and a whole prefix only when its silence is spread over it, else the blocks that are silent.
 * A probe that was verified lifts it, and no other message: people we know get theirs all the while. For one window after a subject was shut or lifted the
 * same messages are still in sight, so they neither shut it again nor extend it; what is found after that is new.
 * When there are more than `most`, those that would end first are let go.
 *
 * @param blocks the cron's blocks so far
 * @param minutes the window's counters
 * @param operatorBlocks people's word: what they exempted is never shut, nor anything wider or narrower that meets it. What
 *   they stopped or challenge is shut like anything else: their word may end before the attack does, and a challenge is less
 */
export function nextBans(
  blocks: readonly Ban[],
  findings: readonly Finding[],
  remembered: MonitorMemory["blocked"],
  minutes: readonly MinuteTally[],
  operatorBlocks: readonly OperatorBan[],
  policy: MonitorPolicy,
  nowMs: number,
): { blocks: Ban[]; blocked: MonitorMemory["blocked"]; changes: BanChanges } {
  const changes = {
    blocked: [] as Ban[],
    lifted: [] as { block: Ban; why: string }[],
    extended: [] as Ban[],
  };
  const memory = new Map(Object.entries(remembered).filter(([, { lastMs }]) => nowMs - lastMs < WEEK_MS));
  const standing = new Map<string, Ban>();
  const lift = (block: Ban, why: string) => changes.lifted.push({ block, why });

  for (const block of blocks) {
    const key = `${block.kind} ${block.subject}`;
    if (nowMs >= block.untilMs) lift(block, "its time is over");
    else if (isExempt(block, operatorBlocks, nowMs)) lift(block, "an operator exempted it");
    else if (converted(block, minutes)) {
      lift(block, "a probe was verified");
      memory.set(key, { times: memory.get(key)?.times ?? block.times, lastMs: nowMs });
    } else standing.set(key, block);
  }

  for (const finding of findings) {
    if (!finding.block) continue;
    for (const [kind, subject] of targetsOf(finding, minutes, operatorBlocks, nowMs)) {
      const key = `${kind} ${subject}`;
      const before = memory.get(key);
      if (before && nowMs - before.lastMs < policy.window_minutes * 60_000) continue;
      if (kind === "range" && [...standing.values()].some((other) => covers(other, subject))) continue;
      const current = standing.get(key);
      const times = current?.times ?? (before?.times ?? 0) + 1;
      const untilMs = nowMs + blockSeconds(times, policy) * 1000;
      if (current && current.untilMs - nowMs > (untilMs - nowMs) / 2) continue;
      const block: Ban = {
        kind,
        subject,
        sinceMs: current?.sinceMs ?? nowMs,
        untilMs,
        by: "cron",
        why: finding.says,
        times,
      };
      standing.set(key, block);
      memory.set(key, { times, lastMs: nowMs });
      (current ? changes.extended : changes.blocked).push(block);
    }
  }

  const kept = [...standing.values()].sort((a, b) => b.untilMs - a.untilMs);
  for (const block of kept.splice(policy.blocks.most)) lift(block, "others that last longer needed the room");
  const latest = [...memory].sort(([, a], [, b]) => b.lastMs - a.lastMs).slice(0, REMEMBERED);
  return { blocks: kept, blocked: Object.fromEntries(latest), changes };
}

/** How long a subject is shut that was shut so many times in the last week, this time included. */
const blockSeconds = (times: number, { blocks }: MonitorPolicy): number =>
  Math.min(blocks.longest_seconds, blocks.first_seconds * blocks.factor ** (times - 1));

const covers = (block: Ban, range: string): boolean =>
  block.kind === "range" && block.subject !== range && range.startsWith(block.subject);

function isExempt(
  { kind, subject }: Pick<Ban, "kind" | "subject">,
  operatorBlocks: readonly OperatorBan[],
  nowMs: number,
): boolean {
  return operatorBlocks.some(
    (said) =>
      said.effect === "exempt" &&
      nowMs < said.untilMs &&
      said.kind === kind &&
      (said.subject === subject ||
        (kind === "range" && (subject.startsWith(said.subject) || said.subject.startsWith(subject)))),
  );
}

/** Where the verification of a probe is counted: a message to this number that a block of the watch's let through. */
export function probeKey({ kind, subject }: Ban, { prefix }: Pick<Phone, "prefix">): string {
  if (kind !== "range") return tallyKey(kind, subject);
  return tallyKey(subject === prefix ? "prefix" : "block", subject);
}

function converted(block: Ban, minutes: readonly MinuteTally[]): boolean {
  const keys = [probeKey(block, { prefix: "" }), probeKey(block, { prefix: block.subject })];
  return minutes.some(
    ({ minute, tally }) =>
      minute * 60_000 >= block.sinceMs && keys.some((key) => (tally.get(key)?.probe_verified ?? 0) > 0),
  );
}

function targetsOf(
  finding: Finding,
  minutes: readonly MinuteTally[],
  operatorBlocks: readonly OperatorBan[],
  nowMs: number,
): [BanKind, string][] {
  const [dimension, subject] = splitKey(finding.subject);
  const wanted = ((): [BanKind, string][] => {
    if (subject === OTHER_SUBJECTS) return [];
    if (dimension === "network") return [["network", subject]];
    if (dimension === "address") return [["address", subject]];
    if (dimension === "block") return [["range", subject]];
    if (dimension !== "prefix") return [];
    const silent = silentBlocks(subject, minutes);
    const narrow = silent.length < SPREAD_BLOCKS || shareOfTwo(silent) > NARROW_SHARE;
    if (!narrow && !isExempt({ kind: "range", subject }, operatorBlocks, nowMs)) return [["range", subject]];
    return silent.slice(0, SPREAD_BLOCKS - 1).map(([block]) => ["range", block]);
  })();
  return wanted.filter(([kind, what]) => !isExempt({ kind, subject: what }, operatorBlocks, nowMs));
}

/** The blocks of a prefix to which messages left in the window and nobody answered, the busiest first. */
function silentBlocks(prefix: string, minutes: readonly MinuteTally[]): [block: string, sent: number][] {
  const silent: [string, number][] = [];
  for (const [key, { sent = 0, verified = 0 }] of sumTallies(minutes.map(({ tally }) => tally))) {
    const [dimension, block] = splitKey(key);
    if (dimension === "block" && block.startsWith(prefix) && sent > 0 && verified === 0)
      silent.push([block, sent]);
  }
  return silent.sort(([, a], [, b]) => b - a);
}

function shareOfTwo(silent: readonly [string, number][]): number {
  const total = silent.reduce((sum, [, sent]) => sum + sent, 0);
  return ((silent[0]?.[1] ?? 0) + (silent[1]?.[1] ?? 0)) / total;
}
