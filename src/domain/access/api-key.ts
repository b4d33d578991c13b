import { sameDigest } from "../kernel/digest.ts";

/** The entry in a record's `flows` that allows every flow. */
export const EVERY_FLOW = "*";

/** An API key as the store holds it. Nothing in it is secret: the key cannot be made from it. */
export interface ApiKeyRecord {
  /** The holder, in the operator's words: for logs and lists. */
  name: string;
  /** base64url SHA-256 of the key's secret. */
  hash: string;
  /** Flows the key may use, or {@link EVERY_FLOW} alone. */
  flows: readonly string[];
  /** True for a key whose sends need no CAPTCHA. Limits, budgets and caps hold for every key. */
  skip_captcha: boolean;
  /** Requests in a minute, over all its users. */
  max_per_minute: number;
  created_at_ms: number;
  /** null for a key that does not expire. */
  expires_at_ms: number | null;
}

/** A valid API key, with what its holder may do. */
export interface ApiKey {
  keyId: string;
  name: string;
  flows: readonly string[];
  skipCaptcha: boolean;
  maxPerMinute: number;
}

/** The two parts of the text a caller presents as a key. */
export interface PresentedKey {
  /** The key's name in the store, in logs and lists; not secret. */
  id: string;
  secret: string;
}

/** The secret may hold `_` and `-` (base64url) and the id never does, so the id ends at the second `_`. */
const KEY = /^tg_([a-z2-7]{12})_([\w-]{43})$/;
const KEY_ID = /^[a-z2-7]{12}$/;

/**
 * Reads `tg_<id>_<secret>`: the id is 12 characters of base32 in small letters, the secret 32 bytes in base64url.
 *
 * @returns null for anything else
 */
export function parseApiKey(text: string): PresentedKey | null {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

/** True for text of the form of a key's id. */
export const isApiKeyId = (text: string): boolean => KEY_ID.test(text);

/**
 * True where a presented secret is that of this record, and the key has not expired.
 *
 * @param hash base64url SHA-256 of the presented secret
 */
export function isApiKeyValid(record: ApiKeyRecord, hash: string, nowMs: number): boolean {
  return sameDigest(record.hash, hash) && !isApiKeyExpired(record, nowMs);
}

/** True from the very millisecond of the key's expiry on. */
export function isApiKeyExpired({ expires_at_ms }: ApiKeyRecord, nowMs: number): boolean {
  return expires_at_ms !== null && nowMs >= expires_at_ms;
}

/** True where a key may be used for this flow of the policy. */
export function mayUseFlow({ flows }: Pick<ApiKey, "flows">, flow: string): boolean {
  return flows.includes(EVERY_FLOW) || flows.includes(flow);
}
