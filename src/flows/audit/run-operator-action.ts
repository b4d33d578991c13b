/**
 * Every operator action is written down, with who and why, before it is done. When it cannot be written down, an action that
 * makes the service stricter is done all the same and says so, and one that makes it laxer is refused: a stolen token must
 * not open the service without a trace, and a broken database must not keep it open.
 */

import type { Operator } from "../../domain/access/operator.ts";
import type { FieldError } from "../../domain/kernel/refusal.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../../domain/kernel/time.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OperatorAction } from "../../ports/records.ts";
import type { WriteResult } from "../../ports/result.ts";

/** The operator who acts, and the reason in their own words. */
export interface OperatorCommand extends Pick<Operator, "who"> {
  why: string;
}

/** The reason an action was not done. */
export type NotPerformed =
  | { kind: "invalid"; errors: FieldError[] }
  | { kind: "not_found"; reason: string }
  /** The action makes the service laxer, and could not be written down. */
  | { kind: "not_recorded"; cause: string }
  | { kind: "unavailable"; cause: string };

/** The part every done action answers with. */
export interface Performed {
  kind: "done";
  /** False when the action could not be written down. */
  recorded: boolean;
  /** The consequences, in sentences for the person who acted. */
  notes: string[];
}

/** `raises`: the service is stricter afterwards, or as strict. */
type ActionEffect = "raises" | "lowers";

/** An action as it is written down, and as it is done. */
export interface AuditedAction extends Pick<OperatorAction, "what" | "details"> {
  effect: ActionEffect;
  perform(): Promise<WriteResult>;
}

/** Writes an action down, then performs it. A failure is written down too, as far as that works. */
export async function runOperatorAction(
  { records, vault, log, nowMs }: Pick<Deps, "records" | "vault" | "log" | "nowMs">,
  { who, why }: OperatorCommand,
  { what, details, effect, perform }: AuditedAction,
): Promise<Performed | Extract<NotPerformed, { kind: "not_recorded" | "unavailable" }>> {
  const write = (facts: Pick<OperatorAction, "what" | "details">) =>
    records.writeAction({ id: vault.newId(), atMs: nowMs(), who, why, ...facts });
  const written = await write({ what, details });
  const recorded = written.kind === "done";
  log("operator_action", { who, what, why, recorded });
  if (!recorded && effect === "lowers") return { kind: "not_recorded", cause: written.cause };
  const done = await perform();
  if (done.kind === "done") {
    return {
      kind: "done",
      recorded,
      notes: recorded ? [] : ["This was done, and could not be written down."],
    };
  }
  log("operator_action_failed", { who, what, cause: done.cause });
  await write({ what: `${what} failed`, details: { cause: done.cause } });
  return done;
}

export const invalidAction = (field: string, reason: string): NotPerformed => ({
  kind: "invalid",
  errors: [{ field, reason }],
});

/** A length of time in words, rounded to what matters of it: `90 s`, `15 min`, `1.5 h`, `7 d`. */
export function roundedDurationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200 && seconds % HOUR_SECONDS !== 0) return `${Math.round(seconds / 60)} min`;
  const [unit, name] = seconds < 172_800 ? [HOUR_SECONDS, "h"] : [DAY_SECONDS, "d"];
  return `${Math.round((seconds / Number(unit)) * 10) / 10} ${name}`;
}
