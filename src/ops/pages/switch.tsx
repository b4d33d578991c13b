/** The switch page: the posture, throttle and pauses, each with its author and end, and the forms that change them. */
import { POSTURES } from "../../domain/kernel/posture.ts";
import { type PostureDocuments, postureDocumentsOf } from "../../domain/monitor/effective-control.ts";
import type { OperatorAction } from "../../ports/records.ts";
import { ActionsTable } from "../actions-table.tsx";
import type { OpsDeps, OpsPage, PageRequest } from "../page.ts";
import { ActionForm, Badge, Card, DurationField, EmptyNote, FaultsNotice, Field, Time } from "../parts.tsx";
import { Pauses } from "../pauses.tsx";
import { decidingDocument } from "../posture-words.ts";
import { POSTURE_TONE } from "../shell.tsx";

const ACTIONS = 20;

export const switchPage: OpsPage = { path: "/switch", title: "Switch", nav: "Switch", live: true, view };

async function view(deps: OpsDeps, request: PageRequest) {
  const [documents, actions] = await Promise.all([deps.control.documents(), deps.records.actions(ACTIONS)]);
  const unread = "kind" in documents;
  const faults = [
    ...(unread ? [`control: ${documents.cause}`] : documents.faults),
    ...(actions.kind === "answered" ? [] : [`actions: ${actions.cause}`]),
  ];
  const now = unread ? null : postureDocumentsOf(documents, request.nowMs);
  return (
    <>
      <div class="head">
        <h1>Switch</h1>
        {request.mayAct ? null : <p class="faint">Viewers look and do not act.</p>}
      </div>
      <FaultsNotice faults={faults} />
      <Posture view={request} now={now} />
      <Throttle view={request} now={now} />
      <Pauses
        view={request}
        pauses={unread ? null : documents.operatorPauses.filter(({ untilMs }) => request.nowMs < untilMs)}
        flows={Object.keys(deps.policy.flows)}
        providers={deps.policy.delivery.providers}
      />
      <Did actions={actions.kind === "answered" ? actions.actions : null} />
    </>
  );
}

function Posture({ view, now }: { view: PageRequest; now: PostureDocuments | null }) {
  const document = decidingDocument(now?.operator ?? null, now?.cron ?? null);
  return (
    <Card title="Posture">
      {now === null ? (
        <p>Cannot be read just now. What you set replaces it.</p>
      ) : (
        <p class="standing">
          <Badge tone={POSTURE_TONE[now.posture]}>{now.posture}</Badge> {view.postureMeans(now.posture)}
        </p>
      )}
      {document === null ? (
        now === null ? null : (
          <p class="faint">The watch raises it when it sees an attack.</p>
        )
      ) : (
        <p>
          {document.by === "cron" ? "The watch" : (document.who ?? "Somebody")} set it at{" "}
          <Time ms={document.since_ms} as="date" />, until <Time ms={document.until_ms} as="date" /> (
          {view.words.lasting(document.until_ms - view.nowMs)} left): <q>{document.why}</q>
          {document.caps_lifted ? " Spend caps are lifted as long." : ""}
        </p>
      )}
      {now?.cron && document === now.operator ? (
        <p class="faint">
          Without it the watch's word counts: {now.cron.posture}, because <q>{now.cron.why}</q>
        </p>
      ) : null}
      <div class="deeds">
        <ActionForm view={view} action="/switch/posture" button="Review">
          <Field label="Hold the posture at">
            <select name="posture">
              {POSTURES.map((posture) => (
                <option value={posture} selected={posture === "emergency"}>
                  {posture}
                </option>
              ))}
            </select>
          </Field>
          <DurationField />
          <label class="check">
            <input type="checkbox" name="lift_caps" value="yes" /> Lift the spend caps
          </label>
        </ActionForm>
        {document === null && now !== null ? null : (
          <ActionForm view={view} action="/switch/clear" button="Back to normal" />
        )}
      </div>
    </Card>
  );
}

function Throttle({ view, now }: { view: PageRequest; now: PostureDocuments | null }) {
  const most = now?.operator?.max_per_minute;
  return (
    <Card title="Throttle">
      {most === undefined ? (
        <p class="faint">None: limits, budgets and caps alone hold back.</p>
      ) : (
        <p class="standing">
          <Badge tone="warn">at most {view.words.count(most)} a minute</Badge> until{" "}
          <Time ms={now?.operator?.until_ms ?? view.nowMs} as="date" />
        </p>
      )}
      <div class="deeds">
        <ActionForm view={view} action="/switch/throttle" button="Review">
          <Field label="Send at most">
            <input type="number" name="amount" min="1" max="1000000" value="50" required />
          </Field>
          <Field label="Of">
            <select name="unit">
              <option value="percent">percent of normal</option>
              <option value="per_minute">messages a minute</option>
            </select>
          </Field>
          <DurationField />
        </ActionForm>
        {most === undefined ? null : (
          <ActionForm view={view} action="/switch/unthrottle" button="Take the throttle off" />
        )}
      </div>
    </Card>
  );
}

function Did({ actions }: { actions: readonly OperatorAction[] | null }) {
  return (
    <Card title="What people did" aside="the latest first">
      {actions === null ? (
        <EmptyNote>Cannot be read just now.</EmptyNote>
      ) : (
        <ActionsTable actions={actions} />
      )}
    </Card>
  );
}
