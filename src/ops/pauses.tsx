import type { Pause } from "../domain/monitor/pause.ts";
import type { Child, ViewerContext } from "./page.ts";
import { ActionForm, Badge, Card, DurationField, EmptyNote, Field, Time } from "./parts.tsx";

/** The pauses that run, each with its way back, and a form for a new one. */
export function Pauses({
  view,
  pauses,
  flows,
  providers,
}: {
  view: ViewerContext;
  /** null where they cannot be read. */
  pauses: readonly Pause[] | null;
  flows: readonly string[];
  providers: readonly string[];
}) {
  return (
    <Card title="Pause one country, flow or provider">
      {pauses === null ? (
        <EmptyNote>Cannot be read just now.</EmptyNote>
      ) : pauses.length === 0 ? (
        <p class="faint">Nothing is paused.</p>
      ) : (
        <ul class="told">
          {pauses.map(({ kind, subject, by, why, untilMs }) => (
            <li id={`pause-${kind}-${subject}`}>
              <Badge tone="bad">
                {kind} {kind === "country" ? view.words.country(subject) : subject}
              </Badge>{" "}
              paused by {by} until <Time ms={untilMs} as="date" />: <q>{why}</q>{" "}
              <ActionForm
                view={view}
                action="/switch/resume"
                button="Let it go on"
                label={`Let ${subject} go on`}
                inline
              >
                <input type="hidden" name="kind" value={kind} />
                <input type="hidden" name="subject" value={subject} />
              </ActionForm>
            </li>
          ))}
        </ul>
      )}
      <div class="deeds">
        <PauseForm view={view} kind="country">
          <Field label="Country">
            <input
              name="subject"
              required
              maxlength={2}
              size={4}
              placeholder="NG"
              autocapitalize="characters"
            />
          </Field>
        </PauseForm>
        <PauseForm view={view} kind="flow">
          <Choice label="Flow" names={flows} />
        </PauseForm>
        <PauseForm view={view} kind="provider">
          <Choice label="Provider" names={providers} />
        </PauseForm>
      </div>
    </Card>
  );
}

function PauseForm({ view, kind, children }: { view: ViewerContext; kind: Pause["kind"]; children: Child }) {
  return (
    <ActionForm view={view} action="/switch/pause" button="Review" label={`Review the pause of a ${kind}`}>
      <input type="hidden" name="kind" value={kind} />
      {children}
      <DurationField />
    </ActionForm>
  );
}

function Choice({ label, names }: { label: string; names: readonly string[] }) {
  return (
    <Field label={label}>
      <select name="subject">
        {names.map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
    </Field>
  );
}
