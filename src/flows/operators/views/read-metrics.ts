import { isStopInEffect, listBans, postureDocumentsOf } from "../../../domain/monitor/effective-control.ts";
import { type MetricFigures, openMetricsText } from "../../../domain/monitor/metrics.ts";
import type { Deps } from "../../../ports/deps.ts";
import { readWorstCaseBound } from "./read-worst-case-bound.ts";

/** The figures as OpenMetrics text. A part that does not answer is left out, and shown as `tollgate_source_up 0`. */
export async function readMetrics({
  policy,
  control,
  counters,
  monitorState,
  budgets,
  prices,
  nowMs,
}: Pick<
  Deps,
  "policy" | "control" | "counters" | "monitorState" | "budgets" | "prices" | "nowMs"
>): Promise<string> {
  const [documents, totals, left, bound] = await Promise.all([
    control.documents(),
    counters.totals(),
    monitorState.look(),
    readWorstCaseBound({ policy, prices, budgets, nowMs }),
  ]);
  const now = nowMs();
  const figures: MetricFigures = {
    totals: totals.kind === "answered" ? totals.tally : null,
    currency: policy.money.currency,
    control: null,
    watch: null,
    boundMicros: bound.kind === "answered" ? bound.mostMicros : null,
  };
  if (!("kind" in documents)) {
    const listed = listBans(documents, now);
    const bans = listed.filter(isStopInEffect);
    const cron = bans.filter(({ set }) => set === "cron").length;
    const challenged = listed.filter(({ effect }) => effect === "challenge").length;
    figures.control = {
      posture: postureDocumentsOf(documents, now).posture,
      blocks: { cron, operator: bans.length - cron, challenged },
    };
  }
  if (left.kind === "answered") {
    figures.watch = {
      lastRunMs: left.memory?.lastRunMs ?? null,
      incidentOpen: left.memory?.incident != null,
    };
  }
  return openMetricsText(figures);
}
