import { createRemoteJWKSet, customFetch, errors, jwtVerify } from "jose";
import type { OperatorTokenEntry } from "../../domain/access/operator.ts";
import { sameDigest } from "../../domain/kernel/digest.ts";
import { MINUTE_MS } from "../../domain/kernel/time.ts";
import type { OperatorIdentificationPort } from "../../ports/access.ts";
import { sha256Hex } from "../digest.ts";

/** The ways for operators to prove who they are; with neither, nobody gets in. */
export interface OperatorSettings {
  tokens: readonly OperatorTokenEntry[];
  access: {
    /** `<team>.cloudflareaccess.com`. */
    teamDomain: string;
    /** The application's audience tag. */
    audience: string;
    /** E-mail addresses that may act; everyone else whom Access lets through may look. */
    operators: readonly string[];
  } | null;
}

/** Keys are asked for again after this long; a key nobody knows yet is looked for at most this often. */
const KEYS_MAX_AGE_MS = 10 * MINUTE_MS;
const KEYS_COOL_DOWN_MS = 30_000;
/** After a failure nobody asks again for this long: forged assertions must not become requests to Access. */
const FAILURE_COOL_DOWN_MS = 5000;
const KEYS_TIMEOUT_MS = 3000;

/** Longer ones are no tokens of ours, and are not hashed. */
const MAX_TOKEN_LENGTH = 256;
const CLOCK_TOLERANCE_SECONDS = 60;

/** Errors of jose for a token that is not valid, as opposed to keys that could not be fetched. */
const REFUSALS = [
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSMultipleMatchingKeys,
  errors.JWKSNoMatchingKey,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JWTClaimValidationFailed,
  errors.JWTExpired,
  errors.JWTInvalid,
];

/**
 * Operators by tokens of our own and by Cloudflare Access. Tokens are 256 random bits and cannot be guessed, so failed tries
 * are not counted, and nothing outside must answer before a person gets in with one.
 *
 * An Access assertion is an RS256 JWT by the team's keys, for this application's audience
 * (https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/validating-json/). Its `email` names a
 * person; a service token has a `common_name` instead, and may only look. Keys that cannot be had make it `unavailable`.
 *
 * @param fetchKeys for tests
 */
export function operatorIdentities(
  { tokens, access }: OperatorSettings,
  nowMs: () => number,
  fetchKeys: typeof fetch = (input, init) => fetch(input, init),
): OperatorIdentificationPort {
  const assertions = access === null ? null : accessAssertions(access, nowMs, fetchKeys);

  async function byToken(presented: string): ReturnType<OperatorIdentificationPort["identify"]> {
    if (presented.length > MAX_TOKEN_LENGTH) return refused("no such token");
    // Plain: 256 random bits cannot be guessed at any price.
    const hash = await sha256Hex(presented);
    // All are compared, so that time does not tell which one was near.
    const found = tokens.filter((token) => sameDigest(token.hash, hash))[0];
    return found ? { kind: "operator", who: found.who, role: found.role } : refused("no such token");
  }

  return {
    async identify(headers) {
      const authorization = headers.get("authorization");
      if (authorization !== null) {
        const presented = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
        return presented === undefined ? refused("authorization is not Bearer") : byToken(presented);
      }
      const assertion = headers.get("cf-access-jwt-assertion");
      if (assertion === null) return refused("nothing presented");
      return assertions ? assertions(assertion) : refused("Access is not set up");
    },
  };
}

function accessAssertions(
  { teamDomain, audience, operators }: NonNullable<OperatorSettings["access"]>,
  nowMs: () => number,
  fetchKeys: typeof fetch,
) {
  const issuer = `https://${teamDomain}`;
  const mayAct = new Set(operators.map((email) => email.toLowerCase()));
  let failedAtMs = Number.NEGATIVE_INFINITY;

  const keys = createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`), {
    cacheMaxAge: KEYS_MAX_AGE_MS,
    cooldownDuration: KEYS_COOL_DOWN_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
    async [customFetch](url, options) {
      if (nowMs() - failedAtMs < FAILURE_COOL_DOWN_MS) throw new Error("the keys could not be had just now");
      const response = await fetchKeys(url, options as RequestInit).catch(() => null);
      if (response?.status !== 200) failedAtMs = nowMs();
      if (response === null) throw new Error("no answer");
      return response;
    },
  });

  return async (assertion: string): ReturnType<OperatorIdentificationPort["identify"]> => {
    try {
      const { payload } = await jwtVerify(assertion, keys, {
        issuer,
        audience,
        algorithms: ["RS256"],
        requiredClaims: ["exp", "iat"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(nowMs()),
      });
      const { email, common_name } = payload;
      if (typeof email === "string" && email !== "") {
        const who = email.toLowerCase();
        return { kind: "operator", who, role: mayAct.has(who) ? "operator" : "viewer" };
      }
      return typeof common_name === "string" && common_name !== ""
        ? { kind: "operator", who: common_name, role: "viewer" }
        : refused("the Access assertion names nobody");
    } catch (error) {
      // jose's messages name claims and codes, never the assertion itself.
      const code = error instanceof errors.JOSEError ? error.code : "unknown";
      return REFUSALS.some((kind) => error instanceof kind)
        ? refused(`Access assertion: ${code}`)
        : { kind: "unavailable", cause: "the keys of Access could not be had" };
    }
  };
}

const refused = (cause: string) => ({ kind: "refused" as const, cause });
