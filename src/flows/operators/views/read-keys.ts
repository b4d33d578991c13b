import { type KeyringState, type KeyState, keyringStates } from "../../../domain/access/key-age.ts";
import type { Deps } from "../../../ports/deps.ts";

interface KeyLine extends KeyState {
  /** Sealed texts in the ledger that only this key opens; null for a key that seals none there, and while it is not known. */
  holds: number | null;
}

export interface KeyAges {
  rotateDays: number;
  rings: (Omit<KeyringState, "keys"> & { keys: KeyLine[] })[];
  faults: string[];
}

/** The age of every key, and the number of texts that each encryption key still protects. */
export async function readKeys({
  keyIds,
  policy,
  ledger,
  nowMs,
}: Pick<Deps, "keyIds" | "policy" | "ledger" | "nowMs">): Promise<KeyAges> {
  const sealed = await ledger.sealedByKey();
  const held = new Map(
    sealed.kind === "answered" ? sealed.keys.map(({ keyId, sealed: count }) => [keyId, count]) : [],
  );
  const known = (id: string) => (sealed.kind === "answered" ? (held.get(id) ?? 0) : null);
  const lost = [...held].filter(([id]) => !keyIds.encryption.includes(id));
  return {
    rotateDays: policy.keys.rotate_days,
    rings: keyringStates(keyIds, nowMs(), policy.keys).map((state) => ({
      ...state,
      keys: state.keys.map((key) => ({ ...key, holds: state.ring === "encryption" ? known(key.id) : null })),
    })),
    faults: [
      ...(sealed.kind === "answered" ? [] : [`ledger: ${sealed.cause}`]),
      ...lost.map(
        ([id, count]) => `encryption key ${id} is gone and held ${count} texts: they cannot be read any more`,
      ),
    ],
  };
}
