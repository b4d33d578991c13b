import { randomBytes, randomInt } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { PROOF_KEY_LEAD_SECONDS } from "../../src/domain/access/key-age.ts";

const SECRET_BYTES = 32;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/**
 * A name for a new key, such as `k20261121qzm`: the day says when it came into service, the letters keep two keys of one
 * day apart.
 */
export function mintKeyId(nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10).replaceAll("-", "");
  const letters = Array.from({ length: 3 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  return `k${day}${letters}`;
}

/**
 * A keyring with a new random key: `kid:base64url(32 bytes)`, several separated by commas, the first of them active.
 *
 * @param older the keyring so far; its keys stay behind the new one, so that what they made still verifies.
 * @throws Error when `older` is not a keyring; its content is not repeated in the message.
 */
export function mintKeyring(nowMs: number, older = ""): string {
  const olderKeys = older
    .split(",")
    .map((entry) => entry.trim())
    .filter(Boolean);
  const odd = olderKeys.findIndex((entry) => !/^[\w-]+:[\w-]{43}$/.test(entry));
  if (odd !== -1) throw new Error(`entry ${odd + 1} of the old value is not kid:base64url(32 bytes)`);
  const key = randomBytes(SECRET_BYTES).toString("base64url");
  return [`${mintKeyId(nowMs)}:${key}`, ...olderKeys].join(",");
}

/**
 * Signing keys for proofs: a JSON array of private ES256 JWKs, the first of them active. A key that follows others is published
 * at once and signs once every cache has let go of the key set without it.
 *
 * @param signsFromMs of the new key; by default at once where it has none before it
 * @param older the array so far, kept behind the new key.
 * @throws Error when `older` is not such an array; its content is not repeated in the message.
 */
export async function mintProofKeys(
  nowMs: number,
  older = "",
  signsFromMs = older.trim() === "" ? null : proofKeySignsFromMs(nowMs),
): Promise<string> {
  const olderKeys = older.trim() === "" ? [] : readProofKeys(older);
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const { kty, crv, x, y, d } = await exportJWK(privateKey);
  const from = signsFromMs === null ? {} : { signs_from_ms: signsFromMs };
  const key = { kid: mintKeyId(nowMs), kty, crv, x, y, d, alg: "ES256", use: "sig", ...from };
  return JSON.stringify([key, ...olderKeys]);
}

/** The time (ms) from which a proof key that is made now signs. */
export const proofKeySignsFromMs = (nowMs: number): number => nowMs + PROOF_KEY_LEAD_SECONDS * 1000;

function readProofKeys(text: string): JWK[] {
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    throw new Error("the old value is not JSON");
  }
  if (!Array.isArray(keys)) throw new Error("the old value is not a JSON array");
  const odd = keys.findIndex((key) => !key?.kid || key.kty !== "EC" || key.crv !== "P-256" || !key.d);
  if (odd !== -1) throw new Error(`entry ${odd + 1} of the old value is not a private P-256 JWK with a kid`);
  return keys;
}
