import { env } from "cloudflare:workers";
import { API_KEY_RECORD_PREFIX, hashApiKeySecret } from "../../src/adapters/cloudflare/kv-api-keys.ts";
import type { ApiKeyRecord } from "../../src/domain/access/api-key.ts";

let minted = 0;

/** Mints an API key that may use every flow without a CAPTCHA, unless told otherwise. @returns its text */
export async function mintKey(over: Partial<ApiKeyRecord> = {}): Promise<string> {
  const letters = [...String(minted++)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const id = letters.padStart(12, "k");
  const secret = letters.padEnd(43, "s");
  const record: ApiKeyRecord = {
    name: "tests",
    hash: await hashApiKeySecret(secret),
    flows: ["*"],
    skip_captcha: true,
    max_per_minute: 6000,
    created_at_ms: Date.now(),
    expires_at_ms: null,
    ...over,
  };
  await env.CONTROL.put(API_KEY_RECORD_PREFIX + id, JSON.stringify(record));
  return `tg_${id}_${secret}`;
}
