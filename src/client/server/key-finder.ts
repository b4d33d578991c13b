import { type CryptoKey, createRemoteJWKSet, errors, type JWSHeaderParameters } from "jose";

/** Keys older than this are read again, so that a withdrawn one stops working. */
const MAX_AGE_MS = 600_000;
/** An unknown key id makes the set be read again, at most this often: anybody can invent key ids. */
const COOL_DOWN_MS = 30_000;
/** After a failed read, this long nobody else waits for the next one. */
const RETRY_MS = 5_000;
const TIMEOUT_MS = 3_000;

type FoundKey = { key: CryptoKey } | { refusal: "unknown_key" | "keys_unavailable" };
type FindKey = (header: JWSHeaderParameters) => Promise<FoundKey>;

const sources = new Map<string, FindKey>();

/** The one reader of a key set in this process. */
export function keyFinderOf(jwksUrl: string): FindKey {
  const known = sources.get(jwksUrl);
  if (known) return known;
  const source = keySource(new URL(jwksUrl));
  sources.set(jwksUrl, source);
  return source;
}

/** Reads a key set when needed. While it cannot be read, the keys last read go on serving. */
function keySource(url: URL): FindKey {
  // When to read again is decided here: left to jose, keys that came of age would be useless while the set is down.
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: TIMEOUT_MS,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
  });
  let readAtMs = Number.NEGATIVE_INFINITY;
  let retryAtMs = Number.NEGATIVE_INFINITY;

  async function read(): Promise<boolean> {
    if (Date.now() < retryAtMs) return false;
    try {
      await remote.reload();
      readAtMs = Date.now();
      return true;
    } catch {
      retryAtMs = Date.now() + RETRY_MS;
      return false;
    }
  }

  async function find(header: JWSHeaderParameters): Promise<FoundKey> {
    try {
      return { key: await remote(header) };
    } catch (error) {
      const isUnknown =
        error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
      return { refusal: isUnknown ? "unknown_key" : "keys_unavailable" };
    }
  }

  return async (header) => {
    if (Date.now() - readAtMs > MAX_AGE_MS) await read();
    if (readAtMs === Number.NEGATIVE_INFINITY) return { refusal: "keys_unavailable" };
    const found = await find(header);
    const isNew = "refusal" in found && found.refusal === "unknown_key";
    if (!isNew || Date.now() - readAtMs < COOL_DOWN_MS) return found;
    return (await read()) ? find(header) : { refusal: "keys_unavailable" };
  };
}
