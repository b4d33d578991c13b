import type { Posture } from "../../domain/kernel/posture.ts";
import type { ControlDocuments } from "../../domain/monitor/effective-control.ts";
import type { Finding } from "../../domain/monitor/finding.ts";
import type { MonitorView } from "../../domain/monitor/monitor-view.ts";
import { type ControlDecision, nextPosture, postureFromFindings } from "../../domain/monitor/posture.ts";
import type { Deps } from "../../ports/deps.ts";

/** The posture after one run of the monitor. */
export interface AppliedPosture {
  decision: ControlDecision;
  before: Posture;
  now: Posture;
  by: string;
  why: string;
  /** The reason KV did not take the document; null when it did. */
  refused: string | null;
}

/** Sets the posture that the findings ask for, unless operators hold it. */
export async function applyPosture(
  { control, policy }: Pick<Deps, "control" | "policy">,
  { cron, operator }: ControlDocuments,
  findings: readonly Finding[],
  { reading, incident, nowMs }: MonitorView,
): Promise<AppliedPosture> {
  const held = operator !== null && operator.holds_posture !== false ? operator : null;
  const running = [held, cron].find((document) => document !== null && nowMs < document.until_ms) ?? null;
  const current = running?.posture ?? "normal";
  const kept = nextPosture(running, { findings, reading }, policy.monitor, nowMs);
  const byHand = running !== null && running === held;
  // A posture of an attack that is over must not come back when the operators' document ends.
  const stale = byHand && cron !== null && postureFromFindings(findings) === "normal";
  const decision: ControlDecision = stale ? { kind: "clear" } : kept;
  const written =
    decision.kind === "keep"
      ? null
      : await control.writeCron(decision.kind === "write" ? decision.document : null);
  const refused = written?.kind === "unavailable" ? `posture not written: ${written.cause}` : null;
  const decided =
    byHand || decision.kind === "keep"
      ? current
      : decision.kind === "write"
        ? decision.document.posture
        : "normal";
  return {
    decision,
    // A change by operators between two runs is news to the incident, too.
    before: byHand && incident === null ? "normal" : current,
    now: refused === null ? decided : current,
    by: byHand ? (running?.who ?? "operator") : "cron",
    why: decision.kind === "write" ? decision.document.why : (running?.why ?? "nothing asks for more"),
    refused,
  };
}
