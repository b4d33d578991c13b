/** A service in fast motion: seeded people and attackers, and the whole watch run once a minute over what they do. */
import { type Random, seededRandom } from "../../scripts/lab/world/random.ts";
import type { Posture } from "../../src/domain/kernel/posture.ts";
import { type Ban, type BanChanges, findBan, nextBans } from "../../src/domain/monitor/ban.ts";
import { cohortsOf, ratioOfCohorts } from "../../src/domain/monitor/cohorts.ts";
import { detectFindingsFromReadings } from "../../src/domain/monitor/detectors/detectors.ts";
import type { Finding } from "../../src/domain/monitor/finding.ts";
import { VERIFY_TIME } from "../../src/domain/monitor/histogram.ts";
import {
  answerCurve,
  foldQuarter,
  type History,
  QUARTER_MINUTES,
  type QuarterTally,
  quarterOfMinute,
  quartersToFold,
} from "../../src/domain/monitor/history.ts";
import { nextIncident } from "../../src/domain/monitor/incident.ts";
import type { MonitorPolicy } from "../../src/domain/monitor/monitor.policy.ts";
import { initialMonitorMemory, type MonitorMemory } from "../../src/domain/monitor/monitor-memory.ts";
import { nextPosture, type PostureControls } from "../../src/domain/monitor/posture.ts";
import {
  type Counts,
  type Metric,
  type MinuteTally,
  OVERALL_TALLY_KEY,
  sumTallies,
} from "../../src/domain/monitor/tally.ts";
import { policySchema } from "../../src/domain/policy.ts";

export const POLICY: MonitorPolicy = policySchema.shape.monitor.parse({});

/** A Monday at midnight (UTC). */
export const START = Math.floor(Date.UTC(2026, 0, 5) / 60_000);
export const DAY = 1440;

interface Message {
  /** Within its minute. */
  second: number;
  /** E.164 with a prefix of 7 and a block of 4 digits to go. */
  e164: string;
  country: string;
  asn: number;
  flow: string;
  /** Seconds to the right code; null when nobody types it. */
  answer: number | null;
}

/** Messages of one minute (since 1970). */
export type Traffic = (minute: number) => Message[];

interface Country {
  code: string;
  calling: string;
  share: number;
  /** Of people, not of messages. */
  converts: number;
}

/** Ten countries of unequal size; of their messages 60 to 80 % are answered, by country and hour. */
const COUNTRIES: readonly Country[] = (
  [
    ["IN", "91", 0.35, 0.74],
    ["BR", "55", 0.2, 0.78],
    ["GB", "44", 0.12, 0.8],
    ["ID", "62", 0.1, 0.71],
    ["MX", "52", 0.07, 0.75],
    ["DE", "49", 0.05, 0.8],
    ["FR", "33", 0.04, 0.77],
    ["VN", "84", 0.04, 0.71],
    ["KE", "25", 0.02, 0.73],
    ["PL", "48", 0.01, 0.78],
  ] as const
).map(([code, calling, share, converts]) => ({ code, calling, share, converts }));

/** Share of a day's messages by hour, from a low at 4 in the morning to a high at 19. */
const hourWeight = (hour: number): number => 1 - 0.85 * Math.cos(((hour - 4) / 24) * 2 * Math.PI);

/** How much better than its country's average an hour answers. */
const hourLift = (hour: number): number => 0.05 * Math.cos(((hour - 13) / 24) * 2 * Math.PI);

const SHARES = COUNTRIES.map(({ share }) => share);

const poisson = (random: Random, mean: number): number => {
  let [count, left] = [0, mean];
  for (left -= random.exponential(1); left > 0; left -= random.exponential(1)) count++;
  return count;
};

export interface HonestOptions {
  seed: string;
  perDay: number;
  /** By the day's number, for campaigns. */
  factor?: (day: number) => number;
}

/**
 * Honest people: nightly lows, quieter weekends; one in ten of those who succeed and three in ten of those who do not ask
 * once or twice more for the same number, a minute or two later.
 */
export function honest({ seed, perDay, factor = () => 1 }: HonestOptions): Traffic {
  const random = seededRandom(seed);
  const later = new Map<number, Message[]>();
  const people = perDay / 1.3;
  return (minute) => {
    const day = Math.floor((minute - START) / DAY);
    const hour = (minute % DAY) / 60;
    const weekend = day % 7 >= 5 ? 0.7 : 1;
    const mean = (people / DAY) * hourWeight(hour) * weekend * factor(day);
    const messages = later.get(minute) ?? [];
    later.delete(minute);
    for (let i = poisson(random, mean); i > 0; i--) {
      const country = COUNTRIES[random.weighted(SHARES)];
      if (!country) continue;
      const operator = Math.floor(random.next() ** 2 * 8);
      const converts = random.chance(country.converts + hourLift(hour));
      const message: Message = {
        second: random.int(60),
        e164: `+${country.calling}9${operator}0${random.digits(7)}`,
        country: country.code,
        asn: Number(country.calling) * 10 + Math.floor(random.next() ** 2 * 4),
        flow: random.pick(["signup", "signup", "signup", "login", "login", "recovery"]),
        answer: converts ? Math.min(590, random.lognormal(25, 0.7)) : null,
      };
      messages.push(message);
      const more = random.chance(converts ? 0.1 : 0.3) ? 1 + random.int(2) : 0;
      for (let again = 1; again <= more; again++) {
        const at = minute + again + random.int(2);
        const answer = message.answer === null ? null : Math.max(5, message.answer - 60 * again);
        later.set(at, [...(later.get(at) ?? []), { ...message, answer, second: random.int(60) }]);
      }
    }
    return messages;
  };
}

export interface PumpOptions {
  seed: string;
  fromMinute: number;
  minutes: number;
  perMinute: number;
  /** Of the numbers, without `+`; the rest to eleven digits is random. */
  range: string;
  country: string;
  asn: number;
  /** Share that types the code. */
  answers?: number;
}

/** Numbers that are asked for by a script. */
export function pump(options: PumpOptions): Traffic {
  const { seed, fromMinute, minutes, perMinute, range, country, asn, answers = 0 } = options;
  const random = seededRandom(seed);
  return (minute) => {
    if (minute < fromMinute || minute >= fromMinute + minutes) return [];
    return Array.from({ length: perMinute }, (_, i) => ({
      second: Math.floor((i * 60) / perMinute),
      e164: `+${range}${random.digits(12 - range.length)}`,
      country,
      asn,
      flow: "signup",
      answer: random.chance(answers) ? 30 : null,
    }));
  };
}

export const together =
  (...all: readonly Traffic[]): Traffic =>
  (minute) =>
    all.flatMap((traffic) => traffic(minute));

const PRICE_MICROS = 50_000;

/**
 * The counters of all minutes, with what has come in so far.
 *
 * @param fine blocks and hundreds are told apart
 */
function counters(fine: boolean) {
  const minutes = new Map<number, Map<string, Counts>>();
  const answers = new Map<number, { message: Message; minute: number }[]>();
  const people = new Map<string, Set<string>>();
  const tallyOf = (minute: number) => {
    const tally = minutes.get(minute) ?? new Map<string, Counts>();
    minutes.set(minute, tally);
    return tally;
  };
  const add = (tally: Map<string, Counts>, key: string, metric: Metric, amount: number) => {
    const counts = tally.get(key);
    if (counts) counts[metric] = (counts[metric] ?? 0) + amount;
    else tally.set(key, { [metric]: amount });
  };
  const coarse = new Map<string, string[]>();
  const keysOf = ({ e164, country, asn, flow }: Message) => {
    const prefix = e164.slice(0, -7);
    const place = `${prefix} ${asn} ${flow}`;
    const keys = coarse.get(place) ?? [
      OVERALL_TALLY_KEY,
      `country ${country}`,
      `prefix ${prefix}`,
      `network AS${asn}`,
      `flow ${flow}`,
      "provider sandbox",
    ];
    coarse.set(place, keys);
    return fine ? [...keys, `block ${e164.slice(0, -4)}`] : keys;
  };
  return {
    send(minute: number, message: Message) {
      const tally = tallyOf(minute);
      for (const key of keysOf(message)) {
        add(tally, key, "sent", 1);
        add(tally, key, "micros", PRICE_MICROS);
      }
      if (fine) add(tally, `hundred ${message.e164.slice(0, -2)}`, "sent", 1);
      const quarter = `${quarterOfMinute(minute)} ${message.asn}`;
      const numbers = people.get(quarter) ?? new Set();
      people.set(quarter, numbers.add(message.e164));
      const network = tally.get(`network AS${message.asn}`);
      if (network) network.numbers = numbers.size;
      if (message.answer === null) return;
      const seen = minute + Math.ceil((message.second + message.answer) / 60);
      answers.set(seen, [...(answers.get(seen) ?? []), { message, minute }]);
    },
    /** Books the answers that have come by the beginning of the minute, and forgets what nobody reads any more. */
    turn(minute: number) {
      for (const { message, minute: sentIn } of answers.get(minute) ?? []) {
        const tally = tallyOf(sentIn);
        for (const key of keysOf(message)) add(tally, key, "verified", 1);
        const bucket = VERIFY_TIME.ends.findIndex((end) => (message.answer ?? 0) <= end);
        add(tally, OVERALL_TALLY_KEY, `verified_by:${bucket}`, 1);
      }
      answers.delete(minute);
      minutes.delete(minute - 130);
    },
    window: (minute: number, length: number): MinuteTally[] =>
      Array.from({ length }, (_, i) => minute - length + 1 + i).map((at) => ({
        minute: at,
        tally: minutes.get(at) ?? new Map<string, Counts>(),
      })),
  };
}

export interface Run {
  minute: number;
  findings: readonly Finding[];
  posture: Posture;
  changes: BanChanges;
  memory: MonitorMemory;
  document: PostureControls | null;
}

export interface WatchState {
  memory: MonitorMemory | null;
  history: History | null;
  quarters: Map<number, QuarterTally>;
  document: PostureControls | null;
  blocks: readonly Ban[];
}

/**
 * Runs the watch once a minute, at the minute's beginning, as the cron does. Blocked messages do not leave, but for one
 * probe in `probe_seconds`; everything else does, for budgets are not simulated here.
 *
 * @param fine blocks of ten thousand numbers and their hundreds are told apart; with many honest messages hardly any block
 * gets a second one, and leaving them out saves most of the time
 * @param past what an earlier simulation learned
 * @param see is shown every run; true ends the simulation
 */
export function simulate(
  traffic: Traffic,
  minutes: { from: number; to: number },
  see: (run: Run) => boolean | undefined = () => undefined,
  { fine = true, past }: { fine?: boolean; past?: Pick<WatchState, "history" | "quarters"> } = {},
): WatchState {
  const policy = POLICY;
  const counted = counters(fine);
  const quarters = new Map(past?.quarters);
  const probed = new Map<string, number>();
  let history = past?.history ?? null;
  let memory: MonitorMemory | null = null;
  let document: PostureControls | null = null;
  let blocks: readonly Ban[] = [];
  let ids = 0;

  for (let minute = minutes.from; minute < minutes.to; minute++) {
    const nowMs = minute * 60_000;
    counted.turn(minute);
    memory ??= { ...initialMonitorMemory(nowMs), foldedTo: quarterOfMinute(minute) - 1 };
    const [ripe] = quartersToFold(memory.foldedTo, nowMs);
    if (ripe !== undefined) {
      const last = ripe * QUARTER_MINUTES + QUARTER_MINUTES - 1;
      const tally = sumTallies(counted.window(last, QUARTER_MINUTES).map((one) => one.tally));
      history = foldQuarter(history, { quarter: ripe, tally }, nowMs);
      quarters.set(ripe, {
        quarter: ripe,
        tally: new Map([[OVERALL_TALLY_KEY, tally.get(OVERALL_TALLY_KEY) ?? {}]]),
      });
      memory = { ...memory, foldedTo: ripe };
    }
    const window = counted.window(minute, policy.window_minutes);
    const here = quarterOfMinute(minute);
    const sameTime = [1, 2, 3, 4, 5, 6, 7].flatMap((day) =>
      [here - 96 * day - 1, here - 96 * day].flatMap((quarter) => quarters.get(quarter) ?? []),
    );
    const findings = detectFindingsFromReadings(
      {
        nowMs,
        minutes: window,
        history,
        sameTime,
        lately: [],
        spent: null,
        planDayMicros: null,
        incident: memory.incident,
      },
      policy,
    );
    const before: Posture = document !== null && nowMs < document.until_ms ? document.posture : "normal";
    const curve = answerCurve(history, policy.answer_curve);
    const decision = nextPosture(
      document,
      { findings, reading: ratioOfCohorts(cohortsOf(window, OVERALL_TALLY_KEY), nowMs, curve) },
      policy,
      nowMs,
    );
    if (decision.kind === "write") document = decision.document;
    if (decision.kind === "clear") document = null;
    const posture: Posture = document !== null && nowMs < document.until_ms ? document.posture : "normal";
    const next = nextBans(
      { bans: blocks, findings, memory: memory.blocked, minutes: window, operatorBans: [] },
      policy,
      nowMs,
    );
    blocks = next.blocks;
    const state = nextIncident(
      memory,
      {
        nowMs,
        findings,
        posture: { now: posture, before, by: "cron", why: document?.why ?? "healthy" },
        blocks: next.changes,
        minutes: window,
        curve,
      },
      policy,
      () => `incident${ids++}`,
    );
    memory = { ...memory, ...state, blocked: next.blocked, lastRunMs: nowMs };
    if (see({ minute, findings, posture, changes: next.changes, memory, document })) break;

    for (const message of traffic(minute)) {
      const shut = blocks.map((block) => ({ ...block, effect: "stop" as const }));
      const block = findBan(shut, "stop", { e164: message.e164, asn: message.asn, addressTags: [] }, nowMs);
      if (block !== null) {
        const probe = minute - (probed.get(block.subject) ?? 0) >= policy.blocks.probe_seconds / 60;
        if (!probe) continue;
        probed.set(block.subject, minute);
      }
      counted.send(minute, message);
    }
  }
  return { memory, history, quarters, document, blocks };
}

/** What a run over many minutes came to. */
function summary() {
  const sum = {
    elevated: 0,
    emergencies: 0,
    shut: [] as Ban[],
    incidents: new Set<string>(),
    kinds: {} as Record<string, number>,
    said: [] as string[],
  };
  let before: Posture = "normal";
  const see = ({ minute, posture, changes, memory, findings }: Run): undefined => {
    if (posture === "elevated" && before === "normal") sum.elevated++;
    if (posture === "emergency" && before !== "emergency") sum.emergencies++;
    if (posture !== before) {
      const worst = findings[0]?.says ?? "";
      sum.said.push(`${((minute - START) / DAY).toFixed(2)} ${before} -> ${posture} ${worst}`);
    }
    before = posture;
    sum.shut.push(...changes.blocked);
    if (memory.incident) sum.incidents.add(memory.incident.id);
    for (const { kind, severity } of findings) {
      sum.kinds[`${kind} ${severity}`] = (sum.kinds[`${kind} ${severity}`] ?? 0) + 1;
    }
  };
  return { sum, see };
}

/** Fourteen honest days with a five-fold one, the watch run in each of their minutes. */
export function fortnight(seed: string, perDay: number) {
  const { sum, see } = summary();
  const traffic = honest({ seed, perDay, factor: (day) => (day === 9 ? 5 : 1) });
  simulate(traffic, { from: START, to: START + 14 * DAY }, see, { fine: perDay < 10_000 });
  return sum;
}
