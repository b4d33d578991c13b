/**
 * What every action of an operator has in common: it is written down, with who and why, before it is done. When that cannot
 * be, what makes the service stricter is done all the same and says so, and what makes it laxer is not: a thief of a token
 * must not open the gate without a trace, and a broken database must not keep it open.
 */

import type { Operator } from "../../domain/access/operator.ts";
import type { FieldError } from "../../domain/kernel/refusal.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../../domain/kernel/time.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OperatorAction } from "../../ports/records.ts";
import type { Done } from "../../ports/result.ts";

/** Who acts, and why, in their own words. */
export interface OperatorCommand extends Pick<Operator, "who"> {
  why: string;
}

/** Why an action was not done. */
export type NotPerformed =
  | { kind: "invalid"; errors: FieldError[] }
  | { kind: "not_found"; reason: string }
  /** It makes the service laxer, and could not be written down. */
  | { kind: "not_recorded"; cause: string }
  | { kind: "unavailable"; cause: string };

/** What every done action answers. */
export interface Performed {
  kind: "done";
  /** False when the action could not be written down. */
  recorded: boolean;
  /** What it means, in sentences for whoever acted. */
  notes: string[];
}

/** `raises`: the service is stricter afterwards, or as strict. */
export type ActionEffect = "raises" | "lowers";

/** Writes an action down and does it. A failure to do it is written down too, as far as that works. */
export async function runOperatorAction(
  { records, vault, log, nowMs }: Pick<Deps, "records" | "vault" | "log" | "nowMs">,
  { who, why }: OperatorCommand,
  { what, details }: Pick<OperatorAction, "what" | "details">,
  bearing: ActionEffect,
  perform: () => Promise<Done>,
): Promise<Performed | Extract<NotPerformed, { kind: "not_recorded" | "unavailable" }>> {
  const write = (facts: Pick<OperatorAction, "what" | "details">) =>
    records.writeAction({ id: vault.newId(), atMs: nowMs(), who, why, ...facts });
  const written = await write({ what, details });
  const recorded = written.kind === "done";
  log("operator_action", { who, what, why, recorded });
  if (!recorded && bearing === "lowers") return { kind: "not_recorded", cause: written.cause };
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
export function durationInWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200 && seconds % HOUR_SECONDS !== 0) return `${Math.round(seconds / 60)} min`;
  const [unit, name] = seconds < 172_800 ? [HOUR_SECONDS, "h"] : [DAY_SECONDS, "d"];
  return `${Math.round((seconds / Number(unit)) * 10) / 10} ${name}`;
}
