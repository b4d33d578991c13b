/** The ages of the service's own keys. A key's id begins with the day it was made (`k20261121abc`, see scripts/lib/mint.ts). */

import { instantMs } from "../kernel/instant.ts";
import { DAY_MINUTES, DAY_MS, minuteOf } from "../kernel/time.ts";
import type { KeyPolicy } from "./keys.policy.ts";

export const KEYRING_NAMES = ["session", "pepper", "encryption", "proof"] as const;
export type KeyringName = (typeof KEYRING_NAMES)[number];

/** Seconds for which anybody may keep the published keys (`/.well-known/jwks.json`). */
export const JWKS_CACHE_SECONDS = 300;

/**
 * Seconds between a proof key's publication and its first signature: the published keys may lie in a cache of HTTP for
 * {@link JWKS_CACHE_SECONDS}, and behind it in a library's for ten minutes more (the default of jose and of others).
 */
export const PROOF_KEY_LEAD_SECONDS = JWKS_CACHE_SECONDS + 600;

/** Ids of each ring's keys: the first signs or encrypts what is new, and all of them check or decrypt. */
export type KeyringKeyIds = Readonly<Record<KeyringName, readonly string[]>>;

/** One key and its age. */
export interface KeyState {
  id: string;
  /** True for the first key of its ring; the others only check what was made before. */
  makes: boolean;
  /** Start of the day (UTC) it was made; null where its id does not say. */
  madeMs: number | null;
  ageDays: number | null;
}

/** A keyring with its keys, and the time its next rotation is due. */
export interface KeyringState {
  ring: KeyringName;
  keys: readonly KeyState[];
  /** The time (ms) of the next rotation; null where the first key's age is not known. */
  dueMs: number | null;
  overdue: boolean;
}

/** Overdue keys, in the shape of the monitor's findings. */
export interface KeyFinding {
  kind: "keys_overdue";
  subject: string;
  severity: "notice";
  says: string;
  evidence: Readonly<Record<string, string | number | null>>;
  block: false;
}

/** Milliseconds since 1970 at which the id's day began; null for an id that names none. */
export function keyCreatedAtMs(keyId: string): number | null {
  const [, year, month, day] = /^k(\d{4})(\d\d)(\d\d)[a-z]{3}$/.exec(keyId) ?? [];
  const ms = instantMs(`${year}-${month}-${day}T00:00Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** The keyrings with the ages of their keys. */
export function keyringStates(ids: KeyringKeyIds, nowMs: number, { rotate_days }: KeyPolicy): KeyringState[] {
  return KEYRING_NAMES.map((ring) => {
    const keys = ids[ring].map((id, place): KeyState => {
      const madeMs = keyCreatedAtMs(id);
      const ageDays = madeMs === null ? null : Math.max(0, Math.floor((nowMs - madeMs) / DAY_MS));
      return { id, makes: place === 0, madeMs, ageDays };
    });
    const made = keys[0]?.madeMs ?? null;
    const dueMs = made === null ? null : made + rotate_days * DAY_MS;
    return { ring, keys, dueMs, overdue: dueMs !== null && nowMs >= dueMs };
  });
}

/** Minute of the day (UTC) in which overdue keys are reported: once a day, and not at night in most places. */
const REPORTED_AT_MINUTE = 9 * 60;

/** One finding for all overdue rings, in one minute of the day; none in all other minutes, or without an overdue ring. */
export function keyFindings(ids: KeyringKeyIds, nowMs: number, policy: KeyPolicy): KeyFinding[] {
  if (minuteOf(nowMs) % DAY_MINUTES !== REPORTED_AT_MINUTE) return [];
  const overdue = keyringStates(ids, nowMs, policy).filter((state) => state.overdue);
  const [first] = overdue;
  if (!first) return [];
  const names = overdue.map(({ ring }) => ring);
  const oldest = Math.max(...overdue.map(({ keys }) => keys[0]?.ageDays ?? 0));
  return [
    {
      kind: "keys_overdue",
      subject: "overall all",
      severity: "notice",
      says: `The ${names.join(", ")} ${names.length === 1 ? "key is" : "keys are"} overdue: ${oldest} days old, and to be rotated every ${policy.rotate_days}. Run npm run ops -- keys rotate ${first.ring}.`,
      evidence: { rings: names.join(" "), age_days: oldest, rotate_days: policy.rotate_days },
      block: false,
    },
  ];
}
