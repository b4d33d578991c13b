import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { parsePersonNumber } from "./export-person.ts";

export type LiftNumberRefusalDeps = Pick<Deps, "marks" | "records" | "vault" | "log" | "nowMs">;

/**
 * Lets a number get messages again that providers had refused for good: its owner opted in, or the number is in use now. The
 * number itself is written down nowhere.
 */
export async function liftNumberRefusal(
  deps: LiftNumberRefusalDeps,
  command: OperatorCommand,
  number: string,
): Promise<Performed | NotPerformed> {
  const { marks, vault } = deps;
  const e164 = parsePersonNumber(number);
  if (typeof e164 !== "string") return e164;
  let lifted = 0;
  const acted = await runOperatorAction(deps, command, {
    what: "number lifted",
    details: {},
    effect: "lowers",
    async perform() {
      try {
        lifted = await marks.liftRefusals(await vault.tags("number", e164), CHANNELS);
        return { kind: "done" };
      } catch {
        return { kind: "unavailable", cause: "the store did not answer" };
      }
    },
  });
  if (acted.kind !== "done") return acted;
  const note =
    lifted === 0
      ? "Nothing was kept against this number: see the log for the cause of its refusals."
      : "The number's next message goes to a provider again. One that refuses it says so once more.";
  return { ...acted, notes: [...acted.notes, note] };
}
