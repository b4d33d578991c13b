/** Callers' credentials: API keys of servers, and operators' tokens and assertions. */
import type { ApiKey } from "../domain/access/api-key.ts";
import type { Operator } from "../domain/access/operator.ts";
import type { Unavailable } from "./result.ts";

export interface ApiKeyLookupPort {
  /**
   * Finds the key that a caller presents.
   *
   * @param presented what the caller sent, of any shape and length
   * @returns null for text that is no key, and for a key that is unknown, revoked, expired or has the wrong secret
   */
  find(presented: string): Promise<ApiKey | null | Unavailable>;
}

export interface OperatorIdentificationPort {
  /**
   * Identifies the operator who presents these headers: `Authorization: Bearer` with an operator token, or the assertion that
   * Cloudflare Access puts on what it lets through. A bearer token counts alone: an assertion beside a wrong one does not make
   * it good.
   */
  identify(
    headers: Headers,
  ): Promise<({ kind: "operator" } & Operator) | { kind: "refused"; cause: string } | Unavailable>;
}

export interface ApplicationTokens {
  /** @returns the id of the application that signed a token; null for anything forged, expired, or of an application unknown here */
  identify(jwt: string): Promise<string | null>;
}
