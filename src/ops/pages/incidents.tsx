import type { Incident } from "../../domain/monitor/incident.ts";
import { readIncidents } from "../../flows/operators/views/read-incidents.ts";
import type { OpsDeps, OpsPage, PageRequest } from "../page.ts";
import { Badge, Card, EmptyNote, FaultsNotice, Time } from "../parts.tsx";
import { hrefOf, POSTURE_TONE } from "../shell.tsx";
import { DataTable, type TableColumn } from "../table.tsx";
import type { PageFormats } from "../words.ts";

/** All incidents that are kept, the newest first. */
export const incidents: OpsPage = {
  path: "/incidents",
  title: "Incidents",
  nav: "Incidents",
  live: true,
  view,
};

async function view(deps: OpsDeps, { words, nowMs }: PageRequest) {
  const found = await readIncidents(deps);
  const list = found.kind === "answered" ? found.incidents : [];
  return (
    <>
      <div class="head">
        <h1>Incidents</h1>
        <a href={hrefOf("/dead-letters")}>Deliveries that were given up</a>
      </div>
      <FaultsNotice faults={found.kind === "answered" ? [] : [`incidents: ${found.cause}`]} />
      <Card title="The newest first">
        {list.length === 0 ? (
          <EmptyNote>There was none. An incident opens by itself when the watch finds an attack.</EmptyNote>
        ) : (
          <DataTable columns={columnsOf(words, nowMs)} rows={list} rowId={({ id }) => `incident-${id}`} />
        )}
      </Card>
    </>
  );
}

const columnsOf = (words: PageFormats, nowMs: number): readonly TableColumn<Incident>[] => [
  {
    title: "First sign",
    cell: ({ id, openedAtMs }) => (
      <a href={hrefOf(`/incidents/${id}`)}>
        <Time ms={openedAtMs} as="date" />
      </a>
    ),
  },
  {
    title: "State",
    cell: ({ closedAtMs }) =>
      closedAtMs === null ? <Badge tone="bad">open</Badge> : <Badge tone="quiet">over</Badge>,
  },
  {
    title: "Lasted",
    cell: ({ openedAtMs, closedAtMs }) => words.lasting((closedAtMs ?? nowMs) - openedAtMs),
  },
  {
    title: "Highest posture",
    cell: ({ posture }) => <Badge tone={POSTURE_TONE[posture]}>{posture}</Badge>,
  },
  { title: "Leaked", number: true, cell: ({ unansweredMicros }) => words.money(unansweredMicros) },
  { title: "Sent", number: true, cell: ({ sent }) => words.count(sent) },
  { title: "Verified", number: true, cell: ({ verified }) => words.count(verified) },
  { title: "Strongest sign", wide: true, cell: ({ findings }) => findings[0]?.says ?? "set by hand" },
];
