/** What is known of numbers and devices: what is remembered, what a device brings along, what others say of a number. */
import type { Failures } from "../domain/admission/failures.ts";
import type { NumberInsight } from "../domain/admission/insight.ts";
import type { MovedMark, PersonTraces, TagChange } from "../domain/ledger/person.ts";
import type { Unavailable } from "./result.ts";

export interface Recalled {
  kind: "answered";
  numberKnown: boolean;
  /** When this number was first sent away from this address, within the last ten minutes. */
  askedAtMs: number | null;
  /** In the order of the tags asked for. */
  failures: (Failures | null)[];
}

/** What is remembered of people, under keyed hashes. */
export interface MarksPort {
  recall(tags: {
    numberTag: string;
    askTag: string;
    failureTags: readonly string[];
  }): Promise<Recalled | Unavailable>;
  markKnown(numberTag: string): Promise<void>;
  markAsked(askTag: string): Promise<void>;
  countFailure(failureTags: readonly string[]): Promise<void>;
  forgetFailures(failureTags: readonly string[]): Promise<void>;
}

/** Carries people over a rotation of the pepper. */
export interface AdoptionPort {
  /** Moves what is kept under older hashes to the present ones; before what is asked in the same tick. */
  adopt(tags: { number: TagChange; address: TagChange }): Promise<void>;
}

/** What a device token says: a device we know because we issued the token when it verified. */
export interface DeviceClaims {
  deviceId: string;
  /** Tags of the numbers it verified, the newest first. */
  numberTags: string[];
}

export interface DevicesPort {
  issue(claims: DeviceClaims): Promise<string>;
  /** null for anything forged or expired. */
  read(token: string): Promise<DeviceClaims | null>;
}

export interface LookupPort {
  readonly name: string;
  lookup(e164: string): Promise<({ kind: "answered" } & NumberInsight) | Unavailable>;
}

/** What sources said of numbers, so that nobody is asked and paid twice. */
export interface InsightsPort {
  /** null for a number nobody was asked about, or too long ago. */
  recall(numberTag: string): Promise<NumberInsight | null | Unavailable>;
  remember(numberTag: string, insight: NumberInsight, ttlSeconds: number): Promise<void>;
}

/** The stores beside the ledger, for a person who asks what they hold or wants it erased. */
export interface PeoplePort {
  held(traces: PersonTraces): Promise<{ kind: "answered"; marks: MovedMark[] } | Unavailable>;
  /** @returns how many entries were erased, by store */
  remove(traces: PersonTraces): Promise<{ kind: "removed"; entries: Record<string, number> } | Unavailable>;
}
