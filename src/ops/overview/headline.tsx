import type { Posture } from "../../domain/kernel/posture.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import type { MonitorPolicy } from "../../domain/monitor/monitor.policy.ts";
import type { PostureControls } from "../../domain/monitor/posture.ts";
import type { ServiceState, WindowState } from "../../flows/operators/views/read-state.ts";
import type { SubjectRow } from "../../flows/operators/views/read-subjects.ts";
import type { ViewerContext } from "../page.ts";
import { ActionForm, Time, type Tone } from "../parts.tsx";
import { decidingDocument } from "../posture-words.ts";
import { hrefOf, POSTURE_TONE } from "../shell.tsx";

/** An hour: long enough to look around, and it ends by itself if it is forgotten. */
const HOLD_SECONDS = "3600";

/** As many as one takes in at a glance. */
const COUNTRIES = 3;
const PREFIXES = 3;

interface HeadlineProps {
  view: ViewerContext;
  state: ServiceState;
  monitor: MonitorPolicy;
  /** Prefixes and countries, the one with most unanswered messages first. */
  worst: { prefixes: readonly SubjectRow[]; countries: readonly SubjectRow[] };
}

/** The state of the service in words that are read from two metres, and the buttons that stop an attack. */
export function Headline({ view, state, worst, monitor }: HeadlineProps) {
  const incident = state.monitor?.incident?.closedAtMs === null ? state.monitor.incident : null;
  const posture = state.posture?.posture ?? null;
  const { tone, title } = verdict(state, incident, posture, monitor);
  return (
    <section class={`headline ${tone}`} aria-label="What is going on">
      <div class="what">
        <p class="verdict">{title}</p>
        {incident === null ? null : <OpenIncident view={view} incident={incident} worst={worst} />}
        {posture === null ? (
          <p>The control documents cannot be read; places act as in an emergency.</p>
        ) : (
          <EffectivePosture
            view={view}
            posture={posture}
            operator={state.posture?.operator ?? null}
            cron={state.posture?.cron ?? null}
          />
        )}
        <MonitorStatus view={view} state={state} />
      </div>
      <div class="buttons">
        {posture === "normal" || posture === "elevated" ? (
          <Raise view={view} posture="emergency" button="Raise to emergency" />
        ) : null}
        {posture === "shutdown" ? null : (
          <Raise view={view} posture="shutdown" button="Stop all sending" strong={tone === "bad"} />
        )}
        <a class="button" href={hrefOf("/switch")}>
          Switch
        </a>
      </div>
    </section>
  );
}

/** True when so few messages are verified that the monitor, which runs once a minute, is about to see it. */
const fewAnswer = (window: WindowState | null, { alarm_ratio, min_sends }: MonitorPolicy): boolean =>
  window !== null && window.ratio !== null && window.due >= min_sends && window.ratio < alarm_ratio;

function verdict(
  state: ServiceState,
  incident: Incident | null,
  posture: Posture | null,
  monitor: MonitorPolicy,
): { tone: Tone; title: string } {
  if (incident !== null) {
    return incident.severity === "emergency"
      ? { tone: "bad", title: "Under attack" }
      : { tone: "warn", title: "Suspected attack" };
  }
  if (posture === null) return { tone: "bad", title: "Nobody knows the posture" };
  if (posture !== "normal")
    return { tone: POSTURE_TONE[posture], title: `No attack, and held at ${posture}` };
  if (fewAnswer(state.window, monitor)) return { tone: "warn", title: "Few messages are answered" };
  if (state.monitor === null) return { tone: "warn", title: "Nobody knows what is going on" };
  if (state.monitor.lastRunMs === null) return { tone: "quiet", title: "Nothing seen yet" };
  if (state.monitor.late) return { tone: "warn", title: "The watch is late" };
  return { tone: "good", title: "Nothing wrong" };
}

function OpenIncident({
  view,
  incident,
  worst,
}: Pick<HeadlineProps, "view" | "worst"> & { incident: Incident }) {
  const { words } = view;
  const { sent, verified, unansweredMicros, openedAtMs, refused } = incident;
  const countries = silent(worst.countries, COUNTRIES).map(({ subject }) => words.country(subject));
  const prefixes = silent(worst.prefixes, PREFIXES);
  return (
    <>
      <p class="cost">
        <strong>{words.money(unansweredMicros)}</strong> on messages nobody answered since{" "}
        <Time ms={openedAtMs} />
      </p>
      <p>
        {words.count(sent)} sent, {words.count(verified)} verified, {words.count(refused)} refused.{" "}
        <a href={hrefOf(`/incidents/${incident.id}`)}>What was found and done</a>
      </p>
      {countries.length === 0 && prefixes.length === 0 ? null : (
        <p>
          Going to <strong>{countries.join(", ")}</strong>
          {prefixes.map(({ subject, sent, verified }, i) => (
            <>
              {i === 0 ? ": " : ", "}
              <strong>{subject}</strong> ({words.count(sent)} sent, {words.count(verified)} verified)
            </>
          ))}
        </p>
      )}
    </>
  );
}

const silent = (rows: readonly SubjectRow[], most: number) =>
  rows.filter(({ sent, verified }) => sent > 2 * verified).slice(0, most);

function EffectivePosture({
  view,
  posture,
  operator,
  cron,
}: {
  view: ViewerContext;
  posture: Posture;
  operator: PostureControls | null;
  cron: PostureControls | null;
}) {
  const document = decidingDocument(operator, cron);
  return (
    <p>
      Posture <strong>{posture}</strong>
      {document === null ? (
        <>. {view.postureMeans(posture)}</>
      ) : (
        <>
          , set by {document.by === "cron" ? "the watch" : (document.who ?? "somebody")} at{" "}
          <Time ms={document.since_ms} />, until <Time ms={document.until_ms} /> (
          {view.words.lasting(document.until_ms - view.nowMs)} left): <q>{document.why}</q>.{" "}
          {view.postureMeans(posture)}
          {document.caps_lifted ? " Spend caps are lifted." : ""}
          {document.max_per_minute === undefined
            ? ""
            : ` At most ${document.max_per_minute} messages a minute.`}
        </>
      )}
    </p>
  );
}

function MonitorStatus({ view, state }: { view: ViewerContext; state: ServiceState }) {
  const { monitor, posture } = state;
  const banned = (posture?.bans.cron ?? 0) + (posture?.bans.operator ?? 0);
  const challenged = posture?.bans.challenged ?? 0;
  const counted = (count: number) =>
    `${view.words.count(count)} ${count === 1 ? "range or source is" : "ranges and sources are"}`;
  return (
    <p class="faint">
      {monitor === null || monitor.lastRunMs === null ? (
        "The watch has not run yet."
      ) : (
        <>
          Watched <Time ms={monitor.lastRunMs} />
          {monitor.late
            ? `, which is ${view.words.lasting((monitor.ageSeconds ?? 0) * 1000)} ago and late`
            : ""}
          {monitor.lastFailure === "" ? "" : `; it failed at ${monitor.lastFailure}`}.
        </>
      )}{" "}
      {banned === 0 ? "Nothing is shut." : `${counted(banned)} shut.`}
      {challenged === 0 ? "" : ` ${counted(challenged)} challenged.`}
    </p>
  );
}

function Raise({
  view,
  posture,
  button,
  strong = false,
}: {
  view: ViewerContext;
  posture: Posture;
  button: string;
  strong?: boolean;
}) {
  return (
    <ActionForm view={view} action="/switch/posture" button={button} strong={strong}>
      <input type="hidden" name="posture" value={posture} />
      <input type="hidden" name="for_seconds" value={HOLD_SECONDS} />
    </ActionForm>
  );
}
