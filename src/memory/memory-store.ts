import { tightestRefusal } from "../domain/admission/limits.ts";
import type { Deps } from "../ports/deps.ts";
import type { Recalled } from "../ports/people.ts";
import { memoryBudgets } from "./memory-budgets.ts";
import { memoryCounters } from "./memory-counters.ts";
import { memoryIdempotencyClaims } from "./memory-idempotency-claims.ts";
import { memoryLimits } from "./memory-limits.ts";
import { memoryPersonMarks } from "./memory-marks.ts";
import { memoryMessageOwners } from "./memory-message-owners.ts";

/** What is recalled of a number that nothing is known of. */
const NOTHING_RECALLED: Recalled = {
  numberKnown: false,
  knownSinceMs: null,
  askedAtMs: null,
  failures: [],
  refusal: null,
};

/** The ports that one store keeps together: what a request does there at one moment is one act. */
export type StorePorts = Pick<
  Deps,
  "admission" | "limits" | "budgets" | "marks" | "receipts" | "verifications" | "counters"
>;

/** Keeps in memory what Redis keeps at the edge. */
export function memoryStore(nowMs: () => number, failureMemorySeconds: number): StorePorts {
  const limits = memoryLimits(nowMs);
  const claims = memoryIdempotencyClaims(nowMs);
  const marks = memoryPersonMarks(nowMs, failureMemorySeconds);
  const budgets = memoryBudgets(nowMs);
  const receipts = memoryMessageOwners(nowMs);
  const counters = memoryCounters(nowMs);
  return {
    limits,
    marks,
    counters,
    admission: {
      mayAsk: () => true,
      async ask({ draws, claim, person, levels, meters }) {
        return {
          kind: "answered",
          limits: limits.takeAll(draws),
          held: claim && claims.claim(claim.key, claim.value, claim.ttlSeconds),
          recalled: person === null ? NOTHING_RECALLED : marks.recall(person),
          readings: budgets.readings(levels),
          totals: budgets.totals(meters),
        };
      },
      async giveBack({ reservation, draws, claim, askTag }) {
        if (reservation !== null) budgets.release(reservation);
        limits.refund(draws);
        if (claim !== null) claims.release(claim.key, claim.value);
        if (askTag !== null) marks.markAsked(askTag);
      },
    },
    budgets: {
      read: budgets.read,
      spend: budgets.spend,
      async reserve({ limitDraws, ...request }) {
        const limit = tightestRefusal(limits.takeAll(limitDraws.map((draw) => ({ ...draw, peek: true }))));
        if (limit !== null) return { kind: "limited", limit };
        const reserved = budgets.reserve(request);
        if (reserved.kind === "granted") limits.takeAll(limitDraws);
        return reserved;
      },
    },
    receipts: {
      claim: receipts.claim,
      async bind(binding, updates) {
        await counters.count(updates);
        return { kind: "bound", early: receipts.bind(binding) };
      },
    },
    verifications: {
      async verified({ numberTag, failureTags, numberLimit, reservation, otherReservations, updates }) {
        await counters.count(updates);
        marks.markKnown(numberTag);
        marks.forgetFailures(failureTags);
        if (numberLimit !== null) limits.freeWaits(numberLimit);
        if (reservation !== null) budgets.credit(reservation, otherReservations);
      },
      async failed(failureTags, updates) {
        marks.countFailure(failureTags);
        await counters.count(updates);
      },
    },
  };
}
