import type { Incident } from "../../../domain/monitor/incident.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { OperatorAction } from "../../../ports/records.ts";
import type { Unavailable } from "../../../ports/result.ts";

const INCIDENTS_LISTED = 50;

/** The recorded incidents, newest first, with the open one as the monitor has it now. */
export async function readIncidents({
  records,
  monitorState,
}: Pick<Deps, "records" | "monitorState">): Promise<
  { kind: "answered"; incidents: Incident[] } | Unavailable
> {
  const [kept, left] = await Promise.all([records.incidents(INCIDENTS_LISTED), monitorState.look()]);
  if (kept.kind !== "answered") return kept;
  const open = left.kind === "answered" ? (left.memory?.incident ?? null) : null;
  const others = kept.incidents.filter(({ id }) => id !== open?.id);
  const incidents = open === null ? others : [open, ...others];
  return {
    kind: "answered",
    incidents: incidents.toSorted((a, b) => b.openedAtMs - a.openedAtMs),
  };
}

/** The latest actions, among which those of an incident's time are looked for. */
const ACTIONS_LOOKED_AT = 500;

export interface IncidentStory {
  incident: Incident;
  /** Operator actions while it was open, the earliest first; null when they could not be read. */
  actions: OperatorAction[] | null;
}

/** An incident with the operator actions during it; null when there is none of this id. */
export async function readIncident(
  { records, monitorState }: Pick<Deps, "records" | "monitorState">,
  id: string,
): Promise<IncidentStory | null | Unavailable> {
  const [kept, left, did] = await Promise.all([
    records.incident(id),
    monitorState.look(),
    records.actions(ACTIONS_LOOKED_AT),
  ]);
  const open = left.kind === "answered" ? (left.memory?.incident ?? null) : null;
  const incident = open?.id === id ? open : kept;
  if (incident === null || "kind" in incident) return incident;
  const { openedAtMs, closedAtMs } = incident;
  const actions =
    did.kind === "answered"
      ? did.actions
          .filter(({ atMs }) => atMs >= openedAtMs && (closedAtMs === null || atMs <= closedAtMs))
          .toSorted((a, b) => a.atMs - b.atMs)
      : null;
  return { incident, actions };
}
