/** What the long tables are made of: courses, judged figures, sorted heads, pages, and what can be done to a row. */
import type { Child, PropsWithChildren } from "hono/jsx";
import type { ListedBlock } from "../flows/operate-blocks.ts";
import type { Page } from "../flows/tally-lines.ts";
import type { View } from "./page.ts";
import { ActionForm, Badge, Card, Empty, LastingField, Time } from "./parts.tsx";
import { hrefOf } from "./shell.tsx";
import type { Judged } from "./views/judged.ts";
import { tableLink } from "./views/query.ts";
import { HEIGHT, type Spark, WIDTH } from "./views/spark.ts";
import { short } from "./views/trace.ts";

export function Sparkline({ spark }: { spark: Spark }) {
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={spark.says}
    >
      <path class="area" d={spark.area} />
      <path class="line" d={spark.line} />
    </svg>
  );
}

/** A figure with its tone, and what it is compared with below. */
export function Figures({ judged }: { judged: Judged }) {
  return (
    <span class={`judged ${judged.tone}`}>
      {judged.text}
      {judged.note === "" ? null : <small>{judged.note}</small>}
    </span>
  );
}

export interface Column {
  title: string;
  number?: boolean;
  /** What it sorts by; absent where it does not. */
  sort?: string;
}

/** The head of a table; a sorted column says so, and the others lead to the same table sorted by them. */
export function Head({
  columns,
  path,
  params,
  sorted,
}: {
  columns: readonly Column[];
  path: string;
  params: Readonly<Record<string, string>>;
  sorted: string;
}) {
  return (
    <thead>
      <tr>
        {columns.map(({ title, number, sort }) => (
          <th
            scope="col"
            class={number ? "number" : undefined}
            aria-sort={sort === undefined ? undefined : sort === sorted ? "descending" : "none"}
          >
            {title === "" ? (
              <span class="hidden">Actions</span>
            ) : sort === undefined ? (
              title
            ) : (
              <a href={hrefOf(tableLink(path, params, { sort }))}>
                {title}
                {sort === sorted ? <span aria-hidden="true"> ↓</span> : null}
              </a>
            )}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Where one is in a list, and the way on. */
export function Pager({
  list,
  path,
  params,
  name = "page",
  what,
}: {
  list: Pick<Page<unknown>, "page" | "pages" | "total">;
  path: string;
  params: Readonly<Record<string, string>>;
  /** Of the query. */
  name?: string;
  what: string;
}) {
  const { page, pages, total } = list;
  if (pages < 2) return null;
  const to = (at: number) => hrefOf(tableLink(path, params, { [name]: at === 1 ? "" : String(at) }));
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      {page > 1 ? <a href={to(page - 1)}>Previous</a> : <span class="faint">Previous</span>}
      <span>
        {page} of {pages} ({total} {what})
      </span>
      {page < pages ? <a href={to(page + 1)}>Next</a> : <span class="faint">Next</span>}
    </nav>
  );
}

/** The same page otherwise: links, of which one is where one is. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { title: string; href: string; here: boolean }[];
}) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ title, href, here }) => (
        <a href={hrefOf(href)} aria-current={here ? "true" : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

/** A form that asks for the same table otherwise; what it does not ask stays. */
export function FilterForm({
  path,
  params,
  without,
  children,
}: PropsWithChildren<{
  path: string;
  params: Readonly<Record<string, string>>;
  without: readonly string[];
}>) {
  const kept = Object.entries(params).filter(([name, value]) => value !== "" && !without.includes(name));
  return (
    <search>
      <form method="get" action={hrefOf(path)} class="filter">
        {kept.map(([name, value]) =>
          name === "page" ? null : <input type="hidden" name={name} value={value} />,
        )}
        {children}
        <button type="submit">Show</button>
      </form>
    </search>
  );
}

/** What can be done to one row, folded away until it is wanted. */
export function RowActs({
  view,
  id,
  name,
  children,
}: PropsWithChildren<{ view: View; id: string; name: string }>) {
  if (!view.mayAct) return null;
  return (
    <details class="acts" id={id}>
      <summary aria-label={`Act on ${name}`}>Act</summary>
      <div>{children}</div>
    </details>
  );
}

/** Block, unblock and exempt one range, network or address. */
export function BlockActs({
  view,
  subject,
  name,
  back,
  shut,
}: {
  view: View;
  subject: string;
  /** For people. */
  name: string;
  /** The table it came from. */
  back: string;
  /** It is blocked, or a part of it. */
  shut: boolean;
}) {
  const fields = (
    <>
      <input type="hidden" name="subject" value={subject} />
      <input type="hidden" name="back" value={back} />
    </>
  );
  return (
    <RowActs view={view} id={`acts-${subject}`} name={name}>
      <ActionForm view={view} action="/blocks/shut" button="Block…" label={`Block ${name}`} inline>
        {fields}
        <LastingField chosen={86_400} />
      </ActionForm>
      {shut ? (
        <ActionForm view={view} action="/blocks/open" button="Unblock…" label={`Unblock ${name}`} inline>
          {fields}
        </ActionForm>
      ) : null}
      <ActionForm view={view} action="/blocks/exempt" button="Exempt…" label={`Exempt ${name}`} inline>
        {fields}
        <LastingField />
      </ActionForm>
    </RowActs>
  );
}

/** What is shut or exempt, what ends last first, and the way to open it again. */
export function BlocksCard({
  view,
  title,
  list,
  back,
  pager,
}: {
  view: View;
  title: string;
  list: Page<ListedBlock>;
  back: string;
  pager: Child;
}) {
  return (
    <Card title={title} aside={list.total === 0 ? undefined : `${view.words.count(list.total)} in all`}>
      {list.rows.length === 0 ? (
        <Empty>Nothing is shut or exempt.</Empty>
      ) : (
        <div class="scroll">
          <table class="cards">
            <thead>
              <tr>
                {["Subject", "State", "Until", "By", "Why", ""].map((name) => (
                  <th scope="col">{name === "" ? <span class="hidden">Actions</span> : name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {list.rows.map((block) => (
                <tr id={`block-${block.set}-${block.subject}`}>
                  <th scope="row">
                    <code>{block.kind === "address" ? short(block.subject) : block.subject}</code>
                  </th>
                  <td data-label="State">
                    <BlockBadge block={block} />
                  </td>
                  <td data-label="Until">
                    <Time ms={block.untilMs} />
                  </td>
                  <td data-label="By">{block.set === "cron" ? "the watch" : block.by}</td>
                  <td data-label="Why" class="why">
                    {block.why}
                    {block.times > 1 ? <small> {block.times} times this week</small> : null}
                  </td>
                  <td class="act">
                    <ActionForm
                      view={view}
                      action="/blocks/open"
                      button={block.exempt ? "End…" : "Unblock…"}
                      label={`${block.exempt ? "End the exemption of" : "Unblock"} ${block.subject}`}
                      inline
                    >
                      <input type="hidden" name="subject" value={block.subject} />
                      <input type="hidden" name="back" value={back} />
                    </ActionForm>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {pager}
    </Card>
  );
}

export function BlockBadge({ block }: { block: ListedBlock }) {
  if (block.exempt) return <Badge tone="quiet">exempt</Badge>;
  return block.inForce ? <Badge tone="bad">blocked</Badge> : <Badge tone="quiet">lifted</Badge>;
}
