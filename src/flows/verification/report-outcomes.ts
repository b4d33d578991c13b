import type { Refusal } from "../../domain/kernel/refusal.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { countOutcome } from "../../domain/monitor/counting.ts";
import type { Deps } from "../../ports/deps.ts";

/** An outcome of a verified person, as the customer's backend reports it. */
export interface ReportedOutcome {
  type: string;
  /** The proof's `jti`. */
  proofId: string;
  /** When it happened, where that was said. */
  atMs: number | null;
  /** Millionths of the price table's currency, where it is worth something. */
  valueMicros: number | null;
}

/** The answer to a report. */
export interface OutcomesReported {
  kind: "reported";
  accepted: number;
  /** Outcomes whose type was counted for the same proof before. */
  repeated: number;
}

const RETRY_SECONDS = 30;

/**
 * Counts outcomes, each once for its proof and type, in the minute they are reported: the monitor compares the spend of the
 * last hours with their outcomes. After a refusal the whole report can be sent again; nothing is counted twice.
 *
 * @param by names the API key in the log
 */
export async function reportOutcomes(
  { policy, counters, log, nowMs }: Pick<Deps, "policy" | "counters" | "log" | "nowMs">,
  outcomes: readonly ReportedOutcome[],
  by: string,
): Promise<OutcomesReported | Refusal> {
  const unknown = outcomes.flatMap(({ type }, at) =>
    policy.outcomes.includes(type)
      ? []
      : [{ field: `outcomes.${at}.type`, reason: `is not known; known: ${policy.outcomes.join(", ")}` }],
  );
  if (unknown.length > 0) return { kind: "invalid_request", errors: unknown };
  const claims = await Promise.all(
    outcomes.map(async (outcome) => ({
      outcome,
      claimed: await counters.claimOutcome(outcome.proofId, outcome.type),
    })),
  );
  const accepted = claims.filter(({ claimed }) => claimed === true).map(({ outcome }) => outcome);
  const entries = accepted.flatMap(({ type }) => countOutcome(type));
  if (entries.length > 0) await counters.count([{ minute: minuteOf(nowMs()), entries }]);
  const ages = accepted.flatMap(({ atMs }) => (atMs === null ? [] : [Math.max(0, nowMs() - atMs)]));
  log("outcomes_reported", {
    by,
    accepted: accepted.length,
    of: outcomes.length,
    value_micros: accepted.reduce((sum, { valueMicros }) => sum + (valueMicros ?? 0), 0),
    oldest_seconds: ages.length === 0 ? null : Math.round(Math.max(...ages) / 1000),
  });
  if (claims.some(({ claimed }) => typeof claimed === "object")) {
    return { kind: "sending_paused", cause: "outcomes: store unavailable", retryAfterSeconds: RETRY_SECONDS };
  }
  return { kind: "reported", accepted: accepted.length, repeated: outcomes.length - accepted.length };
}
