import { expiringMap } from "./expiring-map.ts";

/** Keeps idempotency keys in memory: the first request to claim one holds it, the others read who does. */
export function memoryIdempotencyClaims(nowMs: () => number) {
  const held = expiringMap<string>(nowMs);
  return {
    /** @returns the value that holds the key */
    claim(key: string, value: string, ttlSeconds: number): string {
      const holder = held.get(key);
      if (holder === undefined) held.set(key, value, ttlSeconds);
      return holder ?? value;
    },
    release(key: string, value: string): void {
      if (held.get(key) === value) held.delete(key);
    },
  };
}
