/** The table of every page of the dashboard: a column declares its head and its cells. */
import type { Child } from "./page.ts";
import { hrefOf } from "./shell.tsx";
import { tableLink } from "./views/query.ts";

export interface TableColumn<Row> {
  /** At its head, and on a phone above each value. */
  title: string;
  /** The column has buttons and no text: its title is for screen readers. */
  acts?: boolean;
  number?: boolean;
  /** Text of any length, which wraps. */
  wide?: boolean;
  /** The key it sorts by; absent for a column that does not sort. */
  sort?: string;
  cell(row: Row): Child;
}

interface Sorting {
  path: string;
  params: Readonly<Record<string, string>>;
  /** The key the table is sorted by now. */
  by: string;
}

/** The first column names each row. A sorted column says so, and the others lead to the same table sorted by them. */
export function DataTable<Row>({
  columns,
  rows,
  rowId,
  sorting,
  compact,
}: {
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  /** An id for every row of a table whose rows change while somebody looks. */
  rowId?: (row: Row) => string;
  sorting?: Sorting;
  /** Few and short columns: a table on a phone too, where others are a card for each row. */
  compact?: boolean;
}) {
  return (
    <div class="scroll">
      <table class={compact ? undefined : "cards"}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head column={column} sorting={sorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr id={rowId?.(row)}>
              {columns.map(({ title, acts, number, wide, cell }, at) =>
                at === 0 ? (
                  <th scope="row">{cell(row)}</th>
                ) : (
                  <td
                    data-label={acts ? undefined : title}
                    class={acts ? "act" : number ? "number" : wide ? "why" : undefined}
                  >
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head<Row>({
  column: { title, acts, number, sort },
  sorting,
}: {
  column: TableColumn<Row>;
  sorting: Sorting | undefined;
}) {
  const sorted = sort !== undefined && sort === sorting?.by;
  return (
    <th
      scope="col"
      class={number ? "number" : undefined}
      aria-sort={sort === undefined ? undefined : sorted ? "descending" : "none"}
    >
      {acts ? (
        <span class="hidden">{title}</span>
      ) : sort === undefined || sorting === undefined ? (
        title
      ) : (
        <a href={hrefOf(tableLink(sorting.path, sorting.params, { sort }))}>
          {title}
          {sorted ? <span aria-hidden="true"> ↓</span> : null}
        </a>
      )}
    </th>
  );
}
