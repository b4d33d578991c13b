import { type Figures, openMetrics } from "../domain/watch/metrics.ts";
import type { Deps } from "../ports.ts";
import { listBlocks } from "./operate-blocks.ts";
import { standingsOf } from "./operate-posture.ts";

/** The figures as OpenMetrics text. A part that does not answer is left out, and told as `tollgate_source_up 0`. */
export async function readMetrics({
  policy,
  control,
  counters,
  watch,
  nowMs,
}: Pick<Deps, "policy" | "control" | "counters" | "watch" | "nowMs">): Promise<string> {
  const [documents, totals, left] = await Promise.all([control.documents(), counters.totals(), watch.look()]);
  const now = nowMs();
  const figures: Figures = {
    totals: totals.kind === "answered" ? totals.tally : null,
    currency: policy.money.currency,
    control: null,
    watch: null,
  };
  if (!("kind" in documents)) {
    const inForce = listBlocks(documents, now).filter((block) => block.inForce);
    const cron = inForce.filter(({ set }) => set === "cron").length;
    figures.control = {
      posture: standingsOf(documents, now).posture,
      blocks: { cron, operator: inForce.length - cron },
    };
  }
  if (left.kind === "answered") {
    figures.watch = {
      lastRunMs: left.memory?.lastRunMs ?? null,
      incidentOpen: left.memory?.incident != null,
    };
  }
  return openMetrics(figures);
}
