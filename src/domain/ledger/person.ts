/** A person in the stores, where people are known by keyed hashes only. */

/** The keys under which the stores may hold something of a person, derived from the number and its rows in the ledger. */
export interface PersonStoreKeys {
  /** Hashes of the number under every pepper key there is. */
  numberTags: readonly string[];
  /** Devices that are named after the number. */
  deviceIds: readonly string[];
  /** Addresses that asked for the number lately. */
  addressTags: readonly string[];
  /** Demands for a challenge, by number and address. */
  askTags: readonly string[];
  /** Messages by the provider's own ids. */
  messages: readonly { provider: string; messageId: string }[];
  /** Networks that asked for the number lately, and when (quarters of an hour since 1970). */
  sources: readonly { asn: number; quarter: number }[];
}

/** One entry that a store holds of a person. */
export interface PersonalEntry {
  /** The store, in words. */
  store: string;
  /** The entry's content. */
  value: string | number | Readonly<Record<string, string | number>>;
  /** Seconds until it expires by itself; null for never. */
  lifeSeconds: number | null;
}

/** The traces that no command of ours reaches, in sentences: they expire by themselves, or others must remove them. */
export const UNREACHABLE_TRACES = [
  "Session tokens, device tokens and proofs are in the hands of whoever got them: sealed or signed, and good until they expire (10 minutes, 180 days, and proof.ttl_seconds at most 15 minutes). A device token keeps the hash of the number.",
  "A session token that an idempotency key remembers in Upstash is sealed and found by that key alone; it goes after code.session_seconds, at most 10 minutes.",
  "Events that were on the queue when this ran are written after it: run it again in a minute.",
  "D1 Time Travel keeps the database as it was for 30 days (7 on the free plan) and cannot leave a person out; whoever restores it must run the erasure again.",
  "The provider, and the carriers behind it, keep their own copy of each message: ask them.",
  "What your backend got in proofs and webhooks is yours to remove.",
] as const;

/** The hashes of one subject under the present pepper key and under the older ones. */
export interface TagChange {
  present: string;
  older: readonly string[];
}
