/** Sessions of operators that were signed out, in KV: other places hear of it within a minute. */

/** The methods of a KV namespace that this adapter uses. */
interface EndedSessionStore {
  get(key: string, options: { type: "text"; cacheTtl: number }): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

/** KV refuses a shorter edge cache. */
const KV_CACHE_TTL_SECONDS = 30;

const keyOf = (session: string) => `ops-ended:${session}`;

/** Keeps ended sessions for as long as their cookies could be shown. A KV that does not answer knows of none. */
export function kvEndedSessions(store: EndedSessionStore) {
  return {
    async end(session: string, ttlSeconds: number): Promise<void> {
      await store.put(keyOf(session), "ended", { expirationTtl: ttlSeconds });
    },
    async has(session: string): Promise<boolean> {
      const options = { type: "text", cacheTtl: KV_CACHE_TTL_SECONDS } as const;
      const found = await store.get(keyOf(session), options).catch(() => null);
      return found !== null;
    },
  };
}
