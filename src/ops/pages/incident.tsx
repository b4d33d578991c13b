/** One incident: its first sign, findings, actions with their authors, and cost. */
import * as z from "zod";
import type { Finding } from "../../domain/monitor/finding.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import { closeIncident } from "../../flows/operators/close-incident.ts";
import { type IncidentStory, readIncident } from "../../flows/operators/views/read-incidents.ts";
import { INCIDENT_ID, IncidentReportCard, REPORT_ACTIONS } from "../incident-report.tsx";
import { defineAction, type OpsAction, type OpsDeps, type OpsPage, type PageRequest } from "../page.ts";
import { ActionForm, Badge, Card, EmptyNote, FaultsNotice, Figure, Time, type Tone } from "../parts.tsx";
import { utcText } from "../posture-words.ts";
import { hrefOf, POSTURE_TONE } from "../shell.tsx";
import type { PageFormats } from "../words.ts";

export const incident: OpsPage = { path: "/incidents/:id", title: "Incident", live: true, view };

const close = defineAction({
  path: "/incidents/close",
  title: "Close the incident",
  back: ({ id }) => `/incidents/${id}`,
  fields: z.object({ id: z.string().regex(INCIDENT_ID) }),
  async intent(deps, { id }, { words }) {
    const story = await readIncident(deps, id);
    if (story === null) return { kind: "not_found", reason: "There is none of this id." };
    if ("kind" in story) return story;
    if (story.incident.closedAtMs !== null) return { kind: "not_found", reason: "It is not open any more." };
    const { sent, verified, unansweredMicros } = story.incident;
    return {
      says: [
        `It ends with ${words.count(sent)} sent, ${words.count(verified)} verified, and ${words.money(unansweredMicros)} on messages nobody answered.`,
        "The posture and what is shut stay as they are.",
        "If the watch still finds an attack it opens another incident within a minute.",
        "Your reason is the last entry of its timeline.",
      ],
      replaces: null,
      button: "Close it",
      laxer: true,
    };
  },
  perform: (deps, act, { id }) => closeIncident(deps, act, id),
});

export const INCIDENT_ACTIONS: readonly OpsAction[] = [close, ...REPORT_ACTIONS];

async function view(deps: OpsDeps, request: PageRequest) {
  const id = request.param("id");
  const story = INCIDENT_ID.test(id) ? await readIncident(deps, id) : null;
  if (story === null) return null;
  if ("kind" in story) return <FaultsNotice faults={[`incidents: ${story.cause}`]} />;
  const { incident: found } = story;
  const { words, nowMs } = request;
  const open = found.closedAtMs === null;
  return (
    <>
      <div class="head">
        <h1>
          Incident of <Time ms={found.openedAtMs} as="date" />{" "}
          {open ? <Badge tone="bad">open</Badge> : <Badge tone="quiet">over</Badge>}
        </h1>
        <a href={hrefOf("/incidents")}>All incidents</a>
      </div>
      <FaultsNotice faults={story.actions === null ? ["actions: cannot be read just now"] : []} />
      <dl class="figures card">
        <Figure
          label="Leaked"
          value={words.money(found.unansweredMicros)}
          note={`of ${words.money(found.spentMicros)} spent`}
          tone={found.unansweredMicros > 0 ? "bad" : undefined}
        />
        <Figure
          label="Sent"
          value={words.count(found.sent)}
          note={`${words.count(found.verified)} verified`}
        />
        <Figure label="Refused" value={words.count(found.refused)} />
        <Figure
          label={open ? "Lasts" : "Lasted"}
          value={words.lasting((found.closedAtMs ?? nowMs) - found.openedAtMs)}
          note={
            <>
              last sign <Time ms={found.lastSeenAtMs} />
            </>
          }
        />
        <Figure
          label="Highest posture"
          value={<span class={POSTURE_TONE[found.posture]}>{found.posture}</span>}
          note={`severity ${found.severity}`}
        />
      </dl>
      <div class="columns wide">
        <Card title="Timeline">
          <Timeline story={story} />
        </Card>
        <Card title="Evidence">
          <Findings findings={found.findings} words={words} />
        </Card>
      </div>
      <IncidentReportCard found={found} environment={deps.environment} view={request} />
      {open ? (
        <ActionForm view={request} action="/incidents/close" button="Close with a note">
          <input type="hidden" name="id" value={found.id} />
        </ActionForm>
      ) : null}
    </>
  );
}

interface Entry {
  atMs: number;
  by: string;
  what: string;
  why: string | null;
  tone: Tone;
}

function entriesOf({ incident: found, actions }: IncidentStory): Entry[] {
  return [
    { atMs: found.openedAtMs, by: "the watch", what: "first sign", why: null, tone: "warn" as const },
    ...found.timeline.map(({ atMs, by, what }) => ({
      atMs,
      by: by === "cron" ? "the watch" : by,
      what,
      why: null,
      tone: toneOf(what),
    })),
    ...(actions ?? []).map(({ atMs, who, what, why }) => ({
      atMs,
      by: who,
      what,
      why,
      tone: "quiet" as const,
    })),
    ...(found.closedAtMs === null
      ? []
      : [{ atMs: found.closedAtMs, by: "the watch", what: "closed", why: null, tone: "good" as const }]),
  ].toSorted((a, b) => a.atMs - b.atMs);
}

function toneOf(what: string): Tone {
  if (what.startsWith("emergency:") || what.includes("-> emergency") || what.includes("-> shutdown"))
    return "bad";
  return what.startsWith("elevated:") || what.startsWith("shut ") || what.includes("-> elevated")
    ? "warn"
    : "quiet";
}

function Timeline({ story }: { story: IncidentStory }) {
  return (
    <ol class="timeline">
      {entriesOf(story).map(({ atMs, by, what, why, tone }) => (
        <li class={tone}>
          <Time ms={atMs} />
          <span>
            {what}
            {why === null ? null : (
              <>
                {" "}
                <q>{why}</q>
              </>
            )}{" "}
            <small>by {by}</small>
          </span>
        </li>
      ))}
    </ol>
  );
}

function Findings({ findings, words }: { findings: Incident["findings"]; words: PageFormats }) {
  if (findings.length === 0) return <EmptyNote>None: people set the posture by hand.</EmptyNote>;
  return (
    <ul class="findings">
      {findings.map((finding) => (
        <li>
          <p>
            <Badge
              tone={
                finding.severity === "emergency" ? "bad" : finding.severity === "elevated" ? "warn" : "quiet"
              }
            >
              {finding.severity}
            </Badge>{" "}
            {finding.says}
          </p>
          <small>{evidenceOf(finding, words)}</small>
        </li>
      ))}
    </ul>
  );
}

function evidenceOf({ kind, evidence }: Finding, words: PageFormats): string {
  const parts = Object.entries(evidence)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const label = name.replace(/_(ms|micros)$/, "").replaceAll("_", " ");
      if (typeof value !== "number") return `${label} ${value}`;
      if (name.endsWith("_ms")) return `${label} ${utcText(value)}`;
      if (name.endsWith("_micros")) return `${label} ${words.money(value)}`;
      return `${label} ${Number.isInteger(value) ? words.count(value) : value}`;
    });
  return [kind.replaceAll("_", " "), ...parts].join(", ");
}
