/** Parts of long tables: courses, judged figures, pages, and the actions of a row. */
import type { PropsWithChildren } from "hono/jsx";
import type { TallySpan } from "../flows/operators/views/read-tally-lines.ts";
import type { TallyPage } from "../flows/operators/views/summarise-tally.ts";
import type { ViewerContext } from "./page.ts";
import { hrefOf } from "./shell.tsx";
import type { JudgedFigure } from "./views/judged.ts";
import { tableLink } from "./views/query.ts";
import { SPARK_HEIGHT, SPARK_WIDTH, type Spark } from "./views/spark.ts";

export function Sparkline({ spark }: { spark: Spark }) {
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`}
      width={SPARK_WIDTH}
      height={SPARK_HEIGHT}
      role="img"
      aria-label={spark.says}
    >
      <path class="area" d={spark.area} />
      <path class="line" d={spark.line} />
    </svg>
  );
}

/** A figure with its tone, and what it is compared with below. */
export function JudgedFigureCell({ judged }: { judged: JudgedFigure }) {
  return (
    <span class={`judged ${judged.tone}`}>
      {judged.text}
      {judged.note === "" ? null : <small>{judged.note}</small>}
    </span>
  );
}

/** The current page of a list, with links to the previous and the next one. */
export function Pager({
  list,
  path,
  params,
  name = "page",
  what,
}: {
  list: Pick<TallyPage<unknown>, "page" | "pages" | "total">;
  path: string;
  params: Readonly<Record<string, string>>;
  /** The query's parameter. */
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

/** Links to variants of the same page, of which one is the current one. */
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

/** Tabs for the span of a table: the policy's window, or the last day. */
export function SpanTabs({
  path,
  params,
  span,
  windowMinutes,
}: {
  path: string;
  params: Readonly<Record<string, string>>;
  span: TallySpan;
  windowMinutes: number;
}) {
  const tab = (title: string, name: string, here: boolean) => ({
    title,
    href: tableLink(path, params, { span: name }),
    here,
  });
  return (
    <Tabs
      label="Span"
      tabs={[tab(`${windowMinutes} min`, "", span === "window"), tab("24 hours", "day", span === "day")]}
    />
  );
}

/** A form that filters a table; the parameters it does not set stay. */
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

/** The actions of one row, folded away until they are wanted. */
export function RowActions({
  view,
  id,
  name,
  children,
}: PropsWithChildren<{ view: ViewerContext; id: string; name: string }>) {
  if (!view.mayAct) return null;
  return (
    <details class="acts" id={id}>
      <summary aria-label={`Act on ${name}`}>Act</summary>
      <div>{children}</div>
    </details>
  );
}
