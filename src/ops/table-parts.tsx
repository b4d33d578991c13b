/** What the long tables are made of: courses, judged figures, pages, and what can be done to a row. */
import type { PropsWithChildren } from "hono/jsx";
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
export function FiguresCell({ judged }: { judged: JudgedFigure }) {
  return (
    <span class={`judged ${judged.tone}`}>
      {judged.text}
      {judged.note === "" ? null : <small>{judged.note}</small>}
    </span>
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
  list: Pick<TallyPage<unknown>, "page" | "pages" | "total">;
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
