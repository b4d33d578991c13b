import { z } from "zod";
import type { RingKey } from "../../config/config.ts";
import { KNOWN_SECONDS } from "../../domain/admission/lifetimes.ts";
import type { DevicesPort } from "../../ports/people.ts";
import { sealedTokens } from "./sealed-tokens.ts";

const claimsSchema = z.object({ did: z.string(), nums: z.array(z.string()) });

/** Device tokens: a device is known by what we gave it when it verified, for 180 days, and not by what it says of itself. */
export function deviceTokens(ring: readonly RingKey[], nowMs: () => number): DevicesPort {
  const tokens = sealedTokens(ring, "device token", nowMs);
  return {
    issue: ({ deviceId, numberTags }) => tokens.seal({ did: deviceId, nums: numberTags }, KNOWN_SECONDS),

    async read(token) {
      const claims = claimsSchema.safeParse((await tokens.open(token))?.payload);
      return claims.success ? { deviceId: claims.data.did, numberTags: claims.data.nums } : null;
    },
  };
}
