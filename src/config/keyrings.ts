/**
 * Keyrings as several secrets. Cloudflare gives no secret back, so that a key cannot be put into a ring whose other keys
 * nobody has at hand; but a secret can be added beside it. `SESSION_KEYS` is the oldest part of its ring, and each
 * `SESSION_KEYS_<UTC time>` (like `SESSION_KEYS_20261121T234501Z`) a newer one: the latest makes, all of them check.
 */
import type { KeyringKeyIds, KeyringName } from "../domain/access/key-age.ts";

/** The setting of each ring. */
export const RING_SETTINGS: Readonly<Record<KeyringName, string>> = {
  session: "SESSION_KEYS",
  pepper: "PEPPER_KEYS",
  encryption: "ENCRYPTION_KEYS",
  proof: "PROOF_KEYS",
};

const ADDED = /^_\d{8}T\d{6}Z$/;

/** The name of a secret that is added to a ring now. */
export const addedSecretName = (ring: KeyringName, nowMs: number): string =>
  `${RING_SETTINGS[ring]}_${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;

/** A ring's secrets among these names, the newest first; the setting itself is the oldest. */
export function secretNamesOf(ring: KeyringName, names: readonly string[]): string[] {
  const setting = RING_SETTINGS[ring];
  const added = names.filter((name) => name.startsWith(setting) && ADDED.test(name.slice(setting.length)));
  return [...added.toSorted().reverse(), ...(names.includes(setting) ? [setting] : [])];
}

/** The setting that a secret belongs to: `SESSION_KEYS` of `SESSION_KEYS_20261121T234501Z`; null for what is no keyring. */
export function ringOf(name: string): string | null {
  const found = Object.entries(RING_SETTINGS).find(
    ([ring]) => secretNamesOf(ring as KeyringName, [name]).length > 0,
  );
  return found?.[1] ?? null;
}

/** The environment with each ring's parts put together under its setting; what is no text stays as it is, to be refused. */
export function joinKeyringParts(env: unknown): unknown {
  if (typeof env !== "object" || env === null) return env;
  const raw: Readonly<Record<string, unknown>> = { ...env };
  const joined = Object.entries(RING_SETTINGS).flatMap(([ring, setting]): [string, unknown][] => {
    const parts = secretNamesOf(ring as KeyringName, Object.keys(raw)).map((name) => raw[name]);
    if (parts.length < 2) return [];
    return [[setting, ring === "proof" ? joinArrays(parts) : parts.join(",")]];
  });
  return { ...raw, ...Object.fromEntries(joined) };
}

/** JSON arrays as one; a part that is none stands alone, so that the check of the whole names the setting. */
function joinArrays(parts: readonly unknown[]): unknown {
  const keys: unknown[] = [];
  for (const part of parts) {
    const read = readArray(part);
    if (read === null) return part;
    keys.push(...read);
  }
  return JSON.stringify(keys);
}

function readArray(part: unknown): unknown[] | null {
  try {
    const read: unknown = JSON.parse(String(part));
    return Array.isArray(read) ? read : null;
  } catch {
    return null;
  }
}

/** The ids of the checked rings; no key is in them. */
export const keyIdsOf = (rings: {
  SESSION_KEYS: readonly { id: string }[];
  PEPPER_KEYS: readonly { id: string }[];
  ENCRYPTION_KEYS: readonly { id: string }[];
  PROOF_KEYS?: readonly { kid: string }[] | undefined;
  PROOF_KMS_KEYS?: readonly { id: string }[] | undefined;
}): KeyringKeyIds => ({
  session: rings.SESSION_KEYS.map(({ id }) => id),
  pepper: rings.PEPPER_KEYS.map(({ id }) => id),
  encryption: rings.ENCRYPTION_KEYS.map(({ id }) => id),
  proof: [
    ...(rings.PROOF_KMS_KEYS ?? []).map(({ id }) => id),
    ...(rings.PROOF_KEYS ?? []).map(({ kid }) => kid),
  ],
});
