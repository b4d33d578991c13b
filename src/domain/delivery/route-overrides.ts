/** What people say of routes for a time: it wins over the policy, and gives way to it by itself. */
import type { RoutePreferences } from "./routing.ts";

export type RouteInstruction =
  /** `drained: false` fills a provider again that the policy drains. */
  | { kind: "drain"; provider: string; drained: boolean }
  | { kind: "weight"; provider: string; weight: number }
  /** A provider of null takes the policy's pin off. */
  | { kind: "pin"; country: string; provider: string | null };

/** A word with who said it, why, and how long it holds. */
export type RouteOverride = RouteInstruction & { sinceMs: number; untilMs: number; by: string; why: string };

/** What a word is about: there is at most one of each kind and subject. */
export const instructionSubject = (word: RouteInstruction): string =>
  word.kind === "pin" ? word.country : word.provider;

export const isSameInstruction = (a: RouteInstruction, b: RouteInstruction): boolean =>
  a.kind === b.kind && instructionSubject(a) === instructionSubject(b);

/** The policy as it holds now, with people's word over it. */
export function overrideRouting(
  { pin, weight, drain }: RoutePreferences,
  overrides: readonly RouteOverride[],
  nowMs: number,
): RoutePreferences {
  const pins = new Map(Object.entries(pin));
  const weights = new Map(Object.entries(weight));
  const drains = new Set(drain);
  for (const word of overrides) {
    if (nowMs >= word.untilMs) continue;
    if (word.kind === "weight") weights.set(word.provider, word.weight);
    else if (word.kind === "drain" && word.drained) drains.add(word.provider);
    else if (word.kind === "drain") drains.delete(word.provider);
    else if (word.provider === null) pins.delete(word.country);
    else pins.set(word.country, word.provider);
  }
  return { pin: Object.fromEntries(pins), weight: Object.fromEntries(weights), drain: [...drains] };
}
