import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { keyFinderOf } from "./key-finder.ts";

const ALGORITHM = "ES256";

/** What a proof must be for. */
export interface ProofExpectation {
  /** Who signs: the service's address, as in its policy (`proof.issuer`). */
  issuer: string;
  /** Whom it is for: your audience, as in the service's policy (`proof.audience`). */
  audience: string;
  /**
   * The very action it was asked for, as your client named it in the send: a transfer's id, for example. Left out, only
   * a proof without a reference will do, so that a proof for a transfer opens nothing else.
   */
  reference?: string | undefined;
  /** The flow it was asked in, where you have several: one for a newsletter must not release a transfer. */
  flow?: string | undefined;
  /** The key set, where it is not at the issuer's well-known place (RFC 7517). */
  jwksUrl?: string | undefined;
  /**
   * Remembers a proof: resolves to true the first time an id is seen, and to false ever after. It may forget the id
   * after `expiresAt`. In one process a `Set` will do; with several, one step that cannot be raced (Redis `SET NX`).
   */
  once?: ((jti: string, expiresAt: Date) => Promise<boolean>) | undefined;
}

/** What a proof says, by the names in the token (OpenID Connect Core 5.1, RFC 7519, RFC 8176). */
export interface ProofClaims {
  iss: string;
  /** The number as a `tel:` URI (RFC 3966). */
  sub: string;
  aud: string | string[];
  /** The number that was proven, in E.164. */
  phone_number: string;
  phone_number_verified: true;
  /** How: `otp`, and `sms` or `tel`. */
  amr: string[];
  flow: string;
  /** The reference of the send. */
  ref?: string;
  /** Names the verification in every log line of the service. */
  correlation_id: string;
  /** The proof's own id. Report it with an outcome; accept it once. */
  jti: string;
  /** Seconds since 1970. */
  iat: number;
  /** Seconds since 1970. */
  exp: number;
}

export type ProofRefusal =
  /** No JWT, or one without what every proof has. */
  | "malformed"
  /** Signed in another way than ES256, or not at all. */
  | "wrong_algorithm"
  /** The issuer publishes no key of this name. */
  | "unknown_key"
  /** The issuer's keys cannot be read, and none that was read before fits. Try again in some seconds. */
  | "keys_unavailable"
  | "bad_signature"
  | "expired"
  | "wrong_issuer"
  | "wrong_audience"
  | "wrong_flow"
  /** Asked for another action, or for one where none is expected, or the other way round. */
  | "wrong_reference"
  /** It does not say that the number was proven. */
  | "not_verified"
  /** It was used before. */
  | "replayed";

export type ProofResult = { ok: true; claims: ProofClaims } | { ok: false; reason: ProofRefusal };

/**
 * Checks a proof that a client brought, with the issuer's published keys. They are read when first needed and kept: ten
 * minutes, or for as long as they cannot be read again.
 *
 * @param token as the client brought it, of whatever type
 * @returns the claims, or the reason to refuse. It rejects only when `once` does, and then the proof must not be accepted.
 */
export async function verifyProof(token: unknown, expected: ProofExpectation): Promise<ProofResult> {
  const { issuer, audience, reference, flow, once } = expected;
  // An empty one, from a setting that is missing, would let jose leave that check out.
  if (!issuer) return refuse("wrong_issuer");
  if (!audience) return refuse("wrong_audience");
  const jwksUrl = expected.jwksUrl ?? `${issuer.replace(/\/+$/, "")}/.well-known/jwks.json`;
  if (typeof token !== "string") return refuse("malformed");

  const header = headerOf(token);
  if (header === null) return refuse("malformed");
  if (header.alg !== ALGORITHM) return refuse("wrong_algorithm");
  const found = await keyFinderOf(jwksUrl)(header);
  if ("refusal" in found) return refuse(found.refusal);

  let payload: JWTPayload;
  try {
    const options = { issuer, audience, algorithms: [ALGORITHM], requiredClaims: ["exp", "iat"] };
    ({ payload } = await jwtVerify(token, found.key, options));
  } catch (error) {
    return refuse(reasonOf(error));
  }

  if (payload.phone_number_verified !== true) return refuse("not_verified");
  if (!isProof(payload)) return refuse("malformed");
  if (flow !== undefined && payload.flow !== flow) return refuse("wrong_flow");
  if (payload.ref !== reference) return refuse("wrong_reference");
  if (once && !(await once(payload.jti, new Date(payload.exp * 1000)))) return refuse("replayed");
  return { ok: true, claims: payload };
}

const refuse = (reason: ProofRefusal): ProofResult => ({ ok: false, reason });

function headerOf(token: string) {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): ProofRefusal {
  if (error instanceof errors.JWSSignatureVerificationFailed) return "bad_signature";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "iss") return "wrong_issuer";
    if (error.claim === "aud") return "wrong_audience";
  }
  return "malformed";
}

function isProof(payload: JWTPayload): payload is JWTPayload & ProofClaims {
  const { sub, phone_number, amr, flow, ref, correlation_id, jti } = payload;
  return (
    typeof phone_number === "string" &&
    sub === `tel:${phone_number}` &&
    Array.isArray(amr) &&
    amr.every((method) => typeof method === "string") &&
    typeof flow === "string" &&
    (ref === undefined || typeof ref === "string") &&
    typeof correlation_id === "string" &&
    typeof jti === "string" &&
    jti !== ""
  );
}
