import type { Deps } from "../../ports/deps.ts";

/** Publishes that a caller's system called a verification off; its session has no other end to tell. */
export function publishCancelled({ log }: Pick<Deps, "log">, correlationId: string): void {
  log("verification_cancelled", { correlation_id: correlationId });
}
