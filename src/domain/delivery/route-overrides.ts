/** Operators' instructions on routes, which win over the policy for a time and end by themselves. */
import type { RoutePreferences } from "./routing.ts";

/** An instruction to drain, weigh or pin a provider. */
export type RouteInstruction =
  /** `drained: false` fills a provider again that the policy drains. */
  | { kind: "drain"; provider: string; drained: boolean }
  | { kind: "weight"; provider: string; weight: number }
  /** A provider of null takes the policy's pin off. */
  | { kind: "pin"; country: string; provider: string | null };

/** An instruction with its author, its reason and its time. */
export type RouteOverride = RouteInstruction & { sinceMs: number; untilMs: number; by: string; why: string };

/** The provider or country an instruction is about. There is at most one instruction of each kind and subject. */
export const instructionSubject = (instruction: RouteInstruction): string =>
  instruction.kind === "pin" ? instruction.country : instruction.provider;

/** True for instructions of the same kind and subject: the later one replaces the earlier. */
export const hasSameInstructionSubject = (a: RouteInstruction, b: RouteInstruction): boolean =>
  a.kind === b.kind && instructionSubject(a) === instructionSubject(b);

/** The policy's routing with the overrides that apply now. */
export function overrideRouting(
  { pin, weight, drain }: RoutePreferences,
  overrides: readonly RouteOverride[],
  nowMs: number,
): RoutePreferences {
  const pins = new Map(Object.entries(pin));
  const weights = new Map(Object.entries(weight));
  const drains = new Set(drain);
  for (const override of overrides) {
    if (nowMs >= override.untilMs) continue;
    if (override.kind === "weight") weights.set(override.provider, override.weight);
    else if (override.kind === "drain" && override.drained) drains.add(override.provider);
    else if (override.kind === "drain") drains.delete(override.provider);
    else if (override.provider === null) pins.delete(override.country);
    else pins.set(override.country, override.provider);
  }
  return { pin: Object.fromEntries(pins), weight: Object.fromEntries(weights), drain: [...drains] };
}
