import { decodeJwt, importSPKI, jwtVerify } from "jose";
import type { CompatPolicy } from "../../domain/access/compat.policy.ts";
import { DAY_SECONDS } from "../../domain/kernel/time.ts";
import type { ApplicationTokens } from "../../ports/access.ts";

/** Clients' clocks may be off by so much. */
const CLOCK_SECONDS = 300;

const MAX_TOKEN = 4096;

/**
 * Tokens that applications sign for themselves (JWT, RS256), as clients of Vonage make them: `application_id` names the
 * application, whose public key the policy has. One that lives longer than a day is refused, and so is one without an end.
 *
 * @see https://developer.vonage.com/en/getting-started/concepts/authentication
 */
export function applicationTokens(
  applications: CompatPolicy["vonage"]["applications"],
  nowMs: () => number,
): ApplicationTokens {
  const imported = new Map<string, ReturnType<typeof importSPKI>>();
  function keyOf(id: string, pem: string) {
    const key = imported.get(id) ?? importSPKI(pem, "RS256");
    imported.set(id, key);
    return key;
  }
  return {
    async identify(jwt) {
      if (jwt.length > MAX_TOKEN) return null;
      try {
        const id = decodeJwt(jwt).application_id;
        if (typeof id !== "string" || !Object.hasOwn(applications, id)) return null;
        const key = await keyOf(id, applications[id]?.public_key ?? "");
        const { payload } = await jwtVerify(jwt, key, {
          algorithms: ["RS256"],
          requiredClaims: ["application_id", "iat", "exp", "jti"],
          clockTolerance: CLOCK_SECONDS,
          currentDate: new Date(nowMs()),
        });
        const ends = (payload.exp ?? Number.POSITIVE_INFINITY) * 1000 - nowMs();
        const begins = (payload.iat ?? 0) * 1000 - nowMs();
        const fits = ends <= (DAY_SECONDS + CLOCK_SECONDS) * 1000 && begins <= CLOCK_SECONDS * 1000;
        return fits ? id : null;
      } catch {
        return null;
      }
    },
  };
}
