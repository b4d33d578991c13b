import type { Redis } from "@upstash/redis/cloudflare";
import type { Deps } from "../../ports/deps.ts";
import type { StoreStrain } from "./store-strain.ts";
import { upstashAdmission } from "./upstash-admission.ts";
import { upstashBudgets } from "./upstash-budgets.ts";
import { upstashCounters } from "./upstash-counters.ts";
import { upstashLimits } from "./upstash-limits.ts";
import { upstashPersonMarks } from "./upstash-marks.ts";
import { upstashMessageOwners } from "./upstash-message-owners.ts";
import { upstashVerifications } from "./upstash-verifications.ts";

/**
 * Everything that a request does on Upstash, in as few commands as there are moments: one script for admission, one for the
 * reservation, one after the message left, one for its receipt, and one for its verification.
 *
 * @param failureMemorySeconds how long wrong codes are remembered
 * @param strain says whether new requests may ask at all
 */
export function upstashStore(
  redis: Redis,
  { nowMs, pause }: Pick<Deps, "nowMs" | "pause">,
  failureMemorySeconds: number,
  strain: Pick<StoreStrain, "mayAsk">,
): Pick<Deps, "admission" | "limits" | "budgets" | "marks" | "receipts" | "verifications" | "counters"> {
  const limits = upstashLimits(redis, nowMs);
  const { counters, batch } = upstashCounters(redis, nowMs, pause);
  return {
    limits,
    counters,
    admission: { ...upstashAdmission(redis, limits, nowMs, failureMemorySeconds), mayAsk: strain.mayAsk },
    budgets: upstashBudgets(redis, limits, nowMs),
    marks: upstashPersonMarks(redis),
    receipts: upstashMessageOwners(redis, batch, nowMs),
    verifications: upstashVerifications(redis, batch, nowMs, failureMemorySeconds),
  };
}
