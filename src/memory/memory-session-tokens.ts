import type { OpenedToken, SessionTokensPort } from "../ports/session.ts";
import { expiringMap } from "./expiring-map.ts";

/** Mints session tokens whose claims are kept here instead of sealed into them: a token is nothing but a name. */
export function memorySessionTokens(nowMs: () => number): SessionTokensPort {
  const minted = expiringMap<OpenedToken>(nowMs);
  let count = 0;
  return {
    async mint(claims, ttlSeconds) {
      const token = `session-token-${count++}`;
      minted.set(token, { ...claims, keyId: "memory" }, ttlSeconds);
      return token;
    },
    open: async (token) => minted.get(token) ?? null,
  };
}
