import { decodeProtectedHeader, EncryptJWT, jwtDecrypt } from "jose";
import { z } from "zod";
import type { RingKey } from "../config.ts";
import type { TokensPort } from "../ports.ts";

const ALGORITHM = "dir";
/** AES-CBC with HMAC-SHA-256 (RFC 7518 section 5.2.3): the HMAC is checked before anything is decrypted. */
const ENCRYPTION = "A128CBC-HS256";

const claimsSchema = z.object({
  sid: z.string(),
  cid: z.string(),
  flow: z.string(),
  phone: z.string(),
  ref: z.string().nullable(),
});

/**
 * Session tokens as JWE. The key is derived from the session ring, apart from the one that digests codes; a token names
 * its key, so that sessions begun before a rotation go on to their end.
 */
export function sessionTokens(ring: readonly RingKey[], nowMs: () => number): TokensPort {
  const derived = new Map(ring.map((key) => [key.id, deriveKey(key)]));
  const [activeKey] = ring;
  if (!activeKey) throw new Error("empty keyring: config.ts lets none through");

  return {
    async mint({ sessionId, correlationId, flow, phone, reference }, ttlSeconds) {
      const key = await derived.get(activeKey.id);
      if (!key) throw new Error("the active key was derived above");
      return new EncryptJWT({ sid: sessionId, cid: correlationId, flow, phone, ref: reference })
        .setProtectedHeader({ alg: ALGORITHM, enc: ENCRYPTION, kid: activeKey.id })
        .setExpirationTime(Math.floor(nowMs() / 1000) + ttlSeconds)
        .encrypt(key);
    },

    async open(token) {
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
        const { sid, cid, flow, phone, ref } = claimsSchema.parse(payload);
        return { sessionId: sid, correlationId: cid, flow, phone, reference: ref, keyId: kid };
      } catch {
        return null;
      }
    },
  };
}

async function deriveKey({ secret }: RingKey): Promise<Uint8Array> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("tollgate session token");
  return new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
      material,
      256,
    ),
  );
}
