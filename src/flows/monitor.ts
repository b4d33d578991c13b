/**
 * The minute's watch: reads the cohorts of the last window, measures how many messages were answered, and raises,
 * extends or takes down the emergency flag. When the counters are silent nothing changes and the log says so: a blind
 * watch must neither call an attack nor end one.
 */
import { minuteOf, readRatio } from "../domain/watch/cohorts.ts";
import { nextControl } from "../domain/watch/posture.ts";
import type { Deps } from "../ports.ts";

/** @param nowMs the time this run was scheduled for */
export async function monitor({ policy, counters, control, log }: Deps, nowMs: number): Promise<void> {
  const { window_minutes, answer_curve } = policy.monitor;
  const answer = await counters.window(minuteOf(nowMs), window_minutes);
  if (answer.kind === "unavailable") {
    log("monitor_blind", { cause: answer.cause });
    return;
  }
  const reading = readRatio(answer.cohorts, nowMs, answer_curve);
  const decision = nextControl(await control.read(), reading, policy.monitor, nowMs);
  if (decision.kind === "write") await control.write(decision.document);
  if (decision.kind === "clear") await control.clear();
  log("monitor", {
    sent: reading.sent,
    verified: reading.verified,
    due: Math.round(reading.due * 10) / 10,
    ratio: reading.ratio === null ? null : Math.round(reading.ratio * 1000) / 1000,
    decision: decision.kind,
    posture: decision.kind === "write" ? decision.document.posture : null,
  });
}
