/**
 * The service's figures as OpenMetrics text 1.0.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/). Labels are bounded: providers, channels, flows, refusal codes and
 * outcome types are lists of ours; nothing a stranger writes becomes a label. Each dimension is a family of its own, because
 * one family with all of them would count every message several times when summed.
 */

import { POSTURES, type Posture } from "../kernel/posture.ts";
import {
  bucketCounts,
  DELIVERY_ATTEMPT_TIME,
  DELIVERY_TIME,
  type HistogramDefinition,
  VERIFY_TIME,
} from "./histogram.ts";
import { type Counts, type Metric, type Tally, tallyKey } from "./tally.ts";

export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** The figures of one scrape. A part that is null could not be read; it is left out and never shown as zero. */
export interface MetricFigures {
  /** Counts since the beginning. */
  totals: Tally | null;
  /** ISO 4217, of the price table. */
  currency: string;
  control: { posture: Posture; blocks: { cron: number; operator: number; challenged: number } } | null;
  watch: { lastRunMs: number | null; incidentOpen: boolean } | null;
  /** The most that an attack can cost until midnight UTC, in micros; null or absent where it could not be read. */
  boundMicros?: number | null;
}

type Labels = Record<string, string>;
interface Sample {
  suffix: string;
  labels: Labels;
  value: number;
}

const MICROS = 1_000_000;
const BREAKDOWNS = ["provider", "channel", "flow"] as const;

/** One metric family without its samples. */
interface Family {
  name: string;
  type: "counter" | "gauge" | "histogram";
  help: string;
  unit?: "seconds";
}

interface CounterFamily {
  name: string;
  metric: Metric;
  help: string;
}

/** Counters of messages, which are also broken down by provider, channel and flow. */
const MESSAGES: readonly CounterFamily[] = [
  { name: "messages_sent", metric: "sent", help: "Messages that left." },
  { name: "messages_verified", metric: "verified", help: "Messages whose session was verified." },
  { name: "messages_delivered", metric: "delivered", help: "Messages a provider said were delivered." },
  {
    name: "messages_undelivered",
    metric: "undelivered",
    help: "Messages a provider said were not delivered.",
  },
  { name: "messages_rejected", metric: "rejected", help: "Messages a provider refused." },
];

const EVENTS: readonly CounterFamily[] = [
  { name: "wrong_codes", metric: "wrong_codes", help: "Attempts with a wrong code." },
  { name: "challenges_demanded", metric: "challenged", help: "Fresh challenges demanded." },
  { name: "challenges_passed", metric: "passed", help: "Fresh challenges brought." },
  { name: "turned_away", metric: "turned_away", help: "Refusals and demands because a budget was used up." },
];

const PROVIDER_TIMES: readonly { name: string; times: HistogramDefinition; help: string }[] = [
  {
    name: "provider_time_to_answer_seconds",
    times: DELIVERY_ATTEMPT_TIME,
    help: "From handing a message over to any answer, or giving up.",
  },
  {
    name: "provider_time_to_deliver_seconds",
    times: DELIVERY_TIME,
    help: "From handing a message over to its delivery, without calls.",
  },
];

const SPEND_HELP = "Spent on messages, in units of the currency.";

/** The whole exposition, to its end mark. */
export function openMetricsText(figures: MetricFigures): string {
  const { totals, currency, control, watch, boundMicros = null } = figures;
  const sources = [
    ["counters", totals],
    ["control", control],
    ["watch", watch],
  ] as const;
  const lines = [
    ...(totals === null ? [] : counterLines(totals, currency)),
    ...(control === null ? [] : controlLines(control)),
    ...(watch === null ? [] : monitorLines(watch)),
    ...(boundMicros === null
      ? []
      : familyLines(
          {
            name: "attack_cost_bound",
            type: "gauge",
            help: "The most that an attack can cost until midnight UTC.",
          },
          [sample({ currency }, boundMicros / MICROS)],
        )),
    ...familyLines(
      { name: "source_up", type: "gauge", help: "Whether this part of the figures could be read." },
      sources.map(([source, part]) => sample({ source }, part === null ? 0 : 1)),
    ),
    "# EOF",
  ];
  return `${lines.join("\n")}\n`;
}

function counterLines(totals: Tally, currency: string): string[] {
  const all = totals.get(tallyKey("overall", "all")) ?? {};
  const named = (prefix: string, label: string) =>
    Object.entries(all)
      .filter(([metric]) => metric.startsWith(prefix))
      .map(([metric, count = 0]) => sample({ [label]: metric.slice(prefix.length) }, count, "_total"));
  return [
    ...[...MESSAGES, ...EVENTS].flatMap(({ name, metric, help }) =>
      familyLines({ name, type: "counter", help }, [sample({}, all[metric] ?? 0, "_total")]),
    ),
    ...familyLines(
      {
        name: "requests_refused",
        type: "counter",
        help: "Requests refused before anything left, by problem code.",
      },
      named("refused:", "code"),
    ),
    ...familyLines(
      { name: "outcomes", type: "counter", help: "Outcomes that the customer's backend reported." },
      named("outcome:", "type"),
    ),
    ...familyLines({ name: "spend", type: "counter", help: SPEND_HELP }, [
      sample({ currency }, (all.micros ?? 0) / MICROS, "_total"),
    ]),
    ...familyLines(
      {
        name: "time_to_verify_seconds",
        type: "histogram",
        help: "From a session's last message to its right code.",
        unit: "seconds",
      },
      histogramSamples(all, VERIFY_TIME),
    ),
    ...BREAKDOWNS.flatMap((dimension) => breakdownLines(totals, dimension, currency)),
    ...PROVIDER_TIMES.flatMap(({ name, times, help }) =>
      familyLines(
        { name, type: "histogram", help, unit: "seconds" },
        countsBySubject(totals, "provider").flatMap(([provider, counts]) =>
          histogramSamples(counts, times, { provider }),
        ),
      ),
    ),
  ];
}

/** The counts of each subject of a dimension, by its name. */
function countsBySubject(totals: Tally, dimension: (typeof BREAKDOWNS)[number]): [string, Counts][] {
  const prefix = tallyKey(dimension, "");
  return [...totals].flatMap(([key, counts]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), counts]] : [],
  );
}

function breakdownLines(totals: Tally, dimension: (typeof BREAKDOWNS)[number], currency: string): string[] {
  const samples = (labels: Labels, value: (counts: Counts) => number) =>
    countsBySubject(totals, dimension).map(([subject, counts]) =>
      sample({ [dimension]: subject, ...labels }, value(counts), "_total"),
    );
  return [
    ...MESSAGES.flatMap(({ name, metric, help }) =>
      familyLines(
        { name: `${dimension}_${name}`, type: "counter", help },
        samples({}, (counts) => counts[metric] ?? 0),
      ),
    ),
    ...familyLines(
      { name: `${dimension}_spend`, type: "counter", help: SPEND_HELP },
      samples({ currency }, (counts) => (counts.micros ?? 0) / MICROS),
    ),
  ];
}

/** Each bucket counts all times up to its end; the last one has no end. */
function histogramSamples(counts: Counts, times: HistogramDefinition, labels: Labels = {}): Sample[] {
  const { ends, perSecond, sum } = times;
  let below = 0;
  const buckets = bucketCounts(counts, times).map((count, at) => {
    below += count;
    const end = ends[at];
    const le = end === undefined ? "+Inf" : decimal(end / perSecond);
    return sample({ ...labels, le }, below, "_bucket");
  });
  return [
    ...buckets,
    sample(labels, below, "_count"),
    sample(labels, (counts[sum] ?? 0) / perSecond, "_sum"),
  ];
}

/** A bucket's end is a label, and the same one for every scraper only with its point: `5.0`, `0.25`. */
const decimal = (seconds: number): string =>
  Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds);

function controlLines({ posture, blocks }: NonNullable<MetricFigures["control"]>): string[] {
  return [
    ...familyLines(
      { name: "posture", type: "gauge", help: "1 for the posture in force." },
      POSTURES.map((name) => sample({ posture: name }, name === posture ? 1 : 0)),
    ),
    ...familyLines(
      {
        name: "blocks",
        type: "gauge",
        help: "Ranges, networks and addresses that are shut, by who shut them.",
      },
      [sample({ set_by: "cron" }, blocks.cron), sample({ set_by: "operator" }, blocks.operator)],
    ),
    ...familyLines(
      {
        name: "subjects_challenged",
        type: "gauge",
        help: "Ranges, networks and addresses that people challenge.",
      },
      [sample({}, blocks.challenged)],
    ),
  ];
}

function monitorLines({ lastRunMs, incidentOpen }: NonNullable<MetricFigures["watch"]>): string[] {
  return [
    ...familyLines(
      {
        name: "watch_last_run_timestamp_seconds",
        type: "gauge",
        help: "When the watch last ran.",
        unit: "seconds",
      },
      lastRunMs === null ? [] : [sample({}, lastRunMs / 1000)],
    ),
    ...familyLines({ name: "incident_open", type: "gauge", help: "1 while an incident is open." }, [
      sample({}, incidentOpen ? 1 : 0),
    ]),
  ];
}

/** A family with its samples; no lines where it has none. */
function familyLines({ name, type, help, unit }: Family, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  const full = `tollgate_${name}`;
  return [
    `# TYPE ${full} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${full} ${unit}`]),
    `# HELP ${full} ${escaped(help)}`,
    ...samples.map(({ suffix, labels, value }) => `${full}${suffix}${braces(labels)} ${value}`),
  ];
}

const sample = (labels: Labels, value: number, suffix = ""): Sample => ({ suffix, labels, value });

function braces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
