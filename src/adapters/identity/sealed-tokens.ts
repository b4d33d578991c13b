import { decodeProtectedHeader, EncryptJWT, type JWTPayload, jwtDecrypt } from "jose";
import type { RingKey } from "../../config/config.ts";

const ALGORITHM = "dir";
/** AES-CBC with HMAC-SHA-256 (RFC 7518 section 5.2.3): the HMAC is checked before anything is decrypted. */
const ENCRYPTION = "A128CBC-HS256";

/**
 * Tokens that only this service reads, as JWE. Each purpose has a key of its own, derived (HKDF) from the ring's keys; a
 * token names its key, so that those made before a rotation live to their end.
 */
export function sealedTokens(ring: readonly RingKey[], purpose: string, nowMs: () => number) {
  const derived = new Map(ring.map((key) => [key.id, deriveKey(key, purpose)]));
  const [active] = ring;
  if (!active) throw new Error("empty keyring: config.ts lets none through");

  return {
    async seal(payload: JWTPayload, ttlSeconds: number): Promise<string> {
      const key = await derived.get(active.id);
      if (!key) throw new Error("the active key was derived above");
      return new EncryptJWT(payload)
        .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, kid: active.id })
        .setExpirationTime(Math.floor(nowMs() / 1000) + ttlSeconds)
        .encrypt(key);
    },

    /** null for anything forged, expired, or made by a key that is gone. */
    async open(token: string): Promise<{ keyId: string; payload: JWTPayload } | null> {
      try {
        const { kid = "" } = decodeProtectedHeader(token);
        const key = await derived.get(kid);
        if (!key) return null;
        const { payload } = await jwtDecrypt(token, key, {
          keyManagementAlgorithms: [ALGORITHM],
          contentEncryptionAlgorithms: [ENCRYPTION],
          currentDate: new Date(nowMs()),
          requiredClaims: ["exp"],
        });
        return { keyId: kid, payload };
      } catch {
        return null;
      }
    },
  };
}

async function deriveKey({ secret }: RingKey, purpose: string): Promise<Uint8Array> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode(`tollgate ${purpose}`);
  const salt = new Uint8Array();
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, material, 256),
  );
}
