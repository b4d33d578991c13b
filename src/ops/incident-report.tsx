/** The report of an incident for the provider: a download, or the command that makes the same files. */
import * as z from "zod";
import { rfc3339 } from "../domain/kernel/instant.ts";
import type { Incident } from "../domain/monitor/incident.ts";
import {
  downloadReport,
  incidentWindow,
  MOST_MESSAGES,
  planReport,
} from "../flows/evidence/download-report.ts";
import type { LedgerWindow } from "../ports/ledger.ts";
import { defineAction, type OpsAction, type PageRequest } from "./page.ts";
import { ActionForm, Card, Field } from "./parts.tsx";
import { utcText } from "./posture-words.ts";
import { countryField } from "./route-actions.ts";

export const INCIDENT_ID = /^[\w.:-]{1,128}$/;
const PATH = "/incidents/report";

const report = defineAction({
  path: PATH,
  title: "Download the report",
  back: ({ id }) => `/incidents/${id}`,
  fields: z.strictObject({
    id: z.string().regex(INCIDENT_ID),
    country: z.union([z.literal(""), countryField]).transform((code) => code || null),
  }),
  async intent(deps, { id, country }, { words }) {
    const plan = await planReport(deps, id, country);
    if (plan.kind !== "plan") return plan;
    const { window, messages, forgotten } = plan;
    const where = country === null ? "" : ` to ${words.country(country)}`;
    return {
      says: [
        `Your browser saves one ZIP with report.html, dispute.md, summary.json, messages.csv, ranges.csv and ips.csv, from ${utcText(window.fromMs)} to ${utcText(window.toMs)}.`,
        `It holds ${words.count(messages)} messages${where}, with people's numbers and addresses as far as they are still held.`,
        ...(forgotten > 0
          ? [
              `The incident counted ${words.count(forgotten)} messages, and the ledger holds none of that time any more: only what was found and done is left.`,
            ]
          : []),
        "That you opened them is written down in the list of actions, before the first of them is read.",
        "If it does not open as a ZIP, it broke off on the way: begin it again. Delete it when the dispute is over.",
      ],
      replaces: null,
      button: "Download it",
      back: "Back to the incident",
      laxer: true,
    };
  },
  async perform(deps, act, { id, country }) {
    const begun = await downloadReport(deps, act, id, country);
    if (begun.kind !== "download") return begun;
    const { kind, files, window } = begun;
    return { kind, files, fileName: fileNameOf(deps.environment, window) };
  },
});

export const REPORT_ACTIONS: readonly OpsAction[] = [report];

const fileNameOf = (environment: string, { fromMs, country }: LedgerWindow): string =>
  `${["incident-report", environment, rfc3339(fromMs).replaceAll(":", ""), ...(country === null ? [] : [country])].join("-")}.zip`;

export function IncidentReportCard({
  found,
  environment,
  view,
}: {
  found: Incident;
  environment: string;
  view: PageRequest;
}) {
  const { words, mayAct, nowMs } = view;
  const tooMany = found.sent > MOST_MESSAGES;
  return (
    <Card title="Report">
      <p>
        For the provider and for whoever asks what happened, with people's numbers as far as they are held.
      </p>
      {tooMany ? (
        <p>
          A download holds {words.count(MOST_MESSAGES)} messages at most, and this incident has more: name a
          country, or use the command.
        </p>
      ) : null}
      {mayAct ? null : <p class="faint">It opens people's numbers: ask an operator for it.</p>}
      <div class="deeds">
        <ActionForm view={view} action={PATH} button="Download…" label="Download the report">
          <input type="hidden" name="id" value={found.id} />
          <Field label={tooMany ? "Country" : "Country, or all"}>
            <input
              name="country"
              minlength={2}
              maxlength={2}
              size={3}
              placeholder="IN"
              autocomplete="off"
              required={tooMany}
            />
          </Field>
        </ActionForm>
      </div>
      <p>The same files of any number of messages, on a machine with an operator token:</p>
      <pre>{commandFor(environment, incidentWindow(found, null, nowMs))}</pre>
    </Card>
  );
}

function commandFor(environment: string, { fromMs, toMs }: LedgerWindow): string {
  const at = (ms: number) => new Date(ms).toISOString();
  const window = `--from ${at(fromMs)} --to ${at(toMs)}`;
  // The local service has no section of its own in wrangler.toml.
  const where = environment === "development" ? "" : `--env ${environment} `;
  return `npm run ops -- ${where}incident report ${window} --out incident-report`;
}
