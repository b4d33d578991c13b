/**
 * Plays a trace against a rule on a virtual clock. For every event: the person asks; answers a challenge, then a step-up,
 * as the trace says; types wrong codes, then the right one, if a message left. Between events, in order of time: what is
 * due, and the cron every virtual minute.
 */

import type { Adversary } from "../adversary/adversary.ts";
import type { Rule, SendOutcome } from "../rule.ts";
import type { TraceEvent } from "../trace.ts";
import { type Asking, askings, PATIENCE_SECONDS } from "./askings.ts";
import { countHonest, sortKeys } from "./count-people.ts";
import { attackBooks } from "./profit.ts";
import { percent, type RuleReport } from "./report.ts";
import { type Fate, recordSeries, type Series } from "./series.ts";
import { timeline } from "./timeline.ts";
import { watchReadings } from "./watch.ts";

/** Monday, 5 January 2026, midnight UTC: every trace starts then. */
export const START_MS = Date.UTC(2026, 0, 5);
const MINUTE = 60;
/** Ids of an adversary's requests begin so. */
const ADVERSARY_PREFIX = "x";

export interface PlayOptions {
  /** Only events from here on count; the days before are learning. */
  fromSeconds: number;
  /** About where the trace ends: sets the width of the plots' buckets. */
  toSeconds: number;
  /** Called now and then with the number of events played. */
  onProgress?: (events: number) => void;
  /** Someone who decides as they go what to ask for next; beside the trace. */
  adversary?: Adversary | null;
  /** Minutes between two runs of the cron before anything counts; 1 is what the product does. */
  learningCronMinutes?: number;
}

export interface Run {
  report: RuleReport;
  series: Series;
}

/** A code that somebody is about to type. */
interface Typing {
  event: TraceEvent;
  asking: Asking;
  ref: string;
  right: boolean;
}

interface Tally {
  requests: number;
  left: number;
  answered: number;
  costMicros: number;
  refusals: Record<string, number>;
  reasons: Record<string, number>;
}

/** Plays the whole trace and everything it sets in motion. */
export async function play(
  trace: Iterable<TraceEvent> | AsyncIterable<TraceEvent>,
  rule: Rule,
  { fromSeconds, toSeconds, onProgress, adversary = null, learningCronMinutes = 1 }: PlayOptions,
): Promise<Run> {
  const people = askings();
  const due = timeline<Typing>();
  const watch = watchReadings(fromSeconds);
  const recorder = recordSeries(fromSeconds, toSeconds);
  const tallies = { attack: newTally(), honest: newTally() };
  let attackStartedAt: number | null = null;
  let nextMinute = MINUTE;
  const ledger = attackBooks(adversary?.sims ?? 0);

  const advanceTo = async (seconds: number): Promise<void> => {
    for (;;) {
      const typingAt = due.nextAt();
      if (Math.min(nextMinute, typingAt) > seconds) return;
      if (nextMinute <= typingAt) {
        await rule.minute?.(msOf(nextMinute));
        const readings = rule.readings();
        watch.look(nextMinute, readings, tallies.attack.left);
        recorder.reading(nextMinute, readings);
        nextMinute += nextMinute < fromSeconds ? learningCronMinutes * MINUTE : MINUTE;
      } else {
        const typing = due.take();
        if (typing) await typeCode(typing, typingAt);
      }
    }
  };

  const typeCode = async ({ event, asking, ref, right }: Typing, seconds: number): Promise<void> => {
    if (asking.done) return;
    if (!right) return rule.wrongCode?.(event, ref, msOf(seconds));
    if (!(await rule.verified(event, ref, msOf(seconds)))) return;
    people.verified(event, asking);
    recorder.answered(event.label, event.t);
    if (event.t < fromSeconds) return;
    tallies[event.label].answered++;
    if (event.label === "attack") ledger.answered();
  };

  const ask = async (event: TraceEvent, asking: Asking): Promise<void> => {
    const { outcome, challenged, solved, steppedUp } = await climb(rule, event);
    asking.challenged ||= challenged;
    asking.steppedUp ||= steppedUp;
    const fate = fateOf(outcome, event);
    const costMicros = outcome.kind === "left" ? outcome.costMicros : 0;
    noteFate(asking, event, fate, outcome);
    if (outcome.kind === "left") planTyping(due, event, asking, outcome.ref);
    recorder.request(event, fate, costMicros);
    if (event.id.startsWith(ADVERSARY_PREFIX)) adversary?.heard(event, outcome, solved);
    if (event.t < fromSeconds) return;
    const tally = tallies[event.label];
    tally.requests++;
    tally.costMicros += costMicros;
    if (fate === "left") tally.left++;
    else if (fate !== "stepped_up") {
      const reason = outcome.kind === "refused" ? outcome.reason : `${outcome.kind}_failed`;
      tally.refusals[reason] = (tally.refusals[reason] ?? 0) + 1;
    }
    for (const reason of outcome.kind === "left" ? [] : (outcome.reasons ?? [])) {
      tally.reasons[reason] = (tally.reasons[reason] ?? 0) + 1;
    }
    if (event.label !== "attack") return;
    attackStartedAt ??= event.t;
    ledger.asked(event, outcome, solved);
  };

  const adversaryUntil = async (seconds: number): Promise<void> => {
    for (let at = adversary?.nextAt() ?? seconds; adversary && at < seconds; at = adversary.nextAt()) {
      await advanceTo(at);
      const event = adversary.act();
      const asking = people.join(event);
      if (asking) await ask(event, asking);
      else adversary.heard(event, { kind: "refused", reason: "done" }, false);
    }
  };

  let played = 0;
  for await (const event of trace) {
    await adversaryUntil(event.t);
    await advanceTo(event.t);
    const asking = people.join(event);
    if (asking) await ask(event, asking);
    if (++played % 500 === 0) onProgress?.(played);
  }
  await adversaryUntil(toSeconds);
  while (Number.isFinite(due.nextAt())) await advanceTo(due.nextAt());

  const counted = people.all().filter((one) => one.label === "honest" && one.firstAt >= fromSeconds);
  const { attack, honest } = tallies;
  const report: RuleReport = {
    rule: rule.name,
    attack: {
      requests: attack.requests,
      left: attack.left,
      cost_micros: attack.costMicros,
      leak_percent: percent(attack.left, attack.requests),
      answered: attack.answered,
      started_seconds: attackStartedAt,
      ...ledger.books(),
    },
    honest: {
      ...countHonest(counted),
      requests: honest.requests,
      left: honest.left,
      answered: honest.answered,
      cost_micros: honest.costMicros,
    },
    refusals: { attack: sortKeys(attack.refusals), honest: sortKeys(honest.refusals) },
    reasons: { attack: sortKeys(attack.reasons), honest: sortKeys(honest.reasons) },
    detection: watch.detection,
  };
  return { report, series: recorder.series };
}

const msOf = (seconds: number): number => START_MS + Math.round(seconds * 1000);

const newTally = (): Tally => ({
  requests: 0,
  left: 0,
  answered: 0,
  costMicros: 0,
  refusals: {},
  reasons: {},
});

/**
 * Asks, and climbs the ladder as far as this person can: a fresh challenge first, then another factor, which may also do
 * instead of a challenge that was not passed.
 */
async function climb(rule: Rule, event: TraceEvent) {
  const nowMs = msOf(event.t);
  let outcome: SendOutcome = await rule.send(event, { freshCaptcha: false }, nowMs);
  const challenged = outcome.kind === "challenge";
  const solved = challenged && event.captcha === "pass";
  if (solved) {
    outcome = await rule.send(event, { freshCaptcha: true }, nowMs);
  }
  if (outcome.kind === "challenge" && outcome.orStepUp && event.step_up === "pass") {
    outcome = { kind: "step_up", reasons: outcome.reasons ?? [] };
  }
  return { outcome, challenged, solved, steppedUp: outcome.kind === "step_up" };
}

/** What the request's fate makes of its person. */
function noteFate(asking: Asking, event: TraceEvent, fate: Fate, outcome: SendOutcome): void {
  if (fate === "left" || fate === "stepped_up") {
    asking.servedAt ??= event.t;
    asking.refusedFor = null;
    asking.reached ||= fate === "stepped_up" || event.arrives !== false;
    asking.done ||= fate === "stepped_up";
  } else if (event.t - asking.firstAt <= PATIENCE_SECONDS) {
    const reasons = outcome.kind === "left" ? [] : (outcome.reasons ?? []);
    const answer = outcome.kind === "refused" ? outcome.reason : outcome.kind;
    asking.refusedFor = reasons.length > 0 ? reasons : [answer];
  }
}

function fateOf(outcome: SendOutcome, event: TraceEvent): Fate {
  if (outcome.kind === "left") return "left";
  if (outcome.kind === "challenge") return "challenge_failed";
  return outcome.kind === "step_up" && event.step_up === "pass" ? "stepped_up" : "refused";
}

/** Wrong codes come evenly spread before the right one, or 20 s apart when there will be none. */
function planTyping(
  due: ReturnType<typeof timeline<Typing>>,
  event: TraceEvent,
  asking: Asking,
  ref: string,
): void {
  const { t, verify_after: verifyAfter, wrong_first: wrongs } = event;
  const step = verifyAfter === null ? 20 : verifyAfter / (wrongs + 1);
  for (let wrong = 1; wrong <= wrongs; wrong++) {
    due.add(t + wrong * step, { event, asking, ref, right: false });
  }
  if (verifyAfter !== null) due.add(t + verifyAfter, { event, asking, ref, right: true });
}
