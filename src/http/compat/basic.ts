import type { Context } from "hono";
import { type ApiKey, mayUseFlow } from "../../domain/access/api-key.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { ApiKeyLookupPort } from "../../ports/access.ts";
import { findKey } from "../authenticate.ts";

/** The two halves of HTTP Basic (RFC 7617). */
interface BasicCredentials {
  user: string;
  password: string;
}

const MAX_CREDENTIALS = 1024;

/** Reads HTTP Basic; null where the header is none. */
export function readBasic(c: Context): BasicCredentials | null {
  const [, encoded = ""] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(c.req.header("Authorization") ?? "") ?? [];
  if (encoded === "" || encoded.length > MAX_CREDENTIALS) return null;
  let text: string;
  try {
    text = atob(encoded);
  } catch {
    return null;
  }
  const colon = text.indexOf(":");
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The key that a client of another vendor presents as its password. */
export async function keyOfBasic(
  credentials: BasicCredentials | null,
  apiKeys: ApiKeyLookupPort,
): Promise<ApiKey | Refusal> {
  if (credentials === null) return { kind: "unauthorized", cause: "no basic credentials" };
  return findKey(credentials.password, apiKeys);
}

/** null where the key is for this flow. */
export const refuseFlow = (key: ApiKey, flow: string): Refusal | null =>
  mayUseFlow(key, flow) ? null : { kind: "flow_refused", flow };
