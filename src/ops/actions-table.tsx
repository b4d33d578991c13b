import type { OperatorAction } from "../ports/records.ts";
import { EmptyNote, Time } from "./parts.tsx";
import { utcText } from "./posture-words.ts";
import { DataTable, type TableColumn } from "./table.tsx";

/** The operators' actions, each with its time and reason. */
export function ActionsTable({ actions }: { actions: readonly OperatorAction[] }) {
  if (actions.length === 0) return <EmptyNote>Nobody did anything.</EmptyNote>;
  return <DataTable columns={COLUMNS} rows={actions} rowId={({ id }) => `action-${id}`} />;
}

const COLUMNS: readonly TableColumn<OperatorAction>[] = [
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
        ? `${spaced(name.slice(0, -3))} ${utcText(value)}`
        : `${spaced(name)} ${value}`,
    )
    .join(", ");
}

const spaced = (name: string) => name.replaceAll("_", " ");
