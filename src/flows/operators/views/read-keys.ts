/** How old the keys are, and what those of the encryption ring still hold; and that one was rotated, written down. */
import {
  type KeyIds,
  type KeyringName,
  type KeyringState,
  type KeyState,
  keyringStates,
} from "../../../domain/access/key-age.ts";
import type { KeyPolicy } from "../../../domain/access/keys.policy.ts";
import type { Deps } from "../../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../../audit/run-operator-action.ts";

/** What the key flows need beside the ordinary ports. */
export interface KeyDeps extends Pick<Deps, "ledger" | "records" | "vault" | "log" | "nowMs"> {
  keyIds: KeyIds;
  policy: { keys: KeyPolicy };
}

export interface KeyLine extends KeyState {
  /** Sealed texts in the ledger that only this key opens; null where there are none by their nature, or nobody can tell. */
  holds: number | null;
}

export interface KeyAges {
  rotateDays: number;
  rings: (Omit<KeyringState, "keys"> & { keys: KeyLine[] })[];
  faults: string[];
}

export async function readKeys({ keyIds, policy, ledger, nowMs }: KeyDeps): Promise<KeyAges> {
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

/** Writes down that a new key was put in place. The command that did it has the secret; the service never sees the id's key. */
export function noteRotation(
  deps: KeyDeps,
  act: OperatorCommand,
  { ring, keyId, secret }: { ring: KeyringName; keyId: string; secret: string },
): Promise<Performed | NotPerformed> {
  return runOperatorAction(
    deps,
    act,
    { what: "key rotated", details: { ring, key_id: keyId, secret } },
    "raises",
    async () => ({ kind: "done" }),
  );
}
