import { importJWK, type JWTPayload, SignJWT } from "jose";
import type { ProofKey } from "../../config/config.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { ProofContent, ProofsPort } from "../../ports/session.ts";

/** RFC 8176 names for how the number was proven: a one-time code, and the way it went. */
const AMR: Record<Channel, string[]> = {
  sms: ["otp", "sms"],
  voice: ["otp", "tel"],
  whatsapp: ["otp"],
  telegram: ["otp"],
};

/**
 * Proofs as ES256 JWTs that the customer's backend checks offline against the JWKS. The subject is the number itself as
 * a `tel:` URI (RFC 3966), because it is the only identity that was proven: a user id named by a public client is a
 * claim, and signing it would turn it into a login.
 */
export function es256Proofs(keys: readonly ProofKey[], policy: { issuer: string; ttl_seconds: number }) {
  const signers = keys.map(({ kid, signs_from_ms = 0, ...jwk }) => ({
    kid,
    signsFromMs: signs_from_ms,
    key: importJWK({ ...jwk, kid, alg: "ES256" }),
  }));
  const lastSigner = signers.at(-1);
  if (!lastSigner) throw new Error("no proof key: config.ts lets none through");
  /** The newest key that everybody has had the time to read; where all are new, the oldest. */
  const signerAt = (nowMs: number) => signers.find(({ signsFromMs }) => signsFromMs <= nowMs) ?? lastSigner;
  return {
    async sign(claims: ProofContent, nowMs: number, proofId: string = crypto.randomUUID()) {
      const { kid, key } = signerAt(nowMs);
      return new SignJWT(proofPayload(claims, policy, nowMs, proofId))
        .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
        .sign(await key);
    },

    publicKeys: () => ({ keys: keys.map(publicHalf) }),
  } satisfies ProofsPort;
}

/** The claims of a proof, whoever signs it. */
export function proofPayload(
  { phone, flow, audience, channel, reference, correlationId }: ProofContent,
  { issuer, ttl_seconds }: { issuer: string; ttl_seconds: number },
  nowMs: number,
  proofId: string,
): JWTPayload {
  const issuedAt = Math.floor(nowMs / 1000);
  return {
    phone_number: phone,
    phone_number_verified: true,
    amr: AMR[channel],
    flow,
    correlation_id: correlationId,
    ...(reference === null ? {} : { ref: reference }),
    iss: issuer,
    sub: `tel:${phone}`,
    aud: audience,
    jti: proofId,
    iat: issuedAt,
    exp: issuedAt + ttl_seconds,
  };
}

/** What of a key may be published. */
export const publicHalf = ({ kid, kty, crv, x, y }: ProofKey) => ({
  kid,
  kty,
  crv,
  x,
  y,
  alg: "ES256",
  use: "sig",
});
