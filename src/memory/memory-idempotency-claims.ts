import type { IdempotencyClaimsPort } from "../ports/admission.ts";
import { expiringMap } from "./expiring-map.ts";

/** Keeps idempotency keys in memory: the first request to claim one holds it, the others read who does. */
export function memoryIdempotencyClaims(nowMs: () => number): IdempotencyClaimsPort {
  const held = expiringMap<string>(nowMs);
  return {
    async claim(key, value, ttlSeconds) {
      const holder = held.get(key);
      if (holder === undefined) held.set(key, value, ttlSeconds);
      return { kind: "held", value: holder ?? value };
    },
    async release(key, value) {
      if (held.get(key) === value) held.delete(key);
    },
  };
}
