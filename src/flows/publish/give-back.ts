import type { Deps } from "../../ports/deps.ts";
import type { Taken } from "./facts.ts";

export type GiveBackNeeds = Pick<Deps, "budgets" | "limits" | "claims" | "defer">;

/** Gives back what a request took, behind the answer: room and money, limits, and its place under an idempotency key. */
export function giveBack(
  { budgets, limits, claims, defer }: GiveBackNeeds,
  { reservation, limitDraws, claim }: Taken,
  correlationId: string,
): void {
  if (reservation !== null) defer(budgets.release(reservation), correlationId);
  if (limitDraws.length > 0) defer(limits.refund(limitDraws), correlationId);
  if (claim !== null) defer(claims.release(claim.key, claim.value), correlationId);
}
