import type { Deps } from "../../ports/deps.ts";
import type { DeadLetter } from "../../ports/records.ts";
import type { WriteResult } from "../../ports/result.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

/** Puts a message on a queue again, as it stood there. */
export interface QueuesPort {
  put(queue: string, body: string): Promise<WriteResult>;
}

export interface DeadLetterReplay extends Performed {
  letter: DeadLetter;
}

/** Puts a dead letter on its queue again. If the queue does not take it, it is kept as a dead letter again. */
export async function replayDeadLetter(
  deps: Pick<Deps, "records" | "vault" | "log" | "nowMs"> & { queues: QueuesPort },
  act: OperatorCommand,
  id: string,
): Promise<DeadLetterReplay | NotPerformed> {
  const { records, queues } = deps;
  let letter: DeadLetter | null = null;
  const acted = await runOperatorAction(deps, act, {
    what: "dead letter replayed",
    details: { id },
    effect: "lowers",
    async perform() {
      const found = await records.exhume(id);
      if (found === null) return { kind: "done" };
      if ("kind" in found) return found;
      letter = found;
      const put = await queues.put(found.queue, found.body);
      if (put.kind === "done") return put;
      const buried = await records.bury(found);
      if (buried.kind !== "done")
        deps.log("dead_letter_lost", { id, queue: found.queue, cause: buried.cause });
      return put;
    },
  });
  if (acted.kind !== "done") return acted;
  if (letter === null)
    return { kind: "not_found", reason: "There is no such letter; it may have been sent again." };
  return { ...acted, notes: [...acted.notes, "It is on its way again."], letter };
}
