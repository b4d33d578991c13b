/** Who carries messages: what each does with them, and drain, weigh and pin from here. */
import { type RouteOverride, subjectOfWord } from "../../domain/delivery/route-overrides.ts";
import type { Policy } from "../../domain/policy.ts";
import { inWords } from "../../flows/operate-routes.ts";
import { type ProviderLine, type RouteLine, type Routes, readRoutes } from "../../flows/read-routes.ts";
import type { OpsPage, View } from "../page.ts";
import { ActionForm, Badge, Bar, Card, Empty, Faults, Field, LastingField, Time } from "../parts.tsx";
import { Figures, RowActs, Sparkline } from "../tables.tsx";
import { countryName } from "../views/destinations.ts";
import { judgeRatio } from "../views/judged.ts";
import { providerView } from "../views/providers.ts";

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
        <Faults faults={found.faults} />
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

const FIGURES = [
  "Share",
  "Verified",
  "Delivered",
  "Rejected",
  "Answers in",
  "Delivered in",
  "Price",
  "Spent",
] as const;
const HEADS = ["Provider", "Course", ...FIGURES, "State"];
const NUMBERS = new Set<string>([...FIGURES, "Sent", "Failures"]);

function Heads({ names }: { names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th scope="col" class={NUMBERS.has(name) ? "number" : undefined}>
            {name === "" ? <span class="hidden">Actions</span> : name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Providers({ found, policy, view }: { found: Routes; policy: Policy; view: View }) {
  return (
    <Card title="Providers" aside="who carries how much of it">
      <div class="scroll">
        <table class="cards">
          <Heads names={[...HEADS, ""]} />
          <tbody>
            {found.providers.map((line) => (
              <Provider line={line} policy={policy} view={view} />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Provider({ line, policy, view }: { line: ProviderLine; policy: Policy; view: View }) {
  const seen = providerView(line, policy, view.words);
  const judged = [
    ["Verified", seen.ratio],
    ["Delivered", seen.delivered],
    ["Rejected", seen.rejected],
    ["Answers in", seen.answers],
    ["Delivered in", seen.deliveries],
  ] as const;
  return (
    <tr id={`row-${line.provider}`}>
      <th scope="row">
        {line.provider}
        <small> {seen.under}</small>
      </th>
      <td data-label="Course">
        <Sparkline spark={seen.spark} />
      </td>
      <td data-label="Share" class="number">
        <span class="judged">
          {view.words.share(line.share)}
          <small>{view.words.count(line.sent)} sent</small>
        </span>
        <Bar share={line.share ?? 0} tone="quiet" label={`${view.words.share(line.share)} of all messages`} />
      </td>
      {judged.map(([label, figure]) => (
        <td data-label={label} class="number">
          <Figures judged={figure} />
        </td>
      ))}
      <td data-label="Price" class="number">
        {seen.price}
      </td>
      <td data-label="Spent" class="number">
        {view.words.money(line.spentMicros)}
      </td>
      <td data-label="State">
        {seen.states.map(({ text, tone }) => (
          <>
            <Badge tone={tone}>{text}</Badge>{" "}
          </>
        ))}
      </td>
      <td class="act">
        <RowActs view={view} id={`acts-${line.provider}`} name={line.provider}>
          <ActionForm
            view={view}
            action={line.drained ? "/routes/fill" : "/routes/drain"}
            button={line.drained ? "Fill…" : "Drain…"}
            label={`${line.drained ? "Fill" : "Drain"} ${line.provider}`}
            inline
          >
            <input type="hidden" name="provider" value={line.provider} />
            <LastingField chosen={14_400} />
          </ActionForm>
          <ActionForm
            view={view}
            action="/routes/weigh"
            button="Weigh…"
            label={`Weigh ${line.provider}`}
            inline
          >
            <input type="hidden" name="provider" value={line.provider} />
            <Field label="Keeps, %">
              <input type="number" name="percent" min={1} max={100} value="50" required />
            </Field>
            <LastingField chosen={14_400} />
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
            <LastingField chosen={14_400} />
          </ActionForm>
        </RowActs>
      </td>
    </tr>
  );
}

function Said({ overrides, view }: { overrides: readonly RouteOverride[]; view: View }) {
  return (
    <Card title="What people said, over the policy">
      {overrides.length === 0 ? (
        <Empty>Nothing: the policy decides.</Empty>
      ) : (
        <div class="scroll">
          <table class="cards">
            <Heads names={["What holds", "Until", "By", "Why", ""]} />
            <tbody>
              {overrides.map((said) => (
                <tr id={`said-${said.kind}-${subjectOfWord(said)}`}>
                  <th scope="row">{inWords(said)}</th>
                  <td data-label="Until">
                    <Time ms={said.untilMs} />
                  </td>
                  <td data-label="By">{said.by}</td>
                  <td data-label="Why" class="why">
                    {said.why}
                  </td>
                  <td class="act">
                    <ActionForm
                      view={view}
                      action="/routes/clear"
                      button="End…"
                      label={`Let the policy decide on the ${said.kind} of ${subjectOfWord(said)}`}
                      inline
                    >
                      <input type="hidden" name="kind" value={said.kind} />
                      <input type="hidden" name="subject" value={subjectOfWord(said)} />
                    </ActionForm>
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

function RoutesTable({ found, alarmRatio, view }: { found: Routes; alarmRatio: number; view: View }) {
  const { words } = view;
  const more = found.routesInAll - found.routes.length;
  const names = ["Route", "Sent", "Verified", "Rejected", "Price", "Failures", "State"];
  const row = (line: RouteLine) => (
    <tr id={`route-${line.provider}-${line.channel}-${line.country}`}>
      <th scope="row">
        {countryName(line.country)}{" "}
        <small>
          {line.provider} {line.channel}
        </small>
      </th>
      <td data-label="Sent" class="number">
        {words.count(line.sent)}
      </td>
      <td data-label="Verified" class="number">
        <Figures judged={judgeRatio({ ...line, usualRatio: null }, alarmRatio, words)} />
      </td>
      <td data-label="Rejected" class="number">
        {words.count(line.rejected)}
      </td>
      <td data-label="Price" class="number">
        {line.priceMicros === null ? "–" : words.price(line.priceMicros)}
      </td>
      <td data-label="Failures" class="number">
        {words.count(line.failures)}
      </td>
      <td data-label="State">
        {line.restsUntilMs === null ? (
          <Badge tone="good">open</Badge>
        ) : (
          <>
            <Badge tone="warn">rests</Badge> <small>until</small> <Time ms={line.restsUntilMs} />
          </>
        )}
      </td>
    </tr>
  );
  return (
    <Card title="Routes" aside={more > 0 ? `the busiest; ${words.count(more)} more` : undefined}>
      {found.routes.length === 0 ? (
        <Empty>Nothing was sent.</Empty>
      ) : (
        <div class="scroll">
          <table class="cards">
            <Heads names={names} />
            <tbody>{found.routes.map(row)}</tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
