import { generateKeyPairSync } from "node:crypto";
import type { ProofKey, RingKey } from "../../../src/config/config.ts";

/** A fresh key of a ring. */
export const ringKey = (id: string): RingKey => ({ id, secret: crypto.getRandomValues(new Uint8Array(32)) });

/** A fresh private key that signs proofs. */
export function proofKey(kid: string): ProofKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "", d = "" } = privateKey.export({ format: "jwk" });
  return { kid, kty: "EC", crv: "P-256", x, y, d };
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Every text that differs from this one in one place. A base64url digit is changed in its highest bit, because the
 * lowest ones of a last digit mean nothing and decode to the same bytes.
 */
export function* tamperedWith(text: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    const value = BASE64URL.indexOf(text.charAt(i));
    const other = value === -1 ? "A" : BASE64URL.charAt(value ^ 32);
    yield text.slice(0, i) + other + text.slice(i + 1);
  }
}
