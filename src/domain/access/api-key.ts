import { sameDigest } from "../kernel/digest.ts";

/** What a record's `flows` holds for a key that may use every flow. */
export const EVERY_FLOW = "*";

/** What is kept of a key, as it stands in the store. Nothing in it is secret: the key cannot be made from it. */
export interface ApiKeyRecord {
  /** Who holds the key, in the operator's words: in logs and lists. */
  name: string;
  /** base64url SHA-256 of the key's secret. */
  hash: string;
  /** Flows the key may use, or {@link EVERY_FLOW} alone. */
  flows: readonly string[];
  /** Whether its sends need no CAPTCHA. Limits, budgets and caps hold for every key. */
  skip_captcha: boolean;
  /** Requests in a minute, over all its users. */
  max_per_minute: number;
  created_at_ms: number;
  /** null for a key that does not expire. */
  expires_at_ms: number | null;
}

/** What the holder of a good key may do. */
export interface ApiKey {
  keyId: string;
  name: string;
  flows: readonly string[];
  skipCaptcha: boolean;
  maxPerMinute: number;
}

/** A key's text, taken apart. */
export interface PresentedKey {
  /** Names the key in the store, in logs and lists; no secret. */
  id: string;
  secret: string;
}

/** The secret may hold `_` and `-` (base64url), the id never does: what comes before the second `_` is the id. */
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

export const isApiKeyId = (text: string): boolean => KEY_ID.test(text);

/**
 * Whether a presented secret opens this record now.
 *
 * @param hash base64url SHA-256 of the presented secret
 */
export function isGoodKey(record: ApiKeyRecord, hash: string, nowMs: number): boolean {
  return sameDigest(record.hash, hash) && !isExpired(record, nowMs);
}

/** A key ends at its very millisecond of expiry. */
export function isExpired({ expires_at_ms }: ApiKeyRecord, nowMs: number): boolean {
  return expires_at_ms !== null && nowMs >= expires_at_ms;
}

/** Whether a key may be used for a flow, whose name is known to policy. */
export function mayUseFlow({ flows }: Pick<ApiKey, "flows">, flow: string): boolean {
  return flows.includes(EVERY_FLOW) || flows.includes(flow);
}
