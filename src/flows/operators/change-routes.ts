/** People drain, weigh and pin providers for a time, over the policy, and take their word back. */
import {
  instructionSubject,
  isSameInstruction,
  overrideRouting,
  type RouteInstruction,
  type RouteOverride,
} from "../../domain/delivery/route-overrides.ts";
import { isCountry } from "../../domain/kernel/phone.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  durationInWords,
  invalidAction,
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

type RouteDeps = Pick<Deps, "policy" | "providers" | "control" | "records" | "vault" | "log" | "nowMs">;

/** Words on routes at one time: every message looks through them. A pin for each of a hundred countries is a policy. */
export const ROUTE_INSTRUCTIONS_MOST = 100;

export interface RouteChanged extends Performed {
  /** What holds from now on; null when the policy decides again. */
  override: RouteOverride | null;
  /** What people had said of the same before. */
  replaced: RouteOverride | null;
}

/** Says something of a route until the time is over. */
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
  const { others, replaced } = split(documents.operatorRoutes, word, nowMs);
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
    `${routeInstructionText(word)} for ${durationInWords(override.untilMs - nowMs)}; then the policy decides again.`,
    ...(replaced ? [`This replaces what ${replaced.by} had set.`] : []),
    ...routeWarnings(deps, all, nowMs),
  ];
  return { ...acted, notes: [...acted.notes, ...notes], override, replaced };
}

/** Takes people's word back: the policy decides again. */
export async function clearRouteInstruction(
  deps: RouteDeps,
  act: OperatorCommand,
  { kind, subject }: { kind: RouteInstruction["kind"]; subject: string },
): Promise<RouteChanged | NotPerformed> {
  const documents = await deps.control.documents();
  if ("kind" in documents) return documents;
  const nowMs = deps.nowMs();
  const running = documents.operatorRoutes.filter(({ untilMs }) => nowMs < untilMs);
  const replaced = running.find((word) => word.kind === kind && instructionSubject(word) === subject);
  if (replaced === undefined) {
    return { kind: "not_found", reason: `Nobody has set a ${kind} of ${subject}.` };
  }
  const others = running.filter((word) => word !== replaced);
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

/** Why a word cannot be said; null when it can. */
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
  if (!isCountry(word.country))
    return invalidAction("country", "must be an ISO 3166-1 alpha-2 code in capitals");
  const served = provider === null ? null : (providers.get(provider)?.countries ?? null);
  return served === null || served.includes(word.country)
    ? null
    : invalidAction("country", `is not served by ${provider}`);
}

/** What whoever leaves these words in force ought to know. */
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

function split(all: readonly RouteOverride[], word: RouteInstruction, nowMs: number) {
  const running = all.filter(({ untilMs }) => nowMs < untilMs);
  return {
    others: running.filter((other) => !isSameInstruction(other, word)),
    replaced: running.find((other) => isSameInstruction(other, word)) ?? null,
  };
}

function inShort(word: RouteInstruction): string {
  if (word.kind === "drain") return word.drained ? "drained" : "filled";
  if (word.kind === "weight") return "weighed";
  return word.provider === null ? "unpinned" : "pinned";
}

/** What a word means, for people. */
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
