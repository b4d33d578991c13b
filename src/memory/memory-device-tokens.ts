import { KNOWN_SECONDS } from "../domain/admission/lifetimes.ts";
import type { DeviceTokenClaims, DeviceTokensPort } from "../ports/people.ts";
import { expiringMap } from "./expiring-map.ts";

/** Issues device tokens whose claims are kept here instead of sealed into them: a token is nothing but a name. */
export function memoryDeviceTokens(nowMs: () => number): DeviceTokensPort {
  const issued = expiringMap<DeviceTokenClaims>(nowMs);
  let count = 0;
  return {
    async issue({ deviceId, numberTags }) {
      const token = `device-token-${count++}`;
      issued.set(token, { deviceId, numberTags }, KNOWN_SECONDS);
      return token;
    },
    read: async (token) => issued.get(token) ?? null,
  };
}
