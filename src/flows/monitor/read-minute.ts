import { spendMeters } from "../../domain/delivery/money.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import type { ControlDocuments } from "../../domain/monitor/effective-control.ts";
import {
  foldQuarter,
  QUARTER_MINUTES,
  type QuarterTally,
  quarterOfMinute,
  quartersToFold,
} from "../../domain/monitor/history.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import { initialMonitorMemory, type MonitorMemory } from "../../domain/monitor/monitor-memory.ts";
import { type MonitorView, viewCounts } from "../../domain/monitor/monitor-view.ts";
import { type MinuteTally, OVERALL_TALLY_KEY, sumTallies } from "../../domain/monitor/tally.ts";
import type { Deps } from "../../ports/deps.ts";
import type { MonitorStatePort } from "../../ports/monitor.ts";

type Begun = Extract<Awaited<ReturnType<MonitorStatePort["begin"]>>, { kind: "begun" }>;

/** Everything one run of the monitor judges. */
export interface MinuteRead {
  kind: "read";
  nowMs: number;
  memory: MonitorMemory;
  documents: ControlDocuments;
  /** The window's counters, those that people have judged already included. */
  minutes: readonly MinuteTally[];
  /** The quarter of an hour that became part of the history in this run; null when none did. */
  quarter: QuarterTally | null;
  /** The counters that are still to be judged, made ready for the detectors. */
  view: MonitorView;
}

/** The counters or the control documents did not answer. */
export interface MinuteUnreadable {
  kind: "unreadable";
  memory: MonitorMemory;
  cause: string;
}

/** Reads the counters, the control documents, the history and the spend meters of one run. */
export async function readMinute(
  deps: Deps,
  begun: Begun,
  nowMs: number,
): Promise<MinuteRead | MinuteUnreadable> {
  const { policy, counters, control } = deps;
  // Without its memory the monitor may have forgotten an open incident.
  const memory = begun.memory ?? { ...initialMonitorMemory(nowMs), incident: await readOpenIncident(deps) };
  const [window, documents, quarter] = await Promise.all([
    counters.window(minuteOf(nowMs), policy.monitor.window_minutes),
    control.documents(),
    readDueQuarter(deps, memory, nowMs),
  ]);
  if (window.kind === "unavailable") return { kind: "unreadable", memory, cause: window.cause };
  if ("kind" in documents) return { kind: "unreadable", memory, cause: "KV does not answer" };
  const history = quarter ? foldQuarter(begun.history, quarter, nowMs) : begun.history;
  const judgedTo = minuteOf(documents.operator?.judged_ms ?? 0);
  const view = viewCounts(
    {
      nowMs,
      minutes: window.minutes.filter(({ minute }) => minute > judgedTo),
      history,
      sameTime: begun.sameTime,
      lately: await readOutcomeQuarters(deps, history?.subjects[OVERALL_TALLY_KEY] ?? {}, nowMs),
      spent: await readSpent(deps),
      planDayMicros: policy.money.plan_day_micros,
      incident: memory.incident,
    },
    policy.monitor,
  );
  return { kind: "read", nowMs, memory, documents, minutes: window.minutes, quarter, view };
}

/** The latest recorded incident, if it is open. */
export async function readOpenIncident({ records }: Pick<Deps, "records">): Promise<Incident | null> {
  const read = await records.incidents(1);
  const [latest] = read.kind === "answered" ? read.incidents : [];
  return latest?.closedAtMs === null ? latest : null;
}

/** The next quarter of an hour that is over and not yet in the history; one a run, so that a run stays short. */
async function readDueQuarter(
  { counters }: Deps,
  { foldedTo }: MonitorMemory,
  nowMs: number,
): Promise<QuarterTally | null> {
  const [quarter] = quartersToFold(foldedTo, nowMs);
  if (quarter === undefined) return null;
  const last = (quarter + 1) * QUARTER_MINUTES - 1;
  const read = await counters.window(last, QUARTER_MINUTES);
  if (read.kind === "unavailable") return null;
  return { quarter, tally: sumTallies(read.minutes.map(({ tally }) => tally)) };
}

/** Quarters over twice the outcomes' window; none where nobody reports outcomes. */
async function readOutcomeQuarters(
  { monitorState, policy }: Deps,
  past: Readonly<Record<string, number | undefined>>,
  nowMs: number,
): Promise<readonly QuarterTally[]> {
  if (!Object.keys(past).some((metric) => metric.startsWith("outcome:"))) return [];
  const to = quarterOfMinute(minuteOf(nowMs));
  const from = to - Math.ceil((2 * policy.monitor.outcomes.window_minutes) / QUARTER_MINUTES);
  const read = await monitorState.quarters(from, to);
  return read.kind === "answered" ? read.quarters : [];
}

/** Spend of this UTC hour and day; null while the meters do not answer. */
async function readSpent({ budgets, policy }: Deps): Promise<MonitorView["spent"]> {
  const [hour, day] = spendMeters(policy.money, "", 0, true);
  if (!hour || !day) throw new Error("spend has an hour and a day");
  const read = await budgets.read([], [hour, day]);
  if (read.kind === "unavailable") return null;
  return { hourMicros: read.totals[0] ?? 0, dayMicros: read.totals[1] ?? 0 };
}
