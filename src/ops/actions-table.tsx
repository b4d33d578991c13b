import type { OperatorAction } from "../ports/records.ts";
import { Empty, Time } from "./parts.tsx";
import { utc } from "./posture-words.ts";
import { type Column, Table } from "./table.tsx";

/** What people did, when and why. */
export function ActionsTable({ actions }: { actions: readonly OperatorAction[] }) {
  if (actions.length === 0) return <Empty>Nobody did anything.</Empty>;
  return <Table columns={COLUMNS} rows={actions} rowId={({ id }) => `action-${id}`} />;
}

const COLUMNS: readonly Column<OperatorAction>[] = [
  { title: "When", cell: ({ atMs }) => <Time ms={atMs} /> },
  { title: "Who", cell: ({ who }) => who },
  {
    title: "What",
    wide: true,
    cell: ({ what, details }) => (
      <>
        {what}
        <small class="details">{saysDetails(details)}</small>
      </>
    ),
  },
  { title: "Why", wide: true, cell: ({ why }) => why },
];

function saysDetails(details: OperatorAction["details"]): string {
  return Object.entries(details)
    .filter(([, value]) => value !== null && value !== false)
    .map(([name, value]) =>
      name.endsWith("_ms") && typeof value === "number"
        ? `${spaced(name.slice(0, -3))} ${utc(value)}`
        : `${spaced(name)} ${value}`,
    )
    .join(", ");
}

const spaced = (name: string) => name.replaceAll("_", " ");
