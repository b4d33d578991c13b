import { base64url } from "jose";
import type { ProofKey } from "../../config/config.ts";
import type { KmsSigningKey } from "../../config/kms-keys.ts";
import type { Unavailable } from "../../ports/result.ts";
import type { ProofsPort } from "../../ports/session.ts";
import { proofPayload, publicHalf } from "../identity/proofs.ts";
import type { Kms, PublicPoint } from "./kms.ts";

/**
 * Proofs whose private key never leaves KMS. The first key signs, all of them are published, and so are keys that signed
 * before the service moved to KMS.
 *
 * A public key is asked for once in an isolate's life: the pair behind a key's ARN never changes.
 *
 * @param earlier local keys, whose proofs may still be on their way
 */
export function kmsProofs(
  kms: Kms,
  keys: readonly KmsSigningKey[],
  earlier: readonly ProofKey[],
  policy: { issuer: string; ttl_seconds: number },
): ProofsPort {
  const [active] = keys;
  if (!active) throw new Error("no key in KMS: config.ts lets none through");
  const known = new Map<string, PublicPoint>();

  async function publicKey(key: KmsSigningKey): Promise<PublicPoint | Unavailable> {
    const kept = known.get(key.arn);
    if (kept !== undefined) return kept;
    // Requests share what was answered and never an answer that is awaited: it would end with the request it belongs to.
    const found = await kms.publicKey(key);
    if (!("kind" in found)) known.set(key.arn, found);
    return found;
  }

  return {
    async sign(claims, nowMs, proofId = crypto.randomUUID()) {
      const header = { alg: "ES256", kid: active.id, typ: "JWT" };
      const input = [header, proofPayload(claims, policy, nowMs, proofId)]
        .map((part) => base64url.encode(JSON.stringify(part)))
        .join(".");
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(input));
      const signature = await kms.sign(active, new Uint8Array(digest));
      return "kind" in signature ? signature : `${input}.${base64url.encode(signature)}`;
    },

    async publicKeys() {
      const published: object[] = [];
      for (const [place, point] of (await Promise.all(keys.map(publicKey))).entries()) {
        if ("kind" in point) return point;
        const { x, y } = point;
        published.push({ kid: keys[place]?.id, kty: "EC", crv: "P-256", x, y, alg: "ES256", use: "sig" });
      }
      return { keys: [...published, ...earlier.map(publicHalf)] };
    },
  };
}
