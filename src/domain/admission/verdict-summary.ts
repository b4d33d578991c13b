import type { Verdict } from "./verdict.ts";

/** A verdict in the ledger's few words. */
export interface VerdictSummary {
  action: string;
  /** Names of the reasons that counted, separated by spaces; of a used-up budget also the level. */
  reasons: string;
}

export function summariseVerdict({ action, reasons }: Pick<Verdict, "action" | "reasons">): VerdictSummary {
  const names = reasons
    .filter(({ counted }) => counted)
    .map(({ rule, evidence }) => (rule === "exposure" ? `exposure:${levelName(evidence.level)}` : rule));
  return { action, reasons: [...new Set(names)].join(" ").slice(0, 300) };
}

/** What a budget's level is called, without whose it is: `first:block:+9198765` is `block`. */
function levelName(level: unknown): string {
  return String(level).split(":")[1] ?? "";
}
