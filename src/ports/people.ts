/** Numbers and devices: the memory of them, the tokens devices bring, and the answers of sources about a number. */
import type { ConsecutiveWrongCodes } from "../domain/admission/failures.ts";
import type { NumberInsight } from "../domain/admission/insight.ts";
import type { NumberRefusal } from "../domain/delivery/judgement.ts";
import type { Channel } from "../domain/kernel/channel.ts";
import type { PersonalEntry, PersonStoreKeys, TagChange } from "../domain/ledger/person.ts";
import type { Unavailable } from "./result.ts";

/** The subjects whose memory a request asks for, as keyed hashes. */
export interface RecallQuestion {
  numberTag: string;
  /** Of number and address together. */
  askTag: string;
  failureTags: readonly string[];
  /** The channel of the message. */
  channel: Channel;
}

/** The memory of one request's number and source. */
export interface Recalled {
  numberKnown: boolean;
  /** The number's first verification; null for one that never verified, 0 where the time was not kept. */
  knownSinceMs: number | null;
  /** When this number was first sent away from this address, within the last ten minutes. */
  askedAtMs: number | null;
  /** In the order of the tags asked for. */
  failures: (ConsecutiveWrongCodes | null)[];
  /** Why the number gets no message by the channel asked for; null where it may get one. */
  refusal: NumberRefusal | null;
}

/** Numbers that get no message, under keyed hashes. */
export interface PersonMarksPort {
  /** Remembers that a number gets no message by these channels. @param ttlSeconds at least 1 */
  refuseNumber(
    numberTag: string,
    channels: readonly Channel[],
    refusal: NumberRefusal,
    ttlSeconds: number,
  ): Promise<void>;
  /** Forgets why a number, by its tags under all keys, got no message. @returns how many refusals there were */
  liftRefusals(numberTags: readonly string[], channels: readonly Channel[]): Promise<number>;
}

/** Carries people over a rotation of the pepper. */
export interface TagMigrationPort {
  /** Moves counts kept under older hashes to the present ones, before anything that is asked in the same tick. */
  adopt(tags: { number: TagChange; address: TagChange }): Promise<void>;
}

/** The claims of a device token: it was issued to the device when that verified. */
export interface DeviceTokenClaims {
  deviceId: string;
  /** Tags of the numbers it verified, the newest first. */
  numberTags: string[];
}

/** Device tokens, which the service issues and reads. */
export interface DeviceTokensPort {
  issue(claims: DeviceTokenClaims): Promise<string>;
  /** null for anything forged or expired. */
  read(token: string): Promise<DeviceTokenClaims | null>;
}

/** A source that is paid for answers about numbers. */
export interface LookupPort {
  readonly name: string;
  lookup(e164: string): Promise<({ kind: "answered" } & NumberInsight) | Unavailable>;
}

/** The memory of answers about numbers, so that none is paid for twice. */
export interface InsightCachePort {
  /** null for a number nobody was asked about, or too long ago. */
  recall(numberTag: string): Promise<NumberInsight | null | Unavailable>;
  remember(numberTag: string, insight: NumberInsight, ttlSeconds: number): Promise<void>;
}

/** The stores beside the ledger, for a person who asks what they hold or wants it erased. */
export interface PersonalDataPort {
  held(traces: PersonStoreKeys): Promise<{ kind: "answered"; marks: PersonalEntry[] } | Unavailable>;
  /** @returns how many entries were erased, by store */
  remove(
    traces: PersonStoreKeys,
  ): Promise<{ kind: "removed"; entries: Record<string, number> } | Unavailable>;
}
