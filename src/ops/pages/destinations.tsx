/** Destinations of messages, from countries down to number ranges, with forms that ban, challenge and exempt them. */
import {
  DESTINATION_STATE_FILTERS,
  type DestinationQuestion,
  type Destinations,
  readDestinations,
} from "../../flows/operators/views/read-destinations.ts";
import { pageOfLines } from "../../flows/operators/views/summarise-tally.ts";
import { BanActions, BansCard } from "../bans.tsx";
import { FIGURE_COLUMNS } from "../figure-columns.tsx";
import type { OpsPage, ViewerContext } from "../page.ts";
import { Badge, Card, EmptyNote, FaultsNotice, Field, Time } from "../parts.tsx";
import { hrefOf } from "../shell.tsx";
import { DataTable, type TableColumn } from "../table.tsx";
import { FilterForm, Pager, SpanTabs, Tabs } from "../table-parts.tsx";
import {
  countryName,
  DESTINATIONS_PATH,
  type DestinationLine,
  destinationLine,
  destinationParams,
  readDestinationQuestion,
} from "../views/destinations.ts";
import { tableLink } from "../views/query.ts";

const BLOCKS_PER_PAGE = 25;

const columnsOf = (view: ViewerContext, back: string): readonly TableColumn<DestinationLine>[] => [
  {
    title: "Destination",
    sort: "subject",
    cell: ({ drill, title, under }) => (
      <>
        {drill === null ? title : <a href={hrefOf(drill)}>{title}</a>}
        {under === "" ? null : <small> {under}</small>}
      </>
    ),
  },
  FIGURE_COLUMNS.course,
  FIGURE_COLUMNS.sent,
  FIGURE_COLUMNS.verified,
  FIGURE_COLUMNS.unanswered,
  { ...FIGURE_COLUMNS.spent, sort: "spent" },
  FIGURE_COLUMNS.refused,
  {
    title: "State",
    cell: ({ state }) => (
      <>
        <Badge tone={state.tone}>{state.text}</Badge>
        {state.untilMs === null ? null : (
          <small>
            {" "}
            until <Time ms={state.untilMs} />
          </small>
        )}
      </>
    ),
  },
  {
    title: "Actions",
    acts: true,
    cell: ({ subject, title, banned, challenged }) =>
      subject === null ? null : (
        <BanActions
          view={view}
          subject={subject}
          name={title}
          back={back}
          banned={banned}
          challenged={challenged}
        />
      ),
  },
];

export const destinations: OpsPage = {
  path: DESTINATIONS_PATH,
  title: "Destinations",
  nav: "Destinations",
  live: true,
  async view(deps, request) {
    const question = readDestinationQuestion(request.query);
    const found = await readDestinations(deps, question);
    const { alarm_ratio, window_minutes } = deps.policy.monitor;
    const params = destinationParams(question);
    const back = tableLink(DESTINATIONS_PATH, params, {});
    const lines = found.rows.map((row) => destinationLine(row, question, alarm_ratio, request.words));
    const blocks = pageOfLines(found.bans, Number(request.query.get("blocks") ?? 1), BLOCKS_PER_PAGE);
    return (
      <>
        <div class="head">
          <h1>{titleOf(question)}</h1>
          <SpanTabs
            path={DESTINATIONS_PATH}
            params={params}
            span={question.span}
            windowMinutes={window_minutes}
          />
        </div>
        <FaultsNotice faults={found.faults} />
        <Card title={countOf(found, question, request)} aside={<Span found={found} />}>
          <Filter question={question} params={params} />
          {lines.length === 0 ? (
            <EmptyNote>Nothing was sent that fits.</EmptyNote>
          ) : (
            <DataTable
              columns={columnsOf(request, back)}
              rows={lines}
              rowId={({ id }) => id}
              sorting={{ path: DESTINATIONS_PATH, params, by: question.sort }}
            />
          )}
          <Pager list={found} path={DESTINATIONS_PATH} params={params} what={NAMES[question.by][1]} />
          {found.othersSent > 0 ? (
            <p class="faint">
              {request.words.count(found.othersSent)} more messages went to {NAMES[question.by][1]} that the
              counters of a minute had no room to tell apart.
            </p>
          ) : null}
        </Card>
        <BansCard
          view={request}
          title="Ranges that are shut, challenged or exempt"
          list={blocks}
          back={back}
          pager={<Pager list={blocks} path={DESTINATIONS_PATH} params={params} name="blocks" what="ranges" />}
        />
      </>
    );
  },
};

const titleOf = ({ by, within }: DestinationQuestion): string => {
  if (by === "country") return "Destinations";
  const what = by === "prefix" ? "Prefixes" : "Blocks";
  return within === null ? what : `${what} in ${by === "prefix" ? countryName(within) : within}`;
};

const countOf = ({ total }: Destinations, { by }: DestinationQuestion, { words }: ViewerContext): string =>
  `${words.count(total)} ${NAMES[by][total === 1 ? 0 : 1]} that messages went to`;

const NAMES = {
  country: ["country", "countries"],
  prefix: ["prefix", "prefixes"],
  block: ["block", "blocks"],
} as const;

function Span({ found: { fromMs, toMs } }: { found: Destinations }) {
  return (
    <>
      <Time ms={fromMs} /> to <Time ms={toMs} />
    </>
  );
}

function Filter({ question, params }: { question: DestinationQuestion; params: Record<string, string> }) {
  const to = (by: string) => tableLink(DESTINATIONS_PATH, params, { by, in: "", q: "" });
  return (
    <div class="tools">
      <Tabs
        label="By"
        tabs={[
          { title: "Countries", href: to(""), here: question.by === "country" },
          {
            title: "Prefixes",
            href: to("prefix"),
            here: question.by === "prefix" && question.within === null,
          },
          { title: "Blocks", href: to("block"), here: question.by === "block" && question.within === null },
        ]}
      />
      <FilterForm path={DESTINATIONS_PATH} params={params} without={["q", "state"]}>
        <Field label="Contains">
          <input name="q" value={question.contains} maxlength={40} autocomplete="off" />
        </Field>
        <Field label="State">
          <select name="state">
            {DESTINATION_STATE_FILTERS.map((state) => (
              <option value={state === "any" ? "" : state} selected={state === question.state}>
                {state === "challenged" ? "challenged by people" : state}
              </option>
            ))}
          </select>
        </Field>
      </FilterForm>
    </div>
  );
}
