/** Operators drain, weigh and pin providers for a time, over the policy, and take their instructions back. */
import {
  hasSameInstructionSubject,
  instructionSubject,
  overrideRouting,
  type RouteInstruction,
  type RouteOverride,
} from "../../domain/delivery/route-overrides.ts";
import { ruleCountryFault } from "../../domain/kernel/country.ts";
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

type RouteDeps = Pick<Deps, "policy" | "providers" | "control" | "records" | "vault" | "log" | "nowMs">;

/** Instructions at one time: every message compares with all of them, and a pin for each of a hundred countries is a policy. */
export const ROUTE_INSTRUCTIONS_MOST = 100;

export interface RouteChanged extends Performed {
  /** The instruction from now on; null when the policy decides again. */
  override: RouteOverride | null;
  /** The instruction that this one replaces. */
  replaced: RouteOverride | null;
}

/** Gives an instruction for a route until the time is over. */
export async function instructRoute(
  deps: RouteDeps,
  act: OperatorCommand,
  command: { word: RouteInstruction; forSeconds: number },
): Promise<RouteChanged | NotPerformed> {
  const { word, forSeconds } = command;
  const fault = routeFault(deps, word);
  if (fault) return fault;
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  const nowMs = deps.nowMs();
  const { others, replaced } = findReplaced(
    documents.operatorRoutes,
    (other) => hasSameInstructionSubject(other, word),
    nowMs,
  );
  if (others.length >= ROUTE_INSTRUCTIONS_MOST) {
    return invalidAction(
      "provider",
      `is one too many: people say at most ${ROUTE_INSTRUCTIONS_MOST} things at a time`,
    );
  }
  const override: RouteOverride = {
    ...word,
    sinceMs: nowMs,
    untilMs: nowMs + forSeconds * 1000,
    by: act.who,
    why: act.why,
  };
  const all = [...others, override];
  const acted = await runOperatorAction(deps, act, {
    what: `route ${inShort(word)}`,
    details: { ...word, until_ms: override.untilMs },
    // Draining stops a leak; drawing messages to a provider of one's choice must leave a trace.
    effect: word.kind === "drain" && word.drained ? "raises" : "lowers",
    perform: () => deps.control.writeOperatorRoutes(all),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `${routeInstructionText(word)} for ${roundedDurationText(override.untilMs - nowMs)}; then the policy decides again.`,
    ...(replaced ? [`This replaces what ${replaced.by} had set.`] : []),
    ...routeWarnings(deps, all, nowMs),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], override, replaced };
}

/** Takes an instruction back, so that the policy decides again. */
export async function clearRouteInstruction(
  deps: RouteDeps,
  act: OperatorCommand,
  { kind, subject }: { kind: RouteInstruction["kind"]; subject: string },
): Promise<RouteChanged | NotPerformed> {
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  const nowMs = deps.nowMs();
  const { others, replaced } = findReplaced(
    documents.operatorRoutes,
    (word) => word.kind === kind && instructionSubject(word) === subject,
    nowMs,
  );
  if (replaced === null) {
    return { kind: "not_found", reason: `Nobody has set a ${kind} of ${subject}.` };
  }
  const acted = await runOperatorAction(deps, act, {
    what: `route ${kind} cleared`,
    details: { subject },
    effect: "lowers",
    perform: () => deps.control.writeOperatorRoutes(others),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `The policy decides on the ${kind} of ${subject} again.`,
    ...routeWarnings(deps, others, nowMs),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], override: null, replaced };
}

/** The reason why an instruction is impossible; null when it is possible. */
export function routeFault(
  { policy, providers }: Pick<Deps, "policy" | "providers">,
  word: RouteInstruction,
): NotPerformed | null {
  const { provider } = word;
  const names: readonly string[] = policy.delivery.providers;
  if (provider !== null && !names.includes(provider)) {
    return invalidAction("provider", `is none of the policy's: ${names.join(", ")}`);
  }
  if (word.kind !== "pin") return null;
  const fault = ruleCountryFault(word.country);
  if (fault !== null) return invalidAction("country", fault);
  const served = provider === null ? null : (providers.get(provider)?.countries ?? null);
  return served === null || served.includes(word.country)
    ? null
    : invalidAction("country", `is not served by ${provider}`);
}

/** Warnings about the consequences of these instructions together. */
export function routeWarnings(
  { policy }: Pick<Deps, "policy">,
  words: readonly RouteOverride[],
  nowMs: number,
): string[] {
  const { drain } = overrideRouting(policy.delivery, words, nowMs);
  return policy.delivery.providers.every((name) => drain.includes(name))
    ? [
        "Every provider drains now, so messages still leave by them: nothing else is left. To stop sending, shut down.",
      ]
    : [];
}

function inShort(word: RouteInstruction): string {
  if (word.kind === "drain") return word.drained ? "drained" : "filled";
  if (word.kind === "weight") return "weighed";
  return word.provider === null ? "unpinned" : "pinned";
}

/** The meaning of an instruction, for people. */
export function routeInstructionText(word: RouteInstruction): string {
  if (word.kind === "drain") {
    return word.drained
      ? `${word.provider} gets nothing new while another provider can take it`
      : `${word.provider} gets messages, whatever the policy drains`;
  }
  if (word.kind === "weight")
    return `${word.provider} keeps ${Math.round(word.weight * 100)} % of its chances`;
  return word.provider === null
    ? `Messages to ${word.country} choose among all providers`
    : `Messages to ${word.country} go by ${word.provider} while it is not resting`;
}
