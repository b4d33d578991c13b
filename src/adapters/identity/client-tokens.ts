import * as z from "zod";
import type { RingKey } from "../../config/config.ts";
import { failureTags } from "../../domain/admission/failures.ts";
import { KNOWN_SECONDS } from "../../domain/admission/lifetimes.ts";
import type { DeviceTokensPort } from "../../ports/people.ts";
import type { SessionTokensPort } from "../../ports/session.ts";
import { sealedTokens } from "./sealed-tokens.ts";

const sessionClaims = z.object({
  sid: z.string(),
  cid: z.string(),
  flow: z.string(),
  phone: z.string(),
  loc: z.string().nullable().default(null),
  src: z
    .object({ ip: z.string().nullable(), asn: z.number().nullable(), country: z.string().nullable() })
    .nullable()
    .default(null),
  ref: z.string().nullable(),
  did: z.string(),
  nums: z.array(z.string()),
  /** The number's tag, and the user's where a server named one. */
  fail: z.tuple([z.string()], z.string()),
});

/** Session tokens: they tie session, number, flow and reference together, and hold the number, which is kept nowhere else. */
export function sessionTokens(ring: readonly RingKey[], nowMs: () => number): SessionTokensPort {
  const tokens = sealedTokens(ring, "session token", nowMs);
  return {
    mint: (claims, ttlSeconds) =>
      tokens.seal(
        {
          sid: claims.sessionId,
          cid: claims.correlationId,
          flow: claims.flow,
          phone: claims.phone,
          loc: claims.locale,
          src: claims.source,
          ref: claims.reference,
          did: claims.deviceId,
          nums: claims.deviceNumberTags,
          fail: failureTags(claims.failureSubjects),
        },
        ttlSeconds,
      ),

    async open(token) {
      const opened = await tokens.open(token);
      const claims = sessionClaims.safeParse(opened?.payload);
      if (!opened || !claims.success) return null;
      const { sid, cid, flow, phone, loc, src, ref, did, nums, fail } = claims.data;
      const [number, user = null] = fail;
      return {
        sessionId: sid,
        correlationId: cid,
        flow,
        phone,
        locale: loc,
        source: src,
        reference: ref,
        deviceId: did,
        deviceNumberTags: nums,
        failureSubjects: { number, user },
        keyId: opened.keyId,
      };
    },
  };
}

const deviceClaims = z.object({ did: z.string(), nums: z.array(z.string()) });

/** Device tokens: a device is known by what we gave it when it verified, for 180 days, and not by what it says of itself. */
export function deviceTokens(ring: readonly RingKey[], nowMs: () => number): DeviceTokensPort {
  const tokens = sealedTokens(ring, "device token", nowMs);
  return {
    issue: ({ deviceId, numberTags }) => tokens.seal({ did: deviceId, nums: numberTags }, KNOWN_SECONDS),

    async read(token) {
      const claims = deviceClaims.safeParse((await tokens.open(token))?.payload);
      return claims.success ? { deviceId: claims.data.did, numberTags: claims.data.nums } : null;
    },
  };
}
