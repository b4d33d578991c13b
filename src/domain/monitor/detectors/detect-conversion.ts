/** Detectors of unanswered messages: overall, and by destination, network, flow or provider. */
import { MINUTE_MS } from "../../kernel/time.ts";
import type { Finding } from "../finding.ts";
import { usualSent, usualTraffic } from "../history.ts";
import type { MonitoredSubject, MonitorView } from "../monitor-view.ts";
import type { Dimension } from "../tally.ts";
import { OVERALL_TALLY_KEY } from "../tally.ts";
import { probabilityAtMost } from "./chance.ts";
import { likeliestFall } from "./collapse.ts";

/**
 * Fewer messages than these are never a collapse. A dozen unanswered in a row comes once in 60,000 dozens even in the worst
 * honest hours, when only 60 % are verified.
 */
const LEAST_MESSAGES = 12;

/** Unknown destinations may convert worse than the average: this share of it is taken for usual there. */
const UNKNOWN_DESTINATION = 0.75;

/**
 * The score that a collapse must exceed: higher with every test of this minute, and with every message of a window that could
 * begin a run of misses. Misses come in bunches, because people without a code ask again, so long runs are more frequent than
 * among independent messages; the exponents make up for that, as measured on simulated people.
 */
const thresholdOf = (falseAlarm: number, tests: number, usualMessages: number): number =>
  -Math.log(falseAlarm) + 1.5 * Math.log(tests) + 2.5 * Math.log(1 + usualMessages);

/** A verification of three days ago is worth this much; a history with less has none. */
const HALF_AN_ANSWER = 0.5;

/** The highest share taken for usual: hours and weeks differ, so a better average is not relied on. */
const MOST_USUAL = 0.75;

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Below this probability chance is ruled out, and the finding is an emergency. */
const NO_CHANCE = 1e-8;

/** Messages per person who does not get through; only so many times fewer messages are independent. */
const REPEATS = 1.45;

/**
 * Overall conversion too low: below `alarm_ratio` with more than `min_sends` due in the window (once there is an incident
 * with it, below `clear_ratio`); or the same since some minute within the window, when the collapse test confirms it, so that
 * a fall is not hidden by what came before. An emergency, or `elevated` as long as it could be chance: with 31
 * messages due, 29 % may be a bad quarter of an hour, 13 % is none.
 *
 * False alarms: of 31 due messages that 70 % of people answer, fewer than 30 % are answered once in 300,000 windows, at 60 %
 * once in 2,000, and ten times as often when people ask again: at 5,000 messages a day about one `elevated` in four weeks.
 * An emergency needs a chance below one in 100 million against the usual conversion; none was seen in simulated honest days.
 */
export function detectLowConversion(view: MonitorView): Finding[] {
  const { reading, policy, incident, history } = view;
  const usualShare = Math.min(MOST_USUAL, usualTraffic(history, OVERALL_TALLY_KEY).share);
  const open =
    incident?.closedAtMs === null && incident.findings.some(({ kind }) => kind === "conversion_low");
  const ill = open ? policy.clear_ratio : policy.alarm_ratio;
  const fall = likeliestFall(
    view.cohorts(OVERALL_TALLY_KEY),
    { usualShare, fallenShare: usualShare * policy.collapse.to_share, least: LEAST_MESSAGES },
    view.ripe,
  );
  const low = reading.due > policy.min_sends && (reading.ratio ?? 1) < ill;
  const fallen =
    fall !== null &&
    fall.due > policy.min_sends &&
    fall.verified / fall.due < policy.alarm_ratio &&
    fall.score >
      thresholdOf(
        policy.collapse.false_alarm ** 2,
        1,
        usualSent(history, OVERALL_TALLY_KEY, policy.window_minutes),
      );
  if (!low && !fallen) return [];
  const { sent, verified, due } = fallen ? fall : reading;
  const share = verified / due;
  const chance = probabilityAtMost(Math.round(verified / REPEATS), Math.round(due / REPEATS), usualShare);
  return [
    {
      kind: "conversion_low",
      subject: OVERALL_TALLY_KEY,
      severity: fallen || chance < NO_CHANCE ? "emergency" : "elevated",
      says: `${verified} of ${sent} messages verified: ${percent(share)} of those due, usually ${percent(usualShare)}`,
      evidence: {
        sent,
        verified,
        due: Math.round(due),
        ratio: round(share),
        usual_ratio: round(usualShare),
        since_ms: fall === null || fall.score <= 0 ? null : fall.sinceMinute * MINUTE_MS,
      },
      block: false,
    },
  ];
}

/**
 * The consequences of a collapse by dimension. A flow or a country cannot be banned, and a provider's collapse is for its owner
 * and no sign of an attack.
 */
const COLLAPSES: Partial<Record<Dimension, Pick<Finding, "severity" | "block">>> = {
  country: { severity: "elevated", block: false },
  flow: { severity: "elevated", block: false },
  provider: { severity: "notice", block: false },
  prefix: { severity: "elevated", block: true },
  block: { severity: "elevated", block: true },
  // Behind a known network are its people; a script among them is banned by range, and found by its challenges.
  network: { severity: "elevated", block: false },
};

/** A subject that a collapse test is made of. */
interface CollapseCandidate {
  subject: MonitoredSubject;
  consequence: Pick<Finding, "severity" | "block">;
  /** Messages in its history, where that holds no verification either; else 0. */
  silentBefore: number;
  /** It has too little history to have a conversion of its own. */
  unknown: boolean;
}

/**
 * Conversion of one country, range, network, flow or provider that collapsed against its own history; and ranges and
 * networks with little history in which enough messages found nobody, be it over days.
 *
 * False alarms, measured on fortnights of simulated people who ask again when they do not get through, 60 to 80 % by country
 * and hour, with a five-fold day: one `elevated` in eight fortnights at 1,000 messages a day, about one in two at 5,000, one in
 * four at 50,000. The bound behind it, by Ville's inequality: a run of misses beginning at a given message
 * passes with chance `collapse.false_alarm` divided by more than the tests of the minute and the beginnings in a window.
 */
export function detectConversionCollapses(view: MonitorView): Finding[] {
  const { history, policy } = view;
  const candidates = view.subjects.flatMap((subject) => collapseCandidate(view, subject));
  return candidates.flatMap((candidate) => {
    const usualMessages = usualSent(history, candidate.subject.key, policy.window_minutes);
    const threshold = thresholdOf(policy.collapse.false_alarm, candidates.length, usualMessages);
    return candidate.unknown ? silence(view, candidate, threshold) : collapse(view, candidate, threshold);
  });
}

function collapseCandidate({ history, policy }: MonitorView, subject: MonitoredSubject): CollapseCandidate[] {
  const consequence = COLLAPSES[subject.dimension];
  const { sent } = subject.sums;
  const past = history?.subjects[subject.key];
  if (consequence === undefined || sent === 0 || (past === undefined && sent < LEAST_MESSAGES)) return [];
  const { sent: pastSent = 0, verified: pastVerified = 0 } = past ?? {};
  const silentBefore = pastVerified < HALF_AN_ANSWER ? pastSent : 0;
  const unknown = pastSent < policy.collapse.history_sent || silentBefore > 0;
  const enough = sent + silentBefore >= LEAST_MESSAGES;
  const mayBeSilent = consequence.block || subject.dimension === "network";
  return enough && (mayBeSilent || !unknown) ? [{ subject, consequence, silentBefore, unknown }] : [];
}

/** A subject with a history whose conversion fell against it. */
function collapse(
  { history, policy, ripe, cohorts }: MonitorView,
  { subject, consequence }: CollapseCandidate,
  threshold: number,
): Finding[] {
  const { key, dimension, name } = subject;
  const usualShare = Math.min(MOST_USUAL, usualTraffic(history, key).share);
  const fallenShare = usualShare * policy.collapse.to_share;
  const fall = likeliestFall(cohorts(key), { usualShare, fallenShare, least: LEAST_MESSAGES }, ripe);
  if (fall === null || fall.score <= threshold) return [];
  const { sent, verified, due, sinceMinute, score } = fall;
  return [
    {
      kind: "conversion_collapse",
      subject: key,
      ...consequence,
      says: `${dimension} ${name}: ${verified} of ${sent} messages verified, usually ${percent(usualShare)}`,
      evidence: {
        sent,
        verified,
        due: Math.round(due),
        usual_ratio: round(usualShare),
        score: round(score),
        threshold: round(threshold),
        since_ms: sinceMinute * MINUTE_MS,
      },
    },
  ];
}

/**
 * A range or network with little history and no verification. Silence that adds up over days bans it and only notifies people.
 */
function silence(
  { history, policy, ripe, cohorts }: MonitorView,
  { subject, silentBefore }: CollapseCandidate,
  threshold: number,
): Finding[] {
  const { key, dimension, name, sums } = subject;
  if (sums.verified > 0) return [];
  const usualShare = UNKNOWN_DESTINATION * usualTraffic(history, OVERALL_TALLY_KEY).share;
  const fallenShare = usualShare * policy.collapse.to_share;
  const fall = likeliestFall(cohorts(key), { usualShare, fallenShare, least: 1 }, ripe);
  if (fall === null) return [];
  const pastScore = silentBefore * Math.log((1 - fallenShare) / (1 - usualShare));
  if (fall.score + pastScore <= threshold) return [];
  return [
    {
      kind: "conversion_collapse",
      subject: key,
      severity: fall.score > threshold ? "elevated" : "notice",
      says: `${dimension} ${name}: ${fall.sent} messages now and ${Math.round(silentBefore)} before, none verified`,
      evidence: {
        sent: fall.sent,
        verified: 0,
        due: Math.round(fall.due),
        silent_before: Math.round(silentBefore),
        score: round(fall.score + pastScore),
        threshold: round(threshold),
        since_ms: fall.sinceMinute * MINUTE_MS,
      },
      block: true,
    },
  ];
}

const round = (value: number): number => Math.round(value * 100) / 100;
