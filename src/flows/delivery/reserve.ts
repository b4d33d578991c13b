import { tightestRefusal } from "../../domain/admission/limits.ts";
import type { SpendReading } from "../../domain/delivery/money.ts";
import type { Deps } from "../../ports/deps.ts";
import { refusalByCap, refusalByLimit } from "../admission/judge-limits.ts";
import type { AdmittedRequest } from "../admission/request.ts";
import { type Refused, refused } from "../publish/facts.ts";

export type ReserveNeeds = Pick<Deps, "budgets" | "limits" | "nowMs">;

/**
 * Takes a message's room, money and limits, in one round trip: budgets and caps by one script, and the number's own limit.
 * After a refusal some of it may be taken, and is the caller's to give back.
 */
export async function reserve(
  { budgets, limits, nowMs }: ReserveNeeds,
  { levels, reservation, slowStart, limitDraws, observed }: AdmittedRequest,
): Promise<{ kind: "reserved"; meters: SpendReading[] } | Refused> {
  const [reserved, drawn] = await Promise.all([
    budgets.reserve({ levels, reservation, slowStart }),
    limits.take(limitDraws),
  ]);
  if (drawn.kind === "unavailable" || reserved.kind === "unavailable") {
    return refused({ kind: "sending_paused", cause: "budgets unavailable", retryAfterSeconds: 30 });
  }
  const limited = tightestRefusal(drawn.results);
  if (limited) return refused(refusalByLimit(limited));
  switch (reserved.kind) {
    case "granted":
      return { kind: "reserved", meters: reserved.meters };
    case "exhausted": {
      const cause = `lost the last room of ${reserved.level}`;
      const refusal = { kind: "too_many_requests", cause, retryAfterSeconds: 60 } as const;
      return refused(refusal, { observed: { budgetUsedUp: true, entries: observed } });
    }
    case "capped":
      return refused(refusalByCap(reserved.meter, nowMs()));
  }
}
