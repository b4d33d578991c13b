/**
 * The state of the service for people: posture, the monitor, the last window, money, the open incident. Each part is read on
 * its own; what does not answer is null and named among the faults, and the posture needs KV alone.
 */

import { spendMeters } from "../../../domain/delivery/money.ts";
import type { Posture } from "../../../domain/kernel/posture.ts";
import { HOUR_MS, minuteOf } from "../../../domain/kernel/time.ts";
import { type RatioReading, ratioOfCohorts } from "../../../domain/monitor/cohorts.ts";
import {
  isStopInEffect,
  type ListedBan,
  listBans,
  type PostureDocuments,
  postureDocumentsOf,
} from "../../../domain/monitor/effective-control.ts";
import { histogramQuantile, VERIFY_TIME } from "../../../domain/monitor/histogram.ts";
import type { Incident } from "../../../domain/monitor/incident.ts";
import type { MonitorMemory } from "../../../domain/monitor/monitor-memory.ts";
import type { PostureControls } from "../../../domain/monitor/posture.ts";
import { addCounts, type Counts, type MinuteTally, tallyKey } from "../../../domain/monitor/tally.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";

interface PostureState {
  posture: Posture;
  /** The document that decides on the posture; null on a normal day. */
  deciding: PostureControls | null;
  operator: PostureControls | null;
  cron: PostureControls | null;
  /** The number of bans in effect by the monitor and by people, and of challenges and exemptions by people. */
  bans: { cron: number; operator: number; challenged: number; exempt: number };
}

interface MonitorHealth {
  /** null before the first run. */
  lastRunMs: number | null;
  ageSeconds: number | null;
  late: boolean;
  lastFailure: string;
  incident: Incident | null;
  alertsThisHour: { sent: number; heldBack: number };
}

export interface WindowState extends RatioReading {
  minutes: number;
  spentMicros: number;
  /** At the window's rate. */
  perHourMicros: number;
  wrongCodes: number;
  delivered: number;
  undelivered: number;
  rejected: number;
  refused: number;
  /** By problem code. */
  refusedBy: Record<string, number>;
  challenged: number;
  passed: number;
  turnedAway: number;
  /** Time to verify, in seconds. */
  medianSeconds: number | null;
  p95Seconds: number | null;
  /** One entry a minute, the oldest first. */
  perMinute: { minute: number; sent: number; verified: number }[];
}

export interface SpendState {
  hourMicros: number;
  dayMicros: number;
  monthMicros: number;
}

export interface ServiceState {
  nowMs: number;
  posture: PostureState | null;
  monitor: MonitorHealth | null;
  window: WindowState | null;
  spend: SpendState | null;
  /** The parts that could not be read, in words. */
  faults: string[];
}

const ALL = tallyKey("overall", "all");

export async function readState(
  deps: Pick<Deps, "policy" | "control" | "counters" | "monitorState" | "budgets" | "nowMs">,
): Promise<ServiceState> {
  const { policy, control, counters, monitorState, budgets } = deps;
  const nowMs = deps.nowMs();
  const { window_minutes, answer_curve, late_after_minutes } = policy.monitor;
  const [documents, left, counted, spent] = await Promise.all([
    control.documents(),
    monitorState.look(),
    counters.window(minuteOf(nowMs), window_minutes, ["overall"]),
    budgets.read([], spendMeters(policy.money, "", 0, false)),
  ]);
  const faults: string[] = [];
  const answered = <T extends object>(part: string, answer: T | Unavailable): answer is T => {
    if (!("kind" in answer) || answer.kind !== "unavailable") return true;
    faults.push(`${part}: ${(answer as Unavailable).cause}`);
    return false;
  };
  const state: ServiceState = { nowMs, posture: null, monitor: null, window: null, spend: null, faults };
  if (answered("control", documents) && !("kind" in documents)) {
    faults.push(...documents.faults);
    state.posture = postureState(postureDocumentsOf(documents, nowMs), listBans(documents, nowMs));
  }
  if (answered("watch", left) && left.kind === "answered") {
    state.monitor = monitorHealth(left.memory, nowMs, late_after_minutes);
  }
  if (answered("counters", counted) && counted.kind === "answered") {
    state.window = windowState(counted.minutes, nowMs, answer_curve);
  }
  if (answered("spend", spent) && spent.kind === "answered") {
    const [hourMicros = 0, dayMicros = 0, monthMicros = 0] = spent.totals;
    state.spend = { hourMicros, dayMicros, monthMicros };
  }
  return state;
}

function postureState(
  { operator, cron, posture }: PostureDocuments,
  blocks: readonly ListedBan[],
): PostureState {
  const count = (holds: (block: ListedBan) => boolean) => blocks.filter(holds).length;
  return {
    posture,
    deciding: operator ?? cron,
    operator,
    cron,
    bans: {
      cron: count((block) => block.set === "cron" && isStopInEffect(block)),
      operator: count((block) => block.set === "operator" && isStopInEffect(block)),
      challenged: count(({ effect }) => effect === "challenge"),
      exempt: count(({ effect }) => effect === "exempt"),
    },
  };
}

function monitorHealth(memory: MonitorMemory | null, nowMs: number, lateAfterMinutes: number): MonitorHealth {
  const lastRunMs = memory?.lastRunMs ?? null;
  const ageSeconds = lastRunMs === null ? null : Math.max(0, Math.round((nowMs - lastRunMs) / 1000));
  const hour = memory?.hour.hour === Math.floor(nowMs / HOUR_MS) ? memory.hour : { sent: 0, heldBack: 0 };
  return {
    lastRunMs,
    ageSeconds,
    late: ageSeconds === null || ageSeconds > lateAfterMinutes * 60,
    lastFailure: memory?.lastFailure ?? "",
    incident: memory?.incident ?? null,
    alertsThisHour: { sent: hour.sent, heldBack: hour.heldBack },
  };
}

/** The figures of a window over everything. */
function windowState(
  minutes: readonly MinuteTally[],
  nowMs: number,
  curve: Parameters<typeof ratioOfCohorts>[2],
): WindowState {
  const counts: Counts = {};
  for (const { tally } of minutes) addCounts(counts, tally.get(ALL) ?? {});
  const perMinute = minutes.map(({ minute, tally }) => {
    const { sent = 0, verified = 0 } = tally.get(ALL) ?? {};
    return { minute, sent, verified };
  });
  const spentMicros = counts.micros ?? 0;
  const refusals = Object.entries(counts).filter(([metric]) => metric.startsWith("refused:"));
  return {
    ...ratioOfCohorts(perMinute, nowMs, curve),
    minutes: minutes.length,
    spentMicros,
    perHourMicros: minutes.length === 0 ? 0 : Math.round((spentMicros * 60) / minutes.length),
    wrongCodes: counts.wrong_codes ?? 0,
    delivered: counts.delivered ?? 0,
    undelivered: counts.undelivered ?? 0,
    rejected: counts.rejected ?? 0,
    refused: counts.refused ?? 0,
    refusedBy: Object.fromEntries(
      refusals.map(([metric, count = 0]) => [metric.slice("refused:".length), count]),
    ),
    challenged: counts.challenged ?? 0,
    passed: counts.passed ?? 0,
    turnedAway: counts.turned_away ?? 0,
    medianSeconds: histogramQuantile(counts, VERIFY_TIME, 0.5),
    p95Seconds: histogramQuantile(counts, VERIFY_TIME, 0.95),
    perMinute,
  };
}
