/**
 * The verdict on one request: all its signals in, one action with its reasons out. The order of the rules is the policy:
 *
 * 1. Blocked sources are denied, and so is a number, device or user with too many wrong codes in a row.
 * 2. People on a device that verified this number pay from a pool that nobody else can touch and are asked for nothing more.
 * 3. All others are stopped where their range, network or address is banned (one who passes a fresh challenge goes through now
 *    and then, to see whether it converts), and in an emergency in prefixes where nobody ever verified. A request that names a
 *    number which verified long ago is challenged there and not stopped, unless the ban is on its source.
 * 4. A request passes while the budgets of its pool all have room: `named` for a number that verified before, `stranger` for
 *    any; after a fresh challenge where the source is suspicious, an operator challenges the range, network or address, or the
 *    policy or the posture asks for it. A flow whose verifications nobody reports has its own pool, `unreported`, and no other.
 * 5. When those budgets are used up, a hosting network or Tor goes to step 7, and so does a traveller to a country without
 *    history; an address that has earned verifications vouches for its next stranger.
 * 6. All others must pass a fresh challenge and pay from a second, smaller budget; a stranger who was refused and comes back
 *    finds a third one.
 * 7. The last offer is another channel or factor that the flow permits; without one the request is denied.
 *
 * In every pool one number has its own bound, and so have a range's messages to strangers and the money to fresh numbers.
 * Every reason carries its evidence for the operator. A rule in record-only mode is reported and has no effect.
 */
import type { ExposurePolicy } from "./exposure.policy.ts";
import {
  type BudgetPool,
  budgetOf,
  discountSamePerson,
  hasRoom,
  type LevelReading,
  type LevelReadings,
  raiseAllByHistory,
  UNIT_HUNDREDTHS,
} from "./exposure.ts";
import { growthLevels } from "./growth.ts";
import { findRecordOnlyHits, isRecordOnly } from "./record-only.ts";
import type { RiskPolicy } from "./risk.policy.ts";
import type { RecordOnlyHit, RiskRule, VerdictAction, VerdictReason } from "./risk.ts";
import type { Signals } from "./signals.ts";

/** The decision on one request, with everything that follows from it. */
export interface Verdict {
  action: VerdictAction;
  /** The budget pool that pays when the action is `allow`. */
  pool: BudgetPool;
  /** The levels of that pool that the message draws on. */
  levels: LevelReading[];
  /** Factors the flow permits instead, when the action is `step_up` or `challenge`. */
  factors: readonly string[];
  reasons: VerdictReason[];
  /** The action there would have been with every rule counted. */
  recorded: VerdictAction;
  /** Rules in record-only mode that the request met. */
  uncounted: RecordOnlyHit[];
}

/** Sources in which nobody lives. */
const RENTED_SOURCES = ["tor", "hosting_network"];
const SUSPICIOUS_SOURCES = [...RENTED_SOURCES, "country_mismatch"];

/** A verdict as one judgement reaches it, before record-only rules are compared. */
type Judgement = Omit<Verdict, "recorded" | "uncounted">;

/** Decides on a request, and works out what rules in record-only mode would have changed. */
export function decide(given: Signals, risk: RiskPolicy, exposure: ExposurePolicy): Verdict {
  const signals = { ...given, readings: discountSamePerson(raiseAllByHistory(given.readings, exposure)) };
  const judged = (counts: (rule: RiskRule) => boolean) => judge(signals, { risk, exposure, counts });
  const counts = (rule: RiskRule) => !isRecordOnly(rule, risk);
  const ruled = judged(counts);
  const uncounted = findRecordOnlyHits(ruled, (rule) => judged((one) => one === rule || counts(one)).action);
  const full = uncounted.length === 0 ? ruled : judged(() => true);
  const recorded = full.action;
  if (!risk.record_all) return { ...ruled, recorded, uncounted };
  // Whoever would have been refused draws on nothing; all others as if every rule counted.
  const free =
    recorded === "allow" ? full : { ...full, action: "allow" as const, pool: "known" as const, levels: [] };
  const reasons = full.reasons.map((reason) => ({ ...reason, counted: false }));
  return { ...free, reasons, recorded, uncounted };
}

/** One judgement under way. */
interface Judging {
  signals: Signals;
  risk: RiskPolicy;
  exposure: ExposurePolicy;
  /** The reasons so far. */
  reasons: VerdictReason[];
  /** Adds a reason. @returns true where its rule counts */
  note(rule: RiskRule, evidence?: VerdictReason["evidence"]): boolean;
}

interface JudgeRules {
  risk: RiskPolicy;
  exposure: ExposurePolicy;
  counts: (rule: RiskRule) => boolean;
}

/** Follows the seven steps that this file begins with, and stops at the first that settles the matter. */
function judge(signals: Signals, { risk, exposure, counts }: JudgeRules): Judgement {
  const { readings, block, challenge, ownDevice } = signals;
  const reasons: VerdictReason[] = [];
  const note: Judging["note"] = (rule, evidence = {}) => {
    reasons.push({ rule, evidence, counted: counts(rule) });
    return counts(rule);
  };
  const judging: Judging = { signals, risk, exposure, reasons, note };

  // 1. Blocked sources, and too many wrong codes.
  const source = noteSource(judging);
  if (source.blocked || noteFailedAttempts(judging)) return refuse(judging, "deny");

  // 2. People on their own devices.
  const ownLevels = [...readings.known, ...freshLevels(judging)];
  if (ownDevice && !signals.unreported && takes(judging, ownLevels))
    return allow(judging, "known", ownLevels);

  // 3. Bans, and prefixes in which nobody ever verified.
  const trusted = (signals.numberKnown && !signals.freshNumber) || ownDevice;
  const banned = block !== null && note("blocked", { ...block });
  if (banned && !block.probe && !(trusted && isRange(block.subject))) return stepUp(judging);
  const unknownRange = noteUnknownRange(judging);
  if (unknownRange && signals.unknownRanges === "stop" && !trusted) return stepUp(judging);

  // 4. The pools that people pay from first, after a fresh challenge where one is demanded.
  const doubtful = source.suspicious || source.listed || unknownRange || banned;
  const demanded = noteChallengeDemands(judging) || doubtful;
  if (demanded && challenge !== "fresh") return refuse(judging, "challenge");
  if (signals.unreported) {
    const levels = readings.unreported;
    return takes(judging, levels) ? allow(judging, "unreported", levels) : stepUp(judging);
  }
  const first = firstPools(judging, source.suspicious).find(({ levels }) => takes(judging, levels));
  if (first) return allow(judging, first.pool, first.levels);

  // 5. Sources that have no part in what follows, and an address that vouches for its next stranger.
  if (source.rented || (source.suspicious && !hasHistory(judging))) return stepUp(judging);
  const provenLevels = [...readings.proven, ...boundsOfAll(judging)];
  const vouched =
    !source.suspicious &&
    isAddressProven(readings, exposure) &&
    fullLevels(judging, provenLevels).length === 0;
  if (vouched) return allow(judging, "proven", provenLevels);

  // 6. The second and the third budget, after a fresh challenge. Without room in them, step 7.
  const second = poolsAfterChallenge(judging).find(({ levels }) => takes(judging, levels));
  if (second === undefined) return stepUp(judging);
  return challenge === "fresh" ? allow(judging, second.pool, second.levels) : refuse(judging, "challenge");
}

const allow = ({ reasons }: Judging, pool: BudgetPool, levels: LevelReading[]): Judgement => ({
  action: "allow",
  pool,
  levels,
  factors: [],
  reasons,
});

const refuse = (
  { signals, risk, reasons }: Judging,
  action: "challenge" | "step_up" | "deny",
): Judgement => ({
  action: action === "deny" && risk.decoy ? "decoy" : action,
  pool: "stranger",
  levels: [],
  factors: action === "deny" ? [] : signals.factors,
  reasons,
});

/** Step 7: another channel or factor where the flow permits one, else a denial. */
const stepUp = (judging: Judging): Judgement =>
  refuse(judging, judging.signals.factors.length > 0 ? "step_up" : "deny");

/** True for a ban on where a message goes; bans on networks and addresses are on where it comes from. */
const isRange = (subject: string): boolean => subject.startsWith("+");

interface SourceNotes {
  blocked: boolean;
  listed: boolean;
  suspicious: boolean;
  /** A hosting network or Tor. */
  rented: boolean;
}

/** Notes each finding about the source, and tells which kinds of them count. */
function noteSource({ signals, note }: Judging): SourceNotes {
  const counted = signals.source
    .map(({ finding, ...evidence }) => ({ finding, counts: note(finding, evidence) }))
    .flatMap(({ finding, counts }) => (counts ? finding : []));
  return {
    blocked: counted.includes("blocked_source"),
    listed: counted.includes("listed_source"),
    suspicious: counted.some((finding) => SUSPICIOUS_SOURCES.includes(finding)),
    rented: counted.some((finding) => RENTED_SOURCES.includes(finding)),
  };
}

const noteFailedAttempts = ({ signals, note }: Judging): boolean =>
  signals.failedAttemptsWaitSeconds > 0 &&
  note("failed_attempts", { wait_seconds: signals.failedAttemptsWaitSeconds });

function noteUnknownRange({ signals: { readings, unknownRanges }, note }: Judging): boolean {
  const prefix = readings.stranger.find(({ level }) => level.name === "prefix");
  const unknown = unknownRanges !== "as_usual" && (prefix?.earned ?? 0) === 0;
  return unknown && note("unknown_range", { prefix: prefix?.level.key ?? null });
}

/** Notes every demand for a fresh challenge; true where one of them counts. Policy and posture ask strangers alone. */
function noteChallengeDemands({ signals, risk, exposure, note }: Judging): boolean {
  const { challenged, distinctNumbers, readings, numberKnown, ownDevice } = signals;
  const challengeDemanded = numberKnown || ownDevice ? null : signals.challengeDemanded;
  const manyNumbers = isManyNumbers(distinctNumbers, risk.many_numbers, { readings, risk, exposure });
  return [
    challenged !== null && note("challenged", { ...challenged }),
    manyNumbers && note("many_numbers", { distinct_numbers: distinctNumbers }),
    challengeDemanded === "posture" && note("posture"),
    challengeDemanded === "policy" && note("challenge_policy"),
  ].some(Boolean);
}

/** True for more distinct numbers than the limit and what the address's answers add to it, unless it is proven. */
export function isManyNumbers(
  distinctNumbers: number,
  limit: number,
  { readings, risk, exposure }: { readings: LevelReadings; risk: RiskPolicy; exposure: ExposurePolicy },
): boolean {
  const allowed = limit + risk.numbers_per_answer * verificationsFromAddress(readings);
  return distinctNumbers > allowed && !isAddressProven(readings, exposure);
}

/** Strangers' answers from the address: of today, or of all days where those are more. */
export function verificationsFromAddress({ proven }: LevelReadings): number {
  const address = proven.find(({ level }) => level.name === "address");
  return address ? Math.max(address.verified / UNIT_HUNDREDTHS, address.earned) : 0;
}

interface PoolOffer {
  pool: BudgetPool;
  levels: LevelReading[];
}

/** The pools that need no challenge of their own: that of named numbers for such a number, then that of strangers. */
function firstPools(judging: Judging, suspicious: boolean): PoolOffer[] {
  const { readings, numberKnown } = judging.signals;
  const source = suspicious ? readings.suspicious : [];
  const named = [...readings.named, ...source, ...boundsOfAll(judging)];
  const stranger = [...levelsOfStranger(judging, suspicious), ...boundsOfAll(judging)];
  return [
    ...(numberKnown ? [{ pool: "named" as const, levels: named }] : []),
    { pool: "stranger" as const, levels: stranger },
  ];
}

/** The levels a stranger's message draws on: a suspicious source has its own budget in place of the country's. */
function levelsOfStranger(judging: Judging, suspicious: boolean): LevelReading[] {
  const { readings } = judging.signals;
  return [
    ...readings.stranger.filter(({ level }) => !(suspicious && level.name === "country")),
    ...(hasHistory(judging) ? [] : readings.unknown),
    ...(suspicious ? readings.suspicious : []),
  ];
}

function hasHistory({ signals: { readings }, exposure }: Judging): boolean {
  const country = readings.stranger.find(({ level }) => level.name === "country");
  return (country?.earned ?? 0) >= exposure.history_verified;
}

/** The bounds that hold in every pool but that of own devices: one number's unanswered messages, and a fresh number's. */
const boundsOfAll = (judging: Judging): LevelReading[] => [
  ...judging.signals.readings.person,
  ...freshLevels(judging),
];

/** The bounds of a fresh number: the messages to its range, and the money to such numbers. */
function freshLevels({ signals: { readings, freshNumber }, exposure }: Judging): LevelReading[] {
  return freshNumber ? [...readings.density, ...growthLevels(readings, exposure)] : [];
}

/** The budgets behind a fresh challenge: the second one, and the third for a stranger who was refused and comes back. */
function poolsAfterChallenge(judging: Judging): PoolOffer[] {
  const { signals, risk, exposure, note } = judging;
  const { distinctNumbers, numberKnown, ownDevice, readings } = signals;
  const manyNumbers =
    !(numberKnown || ownDevice) &&
    isManyNumbers(distinctNumbers, risk.many_numbers_challenged, { readings, risk, exposure }) &&
    note("many_numbers", { distinct_numbers: distinctNumbers });
  const pools = [
    ...(manyNumbers ? [] : ["challenged" as const]),
    ...(signals.returned ? ["returned" as const] : []),
  ];
  return pools.map((pool) => ({ pool, levels: [...readings[pool], ...boundsOfAll(judging)] }));
}

const fullLevels = ({ exposure }: Judging, levels: readonly LevelReading[]): LevelReading[] =>
  levels.filter((level) => !hasRoom(level, exposure));

/** True where every level has room for the message, or where used-up budgets do not count. Notes each that is used up. */
function takes(judging: Judging, levels: readonly LevelReading[]): boolean {
  const full = fullLevels(judging, levels);
  const counted = full.map((level) => judging.note("exposure", usedUpEvidence(level, judging.exposure)));
  return !counted.some(Boolean);
}

function usedUpEvidence(reading: LevelReading, exposure: ExposurePolicy): VerdictReason["evidence"] {
  return {
    level: reading.level.key,
    unverified: reading.unverified / UNIT_HUNDREDTHS,
    budget: budgetOf(reading, exposure) / UNIT_HUNDREDTHS,
    messages: reading.messages,
  };
}

/** True for an address with enough verifications to vouch for its next stranger: thousands of people share a carrier's. */
export function isAddressProven(readings: LevelReadings, exposure: ExposurePolicy): boolean {
  const address = readings.proven.find(({ level }) => level.name === "address");
  if (address === undefined) return false;
  const { verified, verified_ever } = exposure.proven;
  return address.verified >= verified * UNIT_HUNDREDTHS || address.earned >= verified_ever;
}
