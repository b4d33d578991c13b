/** Are we being pumped, where does it go, what does it cost: what one sees from two metres, and the way to the switch. */

import { readIncidents } from "../../flows/operators/views/read-incidents.ts";
import { readState } from "../../flows/operators/views/read-state.ts";
import { readSubjects, type SubjectRow } from "../../flows/operators/views/read-subjects.ts";
import { readWorstCaseBound } from "../../flows/operators/views/read-worst-case-bound.ts";
import { readDayPlot } from "../day.ts";
import { ConversionCard, DestinationsCard, RecentAlertsCard, SpendCard } from "../overview/cards.tsx";
import { DayPlot } from "../overview/day-plot.tsx";
import { Headline } from "../overview/headline.tsx";
import { postureMarks } from "../overview/posture-marks.ts";
import type { OpsDeps, OpsPage, PageRequest } from "../page.ts";
import { FaultsNotice, Figure } from "../parts.tsx";
import { recentAlerts } from "../recent-alerts.ts";
import { sharedReads } from "../shared-reads.ts";

const DESTINATIONS = 6;
/** Of the busiest. */
const ROWS = 100;
const ACTIONS = 200;

export const overview: OpsPage = { path: "/", title: "Overview", nav: "Overview", live: true, view };

async function view(deps: OpsDeps, request: PageRequest) {
  const { words, nowMs } = request;
  const { policy, records } = deps;
  const minutes = policy.monitor.window_minutes;
  const shared = { minutes, of: ["overall", "prefix", "country"] as const };
  const reads = sharedReads({ ...deps, nowMs: () => nowMs }, shared);
  const rangesBy = (by: "prefix" | "country") => readSubjects(reads, { by, span: { minutes }, limit: ROWS });
  const [state, prefixes, countries, day, left, incidents, actions, bound] = await Promise.all([
    readState(reads),
    rangesBy("prefix"),
    rangesBy("country"),
    readDayPlot(deps, reads, minutes, nowMs),
    reads.monitorState.look(),
    readIncidents(reads),
    records.actions(ACTIONS),
    readWorstCaseBound({ ...deps, nowMs: () => nowMs }),
  ]);
  const faults = [
    ...state.faults,
    ...day.faults,
    ...(incidents.kind === "answered" ? [] : [`incidents: ${incidents.cause}`]),
    ...(actions.kind === "answered" ? [] : [`actions: ${actions.cause}`]),
  ];
  const alerts = recentAlerts(left.kind === "answered" ? left.memory : null);
  const marks = postureMarks(
    incidents.kind === "answered" ? incidents.incidents : [],
    actions.kind === "answered" ? actions.actions : [],
    nowMs,
  );
  const worst = {
    prefixes: prefixes.kind === "answered" ? silent(prefixes.rows) : [],
    countries: countries.kind === "answered" ? silent(countries.rows) : [],
  };
  const sums = sumOf(day.quarters.map(({ point }) => point));
  const now = state.window;
  const recent = (value: number | undefined) =>
    value === undefined ? "not known" : `${words.count(value)} in the last ${minutes} min`;
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <FaultsNotice faults={[...new Set(faults)]} />
      <Headline view={request} state={state} monitor={policy.monitor} worst={worst} />
      <dl class="figures card">
        <Figure label="Sent, 24 h" value={words.short(sums.sent)} note={recent(now?.sent)} />
        <Figure label="Verified, 24 h" value={words.short(sums.verified)} note={recent(now?.verified)} />
        <Figure label="Refused, 24 h" value={words.short(sums.refused)} note={recent(now?.refused)} />
        <Figure
          label="Challenged, 24 h"
          value={words.short(sums.challenged)}
          note={recent(now?.challenged)}
        />
        <Figure
          label="Time to verify"
          value={words.seconds(now?.medianSeconds ?? null)}
          note={`median; 95 % within ${words.seconds(now?.p95Seconds ?? null)}`}
        />
      </dl>
      <DayPlot day={day} marks={marks} words={words} />
      <div class="columns">
        <ConversionCard window={now} policy={policy} words={words} />
        <SpendCard
          spend={state.spend}
          window={now}
          policy={policy}
          bound={bound.kind === "answered" ? bound : null}
          words={words}
        />
        <DestinationsCard
          rows={prefixes.kind === "answered" ? worst.prefixes.slice(0, DESTINATIONS) : null}
          minutes={minutes}
          words={words}
        />
      </div>
      <div class="columns">
        <RecentAlertsCard
          title="Billing alerts"
          alerts={alerts.billing}
          empty="No alert about money within the hour."
        />
        <RecentAlertsCard
          title="Authentication alerts"
          alerts={alerts.authentication}
          empty="No alert about who gets in within the hour."
        />
      </div>
    </>
  );
}

/** Sorts by unanswered messages, the most first. */
const silent = (rows: readonly SubjectRow[]): SubjectRow[] =>
  rows
    .filter(({ sent }) => sent > 0)
    .toSorted((a, b) => b.sent - b.verified - (a.sent - a.verified) || b.sent - a.sent);

function sumOf(
  points: readonly ({ sent: number; verified: number; refused: number; challenged: number } | null)[],
) {
  const sum = { sent: 0, verified: 0, refused: 0, challenged: 0 };
  for (const point of points) {
    if (point === null) continue;
    sum.sent += point.sent;
    sum.verified += point.verified;
    sum.refused += point.refused;
    sum.challenged += point.challenged;
  }
  return sum;
}
