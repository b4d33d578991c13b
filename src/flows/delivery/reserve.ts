import type { SpendReading } from "../../domain/delivery/money.ts";
import type { Deps } from "../../ports/deps.ts";
import { refusalByCap, refusalByLimit } from "../admission/judge-limits.ts";
import type { AdmittedRequest } from "../admission/request.ts";
import { type Refused, refused } from "../publish/facts.ts";

export type ReserveNeeds = Pick<Deps, "budgets" | "nowMs">;

/**
 * Takes a message's room, money and limits, all of it or nothing. Only while the store is silent it may have been taken, and is the
 * caller's to give back: then the fault is ours, and the limits that admission drew on come back too.
 */
export async function reserve(
  { budgets, nowMs }: ReserveNeeds,
  { levels, reservation, slowStart, limitDraws, observed, claim, drawn }: AdmittedRequest,
): Promise<{ kind: "reserved"; meters: SpendReading[] } | Refused> {
  const reserved = await budgets.reserve({ levels, reservation, slowStart, limitDraws });
  const giveBack = { reservation: null, limitDraws: [], claim };
  switch (reserved.kind) {
    case "granted":
      return { kind: "reserved", meters: reserved.meters };
    case "unavailable": {
      const refusal = {
        kind: "sending_paused",
        cause: "budgets unavailable",
        retryAfterSeconds: 30,
      } as const;
      const taken = { reservation, limitDraws: [...limitDraws, ...drawn], claim };
      return refused(refusal, { giveBack: taken });
    }
    case "limited":
      return refused(refusalByLimit(reserved.limit), { giveBack });
    case "exhausted": {
      const cause = `lost the last room of ${reserved.level}`;
      const refusal = { kind: "too_many_requests", cause, retryAfterSeconds: 60 } as const;
      return refused(refusal, { observed: { budgetUsedUp: true, entries: observed }, giveBack });
    }
    case "capped":
      return refused(refusalByCap(reserved.meter, nowMs()), { giveBack });
  }
}
