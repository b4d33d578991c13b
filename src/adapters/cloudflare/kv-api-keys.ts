import * as z from "zod";
import { type ApiKeyRecord, EVERY_FLOW, isApiKeyValid, parseApiKey } from "../../domain/access/api-key.ts";
import type { ApiKeyLookupPort } from "../../ports/access.ts";
import type { Log } from "../../ports/deps.ts";

/** The methods of a KV namespace that this adapter uses. */
export interface ApiKeyStore {
  get(key: string, options: { type: "text"; cacheTtl: number }): Promise<string | null>;
}

/** The prefix of the records, each under its key's id; known to operators and scripts. */
export const API_KEY_RECORD_PREFIX = "api-key:";

/** KV refuses a shorter edge cache. */
const KV_CACHE_TTL_SECONDS = 30;

/** The time for which an isolate uses the value it read. */
const MEMORY_MS = 30_000;

/** Ids an isolate remembers of each kind, known and unknown: some hundred kilobytes at most. */
const MEMORY_SIZE = 1000;

/** A record with a field too many, too few or out of range is no record. */
const recordSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  hash: z.string().regex(/^[\w-]{43}$/),
  flows: z
    .array(z.string().regex(/^([a-z][a-z0-9_]{0,31}|\*)$/))
    .min(1)
    .refine((flows) => flows.length === 1 || !flows.includes(EVERY_FLOW)),
  skip_captcha: z.boolean(),
  max_per_minute: z.int().min(1),
  created_at_ms: z.int().min(0),
  expires_at_ms: z.int().min(0).nullable(),
});

/** @returns null for text that is no record of a key */
export function readApiKeyRecord(text: string): ApiKeyRecord | null {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * The hash that stands for a secret at rest: plain SHA-256 in base64url. A slow hash makes guessing dear where people
 * choose the secret; 256 random bits cannot be guessed at any price.
 */
export async function hashApiKeySecret(secret: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  const binary = String.fromCharCode(...new Uint8Array(hash));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * The API keys in KV. To revoke one is to delete its record: KV takes up to 60 s to tell every place, and an isolate
 * that read it just before acts on it for another 30 s.
 *
 * A record that nobody can read is no key, and told in the log. A KV that does not answer is `unavailable` and not
 * remembered: the next request asks again.
 */
export function kvApiKeys(kv: ApiKeyStore, nowMs: () => number, log: Log): ApiKeyLookupPort {
  // Apart, so that a flood of made-up ids cannot push out the keys in use.
  const known = memory<ApiKeyRecord>(nowMs);
  const unknown = memory<null>(nowMs);

  async function recordOf(id: string): Promise<ApiKeyRecord | null> {
    const remembered = known.get(id) ?? unknown.get(id);
    if (remembered !== undefined) return remembered;
    const text = await kv.get(`${API_KEY_RECORD_PREFIX}${id}`, {
      type: "text",
      cacheTtl: KV_CACHE_TTL_SECONDS,
    });
    const record = text === null ? null : readApiKeyRecord(text);
    if (record !== null) return known.set(id, record);
    if (text !== null) log("api_key_unreadable", { key_id: id });
    return unknown.set(id, null);
  }

  return {
    async find(presented) {
      const key = parseApiKey(presented);
      if (key === null) return null;
      let record: ApiKeyRecord | null;
      try {
        record = await recordOf(key.id);
      } catch {
        return { kind: "unavailable", cause: "KV does not answer" };
      }
      if (record === null || !isApiKeyValid(record, await hashApiKeySecret(key.secret), nowMs())) return null;
      const { name, flows, skip_captcha: skipCaptcha, max_per_minute: maxPerMinute } = record;
      return { keyId: key.id, name, flows, skipCaptcha, maxPerMinute };
    },
  };
}

/** Remembers values for {@link MEMORY_MS}; when full, the one read longest ago makes room. */
function memory<T>(nowMs: () => number) {
  const entries = new Map<string, { value: T; readAtMs: number }>();
  return {
    get(id: string): T | undefined {
      const entry = entries.get(id);
      return entry && nowMs() - entry.readAtMs < MEMORY_MS ? entry.value : undefined;
    },
    set(id: string, value: T): T {
      entries.delete(id);
      const [oldest] = entries.keys();
      if (entries.size >= MEMORY_SIZE && oldest !== undefined) entries.delete(oldest);
      entries.set(id, { value, readAtMs: nowMs() });
      return value;
    },
  };
}
