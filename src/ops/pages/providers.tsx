/** Providers with their results, and forms that drain, weigh and pin them. */
import { instructionSubject, type RouteOverride } from "../../domain/delivery/route-overrides.ts";
import type { Policy } from "../../domain/policy.ts";
import { routeInstructionText } from "../../flows/operators/change-routes.ts";
import {
  type ProviderLine,
  type RouteLine,
  type Routes,
  readRoutes,
} from "../../flows/operators/views/read-routes.ts";
import type { OpsPage, ViewerContext } from "../page.ts";
import {
  ActionForm,
  Badge,
  Bar,
  Card,
  DurationField,
  EmptyNote,
  FaultsNotice,
  Field,
  Time,
} from "../parts.tsx";
import { DataTable, type TableColumn } from "../table.tsx";
import { JudgedFigureCell, RowActions, Sparkline } from "../table-parts.tsx";
import { countryName } from "../views/destinations.ts";
import { type JudgedFigure, judgeRatio } from "../views/judged.ts";
import { type ProviderView, providerView } from "../views/providers.ts";
import type { PageFormats } from "../words.ts";

export const providers: OpsPage = {
  path: "/providers",
  title: "Providers",
  nav: "Providers",
  live: true,
  async view(deps, request) {
    const found = await readRoutes(deps);
    return (
      <>
        <div class="head">
          <h1>Providers</h1>
          <p class="faint">The last {found.minutes} minutes</p>
        </div>
        <FaultsNotice faults={found.faults} />
        <Providers found={found} policy={deps.policy} view={request} />
        <Said overrides={found.overrides} view={request} />
        <RoutesTable found={found} alarmRatio={deps.policy.monitor.alarm_ratio} view={request} />
        <p class="faint">
          “Answers in” is the time from handing a message to a provider to its answer, refusals and time-outs
          included; “delivered in” goes on to the receipt, and knows no calls. What holds without anybody's
          word stands in <code>delivery.pin</code>, <code>delivery.weight</code> and{" "}
          <code>delivery.drain</code> of the <a href="/ops/policy#policy-delivery">policy</a>.
        </p>
      </>
    );
  },
};

interface Carrier {
  line: ProviderLine;
  seen: ProviderView;
}

const judged = (title: string, of: (seen: ProviderView) => JudgedFigure): TableColumn<Carrier> => ({
  title,
  number: true,
  cell: ({ seen }) => <JudgedFigureCell judged={of(seen)} />,
});

const carrierColumns = (view: ViewerContext): readonly TableColumn<Carrier>[] => [
  {
    title: "Provider",
    cell: ({ line, seen }) => (
      <>
        {line.provider}
        <small> {seen.under}</small>
      </>
    ),
  },
  { title: "Course", cell: ({ seen }) => <Sparkline spark={seen.spark} /> },
  {
    title: "Share",
    number: true,
    cell: ({ line }) => (
      <>
        <span class="judged">
          {view.words.share(line.share)}
          <small>{view.words.count(line.sent)} sent</small>
        </span>
        <Bar share={line.share ?? 0} tone="quiet" label={`${view.words.share(line.share)} of all messages`} />
      </>
    ),
  },
  judged("Verified", ({ ratio }) => ratio),
  judged("Delivered", ({ delivered }) => delivered),
  judged("Rejected", ({ rejected }) => rejected),
  judged("Answers in", ({ answers }) => answers),
  judged("Delivered in", ({ deliveries }) => deliveries),
  { title: "Price", number: true, cell: ({ seen }) => seen.price },
  { title: "Spent", number: true, cell: ({ line }) => view.words.money(line.spentMicros) },
  {
    title: "State",
    cell: ({ seen }) =>
      seen.states.map(({ text, tone }) => (
        <>
          <Badge tone={tone}>{text}</Badge>{" "}
        </>
      )),
  },
  { title: "Actions", acts: true, cell: ({ line }) => <ProviderActs line={line} view={view} /> },
];

function Providers({ found, policy, view }: { found: Routes; policy: Policy; view: ViewerContext }) {
  const rows = found.providers.map((line) => ({ line, seen: providerView(line, policy, view.words) }));
  return (
    <Card title="Providers" aside="who carries how much of it">
      <DataTable columns={carrierColumns(view)} rows={rows} rowId={({ line }) => `row-${line.provider}`} />
    </Card>
  );
}

function ProviderActs({ line, view }: { line: ProviderLine; view: ViewerContext }) {
  return (
    <RowActions view={view} id={`acts-${line.provider}`} name={line.provider}>
      <ActionForm
        view={view}
        action={line.drained ? "/routes/fill" : "/routes/drain"}
        button={line.drained ? "Fill…" : "Drain…"}
        label={`${line.drained ? "Fill" : "Drain"} ${line.provider}`}
        inline
      >
        <input type="hidden" name="provider" value={line.provider} />
        <DurationField chosen={14_400} />
      </ActionForm>
      <ActionForm view={view} action="/routes/weigh" button="Weigh…" label={`Weigh ${line.provider}`} inline>
        <input type="hidden" name="provider" value={line.provider} />
        <Field label="Keeps, %">
          <input type="number" name="percent" min={1} max={100} value="50" required />
        </Field>
        <DurationField chosen={14_400} />
      </ActionForm>
      <ActionForm
        view={view}
        action="/routes/pin"
        button="Pin…"
        label={`Pin a country to ${line.provider}`}
        inline
      >
        <input type="hidden" name="provider" value={line.provider} />
        <Field label="Country">
          <input name="country" minlength={2} maxlength={2} size={3} placeholder="IN" required />
        </Field>
        <DurationField chosen={14_400} />
      </ActionForm>
    </RowActions>
  );
}

const saidColumns = (view: ViewerContext): readonly TableColumn<RouteOverride>[] => [
  { title: "What holds", cell: routeInstructionText },
  { title: "Until", cell: ({ untilMs }) => <Time ms={untilMs} /> },
  { title: "By", cell: ({ by }) => by },
  { title: "Why", wide: true, cell: ({ why }) => why },
  {
    title: "Actions",
    acts: true,
    cell: (said) => (
      <ActionForm
        view={view}
        action="/routes/clear"
        button="End…"
        label={`Let the policy decide on the ${said.kind} of ${instructionSubject(said)}`}
        inline
      >
        <input type="hidden" name="kind" value={said.kind} />
        <input type="hidden" name="subject" value={instructionSubject(said)} />
      </ActionForm>
    ),
  },
];

function Said({ overrides, view }: { overrides: readonly RouteOverride[]; view: ViewerContext }) {
  return (
    <Card title="What people said, over the policy">
      {overrides.length === 0 ? (
        <EmptyNote>Nothing: the policy decides.</EmptyNote>
      ) : (
        <DataTable
          columns={saidColumns(view)}
          rows={overrides}
          rowId={(said) => `said-${said.kind}-${instructionSubject(said)}`}
        />
      )}
    </Card>
  );
}

const routeColumns = (words: PageFormats, alarmRatio: number): readonly TableColumn<RouteLine>[] => [
  {
    title: "Route",
    cell: ({ country, provider, channel }) => (
      <>
        {countryName(country)}{" "}
        <small>
          {provider} {channel}
        </small>
      </>
    ),
  },
  { title: "Sent", number: true, cell: ({ sent }) => words.count(sent) },
  {
    title: "Verified",
    number: true,
    cell: (line) => (
      <JudgedFigureCell judged={judgeRatio({ ...line, usualRatio: null }, alarmRatio, words)} />
    ),
  },
  { title: "Rejected", number: true, cell: ({ rejected }) => words.count(rejected) },
  {
    title: "Price",
    number: true,
    cell: ({ priceMicros }) => (priceMicros === null ? "–" : words.price(priceMicros)),
  },
  { title: "Failures", number: true, cell: ({ failures }) => words.count(failures) },
  {
    title: "State",
    cell: ({ restsUntilMs }) =>
      restsUntilMs === null ? (
        <Badge tone="good">open</Badge>
      ) : (
        <>
          <Badge tone="warn">rests</Badge> <small>until</small> <Time ms={restsUntilMs} />
        </>
      ),
  },
];

function RoutesTable({
  found,
  alarmRatio,
  view,
}: {
  found: Routes;
  alarmRatio: number;
  view: ViewerContext;
}) {
  const { words } = view;
  const more = found.routesInAll - found.routes.length;
  return (
    <Card title="Routes" aside={more > 0 ? `the busiest; ${words.count(more)} more` : undefined}>
      {found.routes.length === 0 ? (
        <EmptyNote>Nothing was sent.</EmptyNote>
      ) : (
        <DataTable
          columns={routeColumns(words, alarmRatio)}
          rows={found.routes}
          rowId={({ provider, channel, country }) => `route-${provider}-${channel}-${country}`}
        />
      )}
    </Card>
  );
}
