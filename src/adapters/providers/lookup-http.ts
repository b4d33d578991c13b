import { HOUR_MS } from "../../domain/kernel/time.ts";
import type { Unavailable } from "../../ports/result.ts";
import type { ProviderAnswer } from "./provider-http.ts";

/**
 * What a source answered about a number. Everything but a status of success in time is `unavailable`; the cause holds no
 * word of the answer, which may repeat the number.
 */
export function readLookup(
  answer: ProviderAnswer | Unavailable,
): { kind: "answered"; body: Record<string, unknown> } | Unavailable {
  if (answer.kind !== "answered") return { kind: "unavailable", cause: answer.cause };
  return answer.status === 200
    ? { kind: "answered", body: answer.body }
    : { kind: "unavailable", cause: `lookup answered ${answer.status}` };
}

/** Whole hours from a time the source states to now, not negative; null for a time it does not state or that is none. */
export function hoursSince(time: string | null | undefined, nowMs: number): number | null {
  const atMs = Date.parse(time ?? "");
  return Number.isNaN(atMs) ? null : Math.max(0, Math.floor((nowMs - atMs) / HOUR_MS));
}
