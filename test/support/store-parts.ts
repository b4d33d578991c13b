/** The acts of a store, taken apart: suites try limits, keys, marks, budgets and receipts one by one. */
import { upstashStore } from "../../src/adapters/upstash/upstash-store.ts";
import type { LimitDraw, LimitResult } from "../../src/domain/admission/limits.ts";
import type { Reservation } from "../../src/domain/admission/reservation.ts";
import type { StorePorts } from "../../src/memory/memory-store.ts";
import type {
  AdmissionQuestion,
  BudgetsPort,
  ReservationRequest,
  ReservationResult,
  TakenFromStore,
} from "../../src/ports/admission.ts";
import type { MessageOwner, MessageOwnersPort, Receipt } from "../../src/ports/delivery.ts";
import type { PersonMarksPort, Recalled, RecallQuestion } from "../../src/ports/people.ts";
import type { Unavailable, WriteResult } from "../../src/ports/result.ts";
import type { VerifiedCode } from "../../src/ports/verification.ts";

/** A store on Upstash; what waits for others to be counted along is written by the reads of a test. */
export const storeOn = (
  redis: Parameters<typeof upstashStore>[0],
  nowMs: () => number,
  failureMemorySeconds = 3600,
): StorePorts =>
  upstashStore(redis, { nowMs, pause: () => new Promise(() => undefined) }, failureMemorySeconds, {
    mayAsk: () => true,
  });

const NOTHING_ASKED: AdmissionQuestion = {
  draws: [],
  claim: null,
  person: null,
  levels: [],
  meters: [],
};
const NOTHING_TAKEN: TakenFromStore = { reservation: null, draws: [], claim: null, askTag: null };
const NOTHING_LEARNT: VerifiedCode = {
  numberTag: "nobody",
  failureTags: [],
  numberLimit: null,
  reservation: null,
  otherReservations: [],
  updates: [],
};

export interface Limits {
  take(draws: readonly LimitDraw[]): Promise<{ kind: "answered"; results: LimitResult[] } | Unavailable>;
  refund(draws: readonly LimitDraw[]): Promise<void>;
  freeWaits(draw: LimitDraw): Promise<void>;
}

export const limitsOf = ({ admission, verifications }: StorePorts): Limits => ({
  freeWaits: (numberLimit) => verifications.verified({ ...NOTHING_LEARNT, numberLimit }),
  async take(draws) {
    const answer = await admission.ask({ ...NOTHING_ASKED, draws });
    return answer.kind === "answered" ? { kind: "answered", results: answer.limits } : answer;
  },
  refund: (draws) => admission.giveBack({ ...NOTHING_TAKEN, draws }),
});

export interface Claims {
  claim(
    key: string,
    value: string,
    ttlSeconds: number,
  ): Promise<{ kind: "held"; value: string } | Unavailable>;
  release(key: string, value: string): Promise<void>;
}

export const claimsOf = ({ admission }: StorePorts): Claims => ({
  async claim(key, value, ttlSeconds) {
    const answer = await admission.ask({ ...NOTHING_ASKED, claim: { key, value, ttlSeconds } });
    return answer.kind === "answered" ? { kind: "held", value: answer.held ?? "" } : answer;
  },
  release: (key, value) => admission.giveBack({ ...NOTHING_TAKEN, claim: { key, value } }),
});

export interface Marks extends PersonMarksPort {
  recall(tags: RecallQuestion): Promise<({ kind: "answered" } & Recalled) | Unavailable>;
  markKnown(numberTag: string): Promise<void>;
  markAsked(askTag: string): Promise<void>;
  countFailure(failureTags: readonly string[]): Promise<void>;
  forgetFailures(failureTags: readonly string[]): Promise<void>;
}

export const marksOf = ({ admission, marks, verifications }: StorePorts): Marks => ({
  ...marks,
  async recall(person) {
    const answer = await admission.ask({ ...NOTHING_ASKED, person });
    return answer.kind === "answered" ? { kind: "answered", ...answer.recalled } : answer;
  },
  markKnown: (numberTag) => verifications.verified({ ...NOTHING_LEARNT, numberTag }),
  markAsked: (askTag) => admission.giveBack({ ...NOTHING_TAKEN, askTag }),
  countFailure: (failureTags) => verifications.failed(failureTags, []),
  forgetFailures: (failureTags) => verifications.verified({ ...NOTHING_LEARNT, failureTags }),
});

export interface Budgets extends Omit<BudgetsPort, "reserve"> {
  reserve(request: Omit<ReservationRequest, "limitDraws">): Promise<ReservationResult>;
  release(reservation: Reservation): Promise<void>;
  credit(reservation: Reservation, others?: readonly Reservation[]): Promise<void>;
}

export const budgetsOf = ({ admission, budgets, verifications }: StorePorts): Budgets => ({
  ...budgets,
  reserve: (request) => budgets.reserve({ ...request, limitDraws: [] }),
  release: (reservation) => admission.giveBack({ ...NOTHING_TAKEN, reservation }),
  credit: (reservation, otherReservations = []) =>
    verifications.verified({ ...NOTHING_LEARNT, reservation, otherReservations }),
});

export interface Receipts extends Pick<MessageOwnersPort, "claim"> {
  bind(provider: string, messageId: string, owner: MessageOwner): Promise<Receipt | null | Unavailable>;
  bindReference(provider: string, reference: string, owner: MessageOwner): Promise<WriteResult>;
}

export const receiptsOf = ({ receipts }: StorePorts): Receipts => ({
  claim: receipts.claim,
  async bind(provider, messageId, owner) {
    const bound = await receipts.bind({ provider, owner, messageIds: [messageId], reference: null }, []);
    return bound.kind === "bound" ? (bound.early[0] ?? null) : bound;
  },
  async bindReference(provider, reference, owner) {
    const bound = await receipts.bind({ provider, owner, messageIds: [], reference }, []);
    return bound.kind === "bound" ? { kind: "done" } : bound;
  },
});
