import type { KeyringName } from "../../domain/access/key-age.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

/** Writes down that a new key was put in place. The command that rotates has the secret; the service never sees the key. */
export function recordKeyRotation(
  deps: Pick<Deps, "records" | "vault" | "log" | "nowMs">,
  act: OperatorCommand,
  { ring, keyId, secret }: { ring: KeyringName; keyId: string; secret: string },
): Promise<Performed | NotPerformed> {
  return runOperatorAction(deps, act, {
    what: "key rotated",
    details: { ring, key_id: keyId, secret },
    effect: "raises",
    perform: async () => ({ kind: "done" }),
  });
}
