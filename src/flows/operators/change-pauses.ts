/** Operators pause one country, flow or provider, and resume it. */
import { ruleCountryFault } from "../../domain/kernel/country.ts";
import type { Pause, PauseKind } from "../../domain/monitor/pause.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  invalidAction,
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  roundedDurationText,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { findReplaced } from "./find-replaced.ts";

type PauseDeps = Pick<Deps, "policy" | "control" | "records" | "vault" | "log" | "nowMs">;
type Subject = Pick<Pause, "kind" | "subject">;

/** Every send compares with all pauses; stopping more than this means stopping everything. */
const PAUSES_MOST = 300;

export interface PauseChanged extends Performed {
  pause: Pause | null;
  /** The pause that this one replaces. */
  replaced: Pause | null;
}

/** Pauses sending for a country, flow or provider until the time is over, for known people too. */
export async function pauseSending(
  deps: PauseDeps,
  act: OperatorCommand,
  { kind, subject, forSeconds }: Subject & { forSeconds: number },
): Promise<PauseChanged | NotPerformed> {
  const fault = pauseFault(deps.policy, { kind, subject });
  if (fault !== null) return invalidAction("subject", fault);
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  const nowMs = deps.nowMs();
  const { others, replaced } = findReplaced(documents.operatorPauses, isPauseOf({ kind, subject }), nowMs);
  if (others.length >= PAUSES_MOST)
    return invalidAction("subject", `is one too many: at most ${PAUSES_MOST}`);
  const untilMs = nowMs + forSeconds * 1000;
  const made: Pause = { kind, subject, sinceMs: nowMs, untilMs, by: act.who, why: act.why };
  const acted = await runOperatorAction(deps, act, {
    what: `${kind} paused`,
    details: { subject, until_ms: untilMs },
    effect: "raises",
    perform: () => deps.control.writeOperatorPauses([...others, made]),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `The ${kind} ${subject} is paused for ${roundedDurationText(forSeconds * 1000)}.`,
    ...(replaced ? [`This replaces what ${replaced.by} had set.`] : []),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], pause: made, replaced };
}

/** Ends a pause. */
export async function resumeSending(
  deps: PauseDeps,
  act: OperatorCommand,
  { kind, subject }: Subject,
): Promise<PauseChanged | NotPerformed> {
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  const { others, replaced } = findReplaced(
    documents.operatorPauses,
    isPauseOf({ kind, subject }),
    deps.nowMs(),
  );
  if (replaced === null) return { kind: "not_found", reason: `The ${kind} ${subject} is not paused.` };
  const acted = await runOperatorAction(deps, act, {
    what: `${kind} resumed`,
    details: { subject },
    effect: "lowers",
    perform: () => deps.control.writeOperatorPauses(others),
  });
  if (acted.kind !== "done") return acted;
  return { ...acted, notes: [...acted.notes, `The ${kind} ${subject} goes on.`], pause: null, replaced };
}

/** The reason why there is no such subject; null when there is one. */
export function pauseFault(policy: Policy, { kind, subject }: Subject): string | null {
  if (kind === "country") return ruleCountryFault(subject);
  const known: Record<Exclude<PauseKind, "country">, boolean> = {
    flow: Object.hasOwn(policy.flows, subject),
    provider: policy.delivery.providers.some((name) => name === subject),
  };
  return known[kind] ? null : `is no ${kind} of the policy`;
}

const isPauseOf =
  ({ kind, subject }: Subject) =>
  (other: Pause): boolean =>
    other.kind === kind && other.subject === subject;
