/** Chance and keys: ids, keyed hashes that stand for people, sealed codes and numbers. */
export interface VaultPort {
  /** A random UUID. */
  newId(): string;
  /** The UUID a tag stands for: the same tag, the same UUID. */
  uuidFrom(tag: string): string;
  randomBytes(count: number): Uint8Array;
  /** A keyed hash that stands for a number, an address or a key wherever it is stored. */
  tag(kind: string, value: string): Promise<string>;
  /** The key that makes tags now. */
  tagKeyId(): string;
  /** The tags under every key there is, the present one first: records of before a rotation are found too. */
  tags(kind: string, value: string): Promise<string[]>;
  /** The key under which new sessions' codes are digested. */
  sessionKeyId(): string;
  digestCode(keyId: string, sessionId: string, code: string): Promise<string>;
  sealCode(sessionId: string, code: string): Promise<string>;
  unsealCode(sessionId: string, sealed: string): Promise<string>;
  /** Encrypts a number or an address for the ledger, tied to the event it belongs to: `<key id>.<nonce>.<ciphertext>`. */
  sealForLedger(eventId: string, text: string): Promise<string>;
  /** null when its key is gone, or when it is not this event's. */
  unsealFromLedger(eventId: string, sealed: string): Promise<string | null>;
}
