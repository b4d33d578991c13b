/** The policy of this deployment, to be read; each part states the place where it is changed. */
import { readRecordOnlyHits } from "../../flows/operators/views/read-record-only-hits.ts";
import type { OpsPage } from "../page.ts";
import { Badge, Card, SettingPlace, Time } from "../parts.tsx";
import { policyFile } from "../policy-file.ts";
import { RecordOnlyRulesTable } from "../record-only-rules-table.tsx";
import { DataTable, type TableColumn } from "../table.tsx";
import { Tabs } from "../table-parts.tsx";
import {
  locateAlertOwners,
  type OwnerLine,
  ownerLines,
  policySections,
  type RuleByPosture,
  rulesByPosture,
} from "../views/policy.ts";
import { locateInPolicyFile } from "../views/policy-file-location.ts";
import { queryChoice, tableLink } from "../views/query.ts";

const PATH = "/policy";
/** The development policy is in no deployment. */
const LAID_OVER = ", or comes from what npm start was told to lay over it";
const RULES_ID = "record-only";

export const policy: OpsPage = {
  path: PATH,
  title: "Policy",
  nav: "Policy",
  async view(deps, { words, nowMs, query }) {
    const { policy: active, environment } = deps;
    const span = queryChoice(query, "span", ["day", "window"]);
    const recorded = await readRecordOnlyHits(deps, span);
    const file = policyFile();
    const sections = policySections(active, file, environment, words);
    return (
      <>
        <div class="head">
          <h1>Policy</h1>
          <p class="faint">
            In force in {environment}. It is changed in {file.name} and deployed: a setting shows its line
            there, one without a line is the default{environment === "development" ? LAID_OVER : ""}. What
            people set for a time is under <a href="/ops/switch">Switch</a>,{" "}
            <a href="/ops/destinations">Destinations</a> and <a href="/ops/providers">Providers</a>.
          </p>
        </div>
        <nav class="contents" aria-label="Tables of the policy">
          {sections.map(({ id, title }) => (
            <a href={`#${id}`}>{title}</a>
          ))}
        </nav>
        <Card
          title="What each posture makes of it"
          aside={<SettingPlace place={locateInPolicyFile(file, environment, "postures")} />}
        >
          <DataTable columns={POSTURES} rows={rulesByPosture(active, words)} />
          <p class="faint">In a shutdown nothing is sent at all.</p>
        </Card>
        <Card
          title="Rules in record-only mode: what they would have done"
          id={RULES_ID}
          aside={
            <Tabs
              label="Span"
              tabs={[
                { title: "24 hours", href: rulesLink(""), here: span === "day" },
                {
                  title: `${active.monitor.window_minutes} min`,
                  href: rulesLink("window"),
                  here: span === "window",
                },
              ]}
            />
          }
        >
          <RecordOnlyRulesTable
            found={recorded}
            span={span}
            policy={active}
            file={file}
            environment={environment}
            words={words}
          />
        </Card>
        <Card title="Owners" aside={<SettingPlace place={locateAlertOwners(file, environment)} />}>
          <DataTable columns={OWNERS} rows={ownerLines(active, nowMs)} />
        </Card>
        {sections.map(({ id, title, place, lines }) => (
          <Card title={title} id={id} aside={<SettingPlace place={place} />}>
            <dl class="settings">
              {lines.map(({ name, value, line }) => (
                <div>
                  <dt>
                    <code>{name}</code>
                  </dt>
                  <dd>
                    {value}
                    {line === null ? null : <small class="where"> line {line}</small>}
                  </dd>
                </div>
              ))}
            </dl>
          </Card>
        ))}
      </>
    );
  },
};

const rulesLink = (span: string): string => `${tableLink(PATH, {}, { span })}#${RULES_ID}`;

const POSTURES: readonly TableColumn<RuleByPosture>[] = [
  { title: "What", cell: ({ name }) => name },
  { title: "Normal", cell: ({ normal }) => normal },
  { title: "Elevated", cell: ({ normal, elevated }) => changed(normal, elevated) },
  { title: "Emergency", cell: ({ elevated, emergency }) => changed(elevated, emergency) },
];

const OWNERS: readonly TableColumn<OwnerLine>[] = [
  { title: "Owns", cell: ({ role }) => role },
  { title: "Who", cell: ({ name }) => name },
  { title: "By", cell: ({ channels }) => channels },
  { title: "From", cell: ({ fromMs }) => (fromMs === null ? "always" : <Time ms={fromMs} as="date" />) },
  {
    title: "Until",
    cell: ({ untilMs }) => (untilMs === null ? "further notice" : <Time ms={untilMs} as="date" />),
  },
  {
    title: "Now",
    cell: ({ state }) => <Badge tone={state === "in charge" ? "good" : "quiet"}>{state}</Badge>,
  },
];

const changed = (before: string, now: string) => (before === now ? now : <strong>{now}</strong>);
