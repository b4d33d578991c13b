import type { Incident } from "../../domain/monitor/incident.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

/**
 * Closes the open incident by hand. The monitor forgets it, and opens another if it still finds an attack; the posture stays
 * as it is. The monitor's run is claimed meanwhile, so that neither overwrites the other.
 */
export async function closeIncident(
  deps: Pick<Deps, "monitorState" | "records" | "vault" | "log" | "nowMs">,
  act: OperatorCommand,
  id: string,
): Promise<Performed | NotPerformed> {
  const left = await deps.monitorState.look();
  if (left.kind !== "answered") return left;
  if (!isOpen(left.memory?.incident ?? null, id))
    return { kind: "not_found", reason: "It is not open any more." };
  const acted = await runOperatorAction(deps, act, {
    what: "incident closed",
    details: { incident: id },
    effect: "lowers",
    async perform() {
      const atMs = deps.nowMs();
      const begun = await deps.monitorState.begin(atMs);
      if (begun.kind === "busy") return { kind: "unavailable", cause: "the watch is running just now" };
      if (begun.kind !== "begun") return begun;
      const { memory } = begun;
      const incident = memory?.incident ?? null;
      if (memory === null || incident === null || !isOpen(incident, id)) {
        return { kind: "unavailable", cause: "the watch closed it meanwhile" };
      }
      const closed: Incident = {
        ...incident,
        closedAtMs: atMs,
        timeline: [...incident.timeline, { atMs, by: act.who, what: `closed: ${act.why}` }],
      };
      const kept = await deps.monitorState.end({
        memory: { ...memory, incident: closed },
        history: null,
        quarter: null,
      });
      return kept.kind === "done" ? deps.records.keepIncident(closed) : kept;
    },
  });
  if (acted.kind !== "done") return acted;
  return {
    ...acted,
    notes: [...acted.notes, "The incident is closed. If the watch still finds an attack it opens another."],
  };
}

const isOpen = (incident: Incident | null, id: string): boolean =>
  incident !== null && incident.id === id && incident.closedAtMs === null;
