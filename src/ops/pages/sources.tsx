/** Sources of requests: networks and addresses. Addresses are keyed hashes, so that the page shows nobody's own. */
import {
  type AddressRow,
  type NetworkRow,
  readSources,
  type Sources,
} from "../../flows/operators/views/read-sources.ts";
import { pageOfLines } from "../../flows/operators/views/summarise-tally.ts";
import { BanActions, BanState, BansCard } from "../bans.tsx";
import { FIGURE_COLUMNS } from "../figure-columns.tsx";
import type { OpsPage, ViewerContext } from "../page.ts";
import { Badge, Card, EmptyNote, FaultsNotice, Field, Time } from "../parts.tsx";
import { DataTable, type TableColumn } from "../table.tsx";
import { FilterForm, JudgedFigureCell, Pager, SpanTabs } from "../table-parts.tsx";
import { tableLink } from "../views/query.ts";
import {
  type AddressLine,
  addressLine,
  type NetworkLine,
  networkLine,
  readSourceQuestion,
  SOURCES_PATH,
  sourceParams,
} from "../views/sources.ts";

const BLOCKS_PER_PAGE = 25;

interface Network {
  row: NetworkRow;
  line: NetworkLine;
}

interface Address {
  row: AddressRow;
  line: AddressLine;
}

/** A network's own column of what its line says. */
const ofLine = ({ cell, ...column }: TableColumn<NetworkLine>): TableColumn<Network> => ({
  ...column,
  cell: ({ line }) => cell(line),
});

const networkColumns = (view: ViewerContext, back: string): readonly TableColumn<Network>[] => [
  {
    title: "Network",
    cell: ({ line: { subject, under } }) => (
      <>
        {subject}
        {under === "" ? null : (
          <small>
            {" "}
            {under} <Badge tone="warn">hosting</Badge>
          </small>
        )}
      </>
    ),
  },
  ofLine(FIGURE_COLUMNS.course),
  ofLine(FIGURE_COLUMNS.sent),
  ofLine({ title: "Numbers", number: true, sort: "numbers", cell: ({ numbers }) => numbers }),
  ofLine(FIGURE_COLUMNS.verified),
  ofLine(FIGURE_COLUMNS.unanswered),
  ofLine(FIGURE_COLUMNS.refused),
  ofLine({ title: "Turned away", number: true, sort: "turned_away", cell: ({ turnedAway }) => turnedAway }),
  ofLine(FIGURE_COLUMNS.spent),
  { title: "State", cell: ({ row }) => <BanState ban={row.ban} /> },
  {
    title: "Actions",
    acts: true,
    cell: ({ line: { subject, banned, challenged } }) => (
      <BanActions
        view={view}
        subject={subject}
        name={subject}
        back={back}
        banned={banned}
        challenged={challenged}
      />
    ),
  },
];

const addressColumns = (view: ViewerContext, back: string): readonly TableColumn<Address>[] => [
  { title: "Address", cell: ({ line }) => <code>{line.title}</code> },
  { title: "Numbers", number: true, cell: ({ line }) => line.numbers },
  { title: "Requests", number: true, cell: ({ line }) => line.asked },
  { title: "Unanswered", number: true, cell: ({ line }) => <JudgedFigureCell judged={line.exposure} /> },
  { title: "State", cell: ({ row }) => <BanState ban={row.ban} /> },
  {
    title: "Actions",
    acts: true,
    cell: ({ line: { subject, title, banned, challenged } }) => (
      <BanActions
        view={view}
        subject={subject}
        name={`address ${title}`}
        back={back}
        banned={banned}
        challenged={challenged}
      />
    ),
  },
];

export const sources: OpsPage = {
  path: SOURCES_PATH,
  title: "Sources",
  nav: "Sources",
  live: true,
  async view(deps, request) {
    const question = readSourceQuestion(request.query);
    const found = await readSources(deps, question);
    const { alarm_ratio, window_minutes } = deps.policy.monitor;
    const params = sourceParams(question);
    const back = tableLink(SOURCES_PATH, params, {});
    const blocks = pageOfLines(found.bans, Number(request.query.get("blocks") ?? 1), BLOCKS_PER_PAGE);
    return (
      <>
        <div class="head">
          <h1>Sources</h1>
          <SpanTabs path={SOURCES_PATH} params={params} span={question.span} windowMinutes={window_minutes} />
        </div>
        <FaultsNotice faults={found.faults} />
        <Card
          title="Networks"
          aside={
            <>
              <Time ms={found.fromMs} /> to <Time ms={found.toMs} />
            </>
          }
        >
          <div class="tools">
            <FilterForm path={SOURCES_PATH} params={params} without={["q"]}>
              <Field label="Number or owner">
                <input name="q" value={question.contains} maxlength={40} autocomplete="off" />
              </Field>
            </FilterForm>
          </div>
          <Networks
            found={found}
            params={params}
            sort={question.sort}
            alarmRatio={alarm_ratio}
            view={request}
            back={back}
          />
          <Pager list={found.networks} path={SOURCES_PATH} params={params} what="networks" />
        </Card>
        <Addresses found={found} minutes={window_minutes} view={request} back={back} />
        <BansCard
          view={request}
          title="Networks and addresses that are shut, challenged or exempt"
          list={blocks}
          back={back}
          pager={<Pager list={blocks} path={SOURCES_PATH} params={params} name="blocks" what="sources" />}
        />
      </>
    );
  },
};

function Networks({
  found,
  params,
  sort,
  alarmRatio,
  view,
  back,
}: {
  found: Sources;
  params: Record<string, string>;
  sort: string;
  alarmRatio: number;
  view: ViewerContext;
  back: string;
}) {
  const rows = found.networks.rows.map((row) => ({ row, line: networkLine(row, alarmRatio, view.words) }));
  if (rows.length === 0) return <EmptyNote>Nobody asked from a network that fits.</EmptyNote>;
  return (
    <DataTable
      columns={networkColumns(view, back)}
      rows={rows}
      rowId={({ line }) => line.id}
      sorting={{ path: SOURCES_PATH, params, by: sort }}
    />
  );
}

function Addresses({
  found,
  minutes,
  view,
  back,
}: {
  found: Sources;
  minutes: number;
  view: ViewerContext;
  back: string;
}) {
  const rows = found.addresses.map((row) => ({ row, line: addressLine(row, view.words) }));
  return (
    <Card title="Addresses that ask for many numbers" aside={`the last ${minutes} minutes; keyed hashes`}>
      {rows.length === 0 ? (
        <EmptyNote>No address asked for more numbers than people do.</EmptyNote>
      ) : (
        <DataTable columns={addressColumns(view, back)} rows={rows} rowId={({ line }) => line.id} />
      )}
    </Card>
  );
}
