import type { Deps } from "../ports/deps.ts";

/**
 * Writes down an error that nobody expected. Its message may repeat what a client or a dependency sent, over several lines; the name
 * and the first place of its stack are enough to find the fault.
 */
export function logInternalError({ log }: Pick<Deps, "log">, error: unknown, correlationId: string): void {
  const { name, stack = "" } = error instanceof Error ? error : { name: "unknown" };
  const place = stack.split("\n").find((line) => line.trimStart().startsWith("at ")) ?? "";
  log("internal_error", { correlation_id: correlationId, name, place: place.trim() });
}
