/** Who asks: networks and addresses. Addresses are keyed hashes here: nobody reads a person's off this page. */
import { readSources, type Sources } from "../../flows/read-sources.ts";
import { pageOf } from "../../flows/tally-lines.ts";
import { BlockActs, BlockState, BlocksCard } from "../blocks.tsx";
import type { OpsPage, View } from "../page.ts";
import { Badge, Bar, Card, Empty, Faults, Field, Time } from "../parts.tsx";
import { type Column, Figures, FilterForm, Head, Pager, Sparkline, Tabs } from "../tables.tsx";
import { tableLink } from "../views/query.ts";
import { addressLine, networkLine, PATH, readSourceQuestion, sourceParams } from "../views/sources.ts";

const BLOCKS_PER_PAGE = 25;

const NETWORKS: readonly Column[] = [
  { title: "Network" },
  { title: "Course" },
  { title: "Sent", number: true, sort: "sent" },
  { title: "Numbers", number: true, sort: "numbers" },
  { title: "Verified", number: true, sort: "ratio" },
  { title: "Unanswered", number: true },
  { title: "Refused", number: true, sort: "refused" },
  { title: "Turned away", number: true, sort: "turned_away" },
  { title: "Spent", number: true },
  { title: "State" },
  { title: "" },
];

export const sources: OpsPage = {
  path: PATH,
  title: "Sources",
  nav: "Sources",
  live: true,
  async view(deps, request) {
    const question = readSourceQuestion(request.query);
    const found = await readSources(deps, question);
    const { alarm_ratio, window_minutes } = deps.policy.monitor;
    const params = sourceParams(question);
    const back = tableLink(PATH, params, {});
    const blocks = pageOf(found.blocks, Number(request.query.get("blocks") ?? 1), BLOCKS_PER_PAGE);
    const tab = (title: string, span: string, here: boolean) => ({
      title,
      href: tableLink(PATH, params, { span }),
      here,
    });
    return (
      <>
        <div class="head">
          <h1>Sources</h1>
          <Tabs
            label="Span"
            tabs={[
              tab(`${window_minutes} min`, "", question.span === "window"),
              tab("24 hours", "day", question.span === "day"),
            ]}
          />
        </div>
        <Faults faults={found.faults} />
        <Card
          title="Networks"
          aside={
            <>
              <Time ms={found.fromMs} /> to <Time ms={found.toMs} />
            </>
          }
        >
          <div class="tools">
            <FilterForm path={PATH} params={params} without={["q"]}>
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
          <Pager list={found.networks} path={PATH} params={params} what="networks" />
        </Card>
        <Addresses found={found} minutes={window_minutes} view={request} back={back} />
        <BlocksCard
          view={request}
          title="Networks and addresses that are shut, challenged or exempt"
          list={blocks}
          back={back}
          pager={<Pager list={blocks} path={PATH} params={params} name="blocks" what="sources" />}
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
  view: View;
  back: string;
}) {
  const rows = found.networks.rows.map((row) => ({ row, line: networkLine(row, alarmRatio, view.words) }));
  if (rows.length === 0) return <Empty>Nobody asked from a network that fits.</Empty>;
  return (
    <div class="scroll">
      <table class="cards">
        <Head columns={NETWORKS} path={PATH} params={params} sorted={sort} />
        <tbody>
          {rows.map(({ row, line }) => (
            <tr id={line.id}>
              <th scope="row">
                {line.subject}
                {line.under === "" ? null : (
                  <small>
                    {" "}
                    {line.under} <Badge tone="warn">hosting</Badge>
                  </small>
                )}
              </th>
              <td data-label="Course">
                <Sparkline spark={line.spark} />
              </td>
              <td data-label="Sent" class="number">
                <Figures judged={{ text: line.sent, ...line.volume }} />
              </td>
              <td data-label="Numbers" class="number">
                {line.numbers}
              </td>
              <td data-label="Verified" class="number">
                <Figures judged={line.ratio} />
              </td>
              <td data-label="Unanswered" class="number">
                <Figures judged={line.exposure} />
                <Bar share={line.exposure.share} tone={line.exposure.tone} label={line.exposure.text} />
              </td>
              <td data-label="Refused" class="number">
                {line.refused}
              </td>
              <td data-label="Turned away" class="number">
                {line.turnedAway}
              </td>
              <td data-label="Spent" class="number">
                {line.spent}
              </td>
              <td data-label="State">
                <BlockState block={row.block} />
              </td>
              <td class="act">
                <BlockActs
                  view={view}
                  subject={line.subject}
                  name={line.subject}
                  back={back}
                  shut={line.shut}
                  challenged={line.challenged}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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
  view: View;
  back: string;
}) {
  const rows = found.addresses.map((row) => ({ row, line: addressLine(row, view.words) }));
  return (
    <Card title="Addresses that ask for many numbers" aside={`the last ${minutes} minutes; keyed hashes`}>
      {rows.length === 0 ? (
        <Empty>No address asked for more numbers than people do.</Empty>
      ) : (
        <div class="scroll">
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">Address</th>
                <th scope="col" class="number">
                  Numbers
                </th>
                <th scope="col" class="number">
                  Requests
                </th>
                <th scope="col" class="number">
                  Unanswered
                </th>
                <th scope="col">State</th>
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ row, line }) => (
                <tr id={line.id}>
                  <th scope="row">
                    <code>{line.title}</code>
                  </th>
                  <td data-label="Numbers" class="number">
                    {line.numbers}
                  </td>
                  <td data-label="Requests" class="number">
                    {line.asked}
                  </td>
                  <td data-label="Unanswered" class="number">
                    <Figures judged={line.exposure} />
                  </td>
                  <td data-label="State">
                    <BlockState block={row.block} />
                  </td>
                  <td class="act">
                    <BlockActs
                      view={view}
                      subject={line.subject}
                      name={`address ${line.title}`}
                      back={back}
                      shut={line.shut}
                      challenged={line.challenged}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
