/**
 * The service's figures as OpenMetrics text 1.0.0
 * (https://prometheus.io/docs/specs/om/open_metrics_spec/). Labels are bounded: providers, channels, flows, refusal codes and
 * outcome types are lists of ours; nothing a stranger writes becomes a label. Each dimension is a family of its own, because
 * one family with all of them would count every message several times when summed.
 */

import { POSTURES, type Posture } from "../kernel/posture.ts";
import { bucketsOf, DELIVERY_ATTEMPT_TIME, DELIVERY_TIME, type Histogram, VERIFY_TIME } from "./histogram.ts";
import { type Counts, type Metric, type Tally, tallyKey } from "./tally.ts";

export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** What there is to tell; a part that is null could not be read and is left out, never told as zero. */
export interface MetricFigures {
  /** Counts since the beginning. */
  totals: Tally | null;
  /** ISO 4217, of the price table. */
  currency: string;
  control: { posture: Posture; blocks: { cron: number; operator: number; challenged: number } } | null;
  watch: { lastRunMs: number | null; incidentOpen: boolean } | null;
}

type Labels = Record<string, string>;
interface Sample {
  suffix: string;
  labels: Labels;
  value: number;
}

const MICROS = 1_000_000;
const BREAKDOWNS = ["provider", "channel", "flow"] as const;

/** Counters that every message has a place in, by the name of their family. */
const MESSAGES: readonly [family: string, metric: Metric, help: string][] = [
  ["messages_sent", "sent", "Messages that left."],
  ["messages_verified", "verified", "Messages whose session was verified."],
  ["messages_delivered", "delivered", "Messages a provider said were delivered."],
  ["messages_undelivered", "undelivered", "Messages a provider said were not delivered."],
  ["messages_rejected", "rejected", "Messages a provider refused."],
];

const EVENTS: readonly [family: string, metric: Metric, help: string][] = [
  ["wrong_codes", "wrong_codes", "Attempts with a wrong code."],
  ["challenges_demanded", "challenged", "Fresh challenges demanded."],
  ["challenges_passed", "passed", "Fresh challenges brought."],
  ["turned_away", "turned_away", "Refusals and demands because a budget was used up."],
];

const PROVIDER_TIMES: readonly [family: string, times: Histogram, help: string][] = [
  [
    "provider_time_to_answer_seconds",
    DELIVERY_ATTEMPT_TIME,
    "From handing a message over to any answer, or giving up.",
  ],
  [
    "provider_time_to_deliver_seconds",
    DELIVERY_TIME,
    "From handing a message over to its delivery, without calls.",
  ],
];

/** The whole exposition, to its end mark. */
export function openMetrics(figures: MetricFigures): string {
  const { totals, currency, control, watch } = figures;
  const lines = [
    ...(totals === null ? [] : counted(totals, currency)),
    ...(control === null ? [] : standing(control)),
    ...(watch === null ? [] : watching(watch)),
    ...family(
      "source_up",
      "gauge",
      "Whether this part of the figures could be read.",
      [
        ["counters", totals],
        ["control", control],
        ["watch", watch],
      ].map(([source, part]) => sample({ source: String(source) }, part === null ? 0 : 1)),
    ),
    "# EOF",
  ];
  return `${lines.join("\n")}\n`;
}

function counted(totals: Tally, currency: string): string[] {
  const all = totals.get(tallyKey("overall", "all")) ?? {};
  const total = (metric: Metric) => [sample({}, all[metric] ?? 0, "_total")];
  const named = (prefix: string, label: string) =>
    Object.entries(all)
      .filter(([metric]) => metric.startsWith(prefix))
      .map(([metric, count = 0]) => sample({ [label]: metric.slice(prefix.length) }, count, "_total"));
  return [
    ...[...MESSAGES, ...EVENTS].flatMap(([name, metric, help]) =>
      family(name, "counter", help, total(metric)),
    ),
    ...family("requests_refused", "counter", "Requests refused before anything left, by problem code.", [
      ...named("refused:", "code"),
    ]),
    ...family("outcomes", "counter", "Outcomes that the customer's backend reported.", [
      ...named("outcome:", "type"),
    ]),
    ...family("spend", "counter", "Spent on messages, in units of the currency.", [
      sample({ currency }, (all.micros ?? 0) / MICROS, "_total"),
    ]),
    ...family(
      "time_to_verify_seconds",
      "histogram",
      "From a session's last message to its right code.",
      histogram(all, VERIFY_TIME),
      "seconds",
    ),
    ...BREAKDOWNS.flatMap((dimension) => broken(totals, dimension, currency)),
    ...PROVIDER_TIMES.flatMap(([name, times, help]) => {
      const samples = subjectsOf(totals, "provider").flatMap(([provider, counts]) =>
        histogram(counts, times, { provider }),
      );
      return family(name, "histogram", help, samples, "seconds");
    }),
  ];
}

/** The subjects of a dimension, by name. */
function subjectsOf(totals: Tally, dimension: (typeof BREAKDOWNS)[number]): [string, Counts][] {
  const prefix = tallyKey(dimension, "");
  return [...totals].flatMap(([key, counts]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), counts]] : [],
  );
}

function broken(totals: Tally, dimension: (typeof BREAKDOWNS)[number], currency: string): string[] {
  const samples = (labels: Labels, value: (counts: Counts) => number) =>
    subjectsOf(totals, dimension).map(([subject, counts]) =>
      sample({ [dimension]: subject, ...labels }, value(counts), "_total"),
    );
  return [
    ...MESSAGES.flatMap(([name, metric, help]) =>
      family(
        `${dimension}_${name}`,
        "counter",
        help,
        samples({}, (counts) => counts[metric] ?? 0),
      ),
    ),
    ...family(
      `${dimension}_spend`,
      "counter",
      "Spent on messages, in units of the currency.",
      samples({ currency }, (counts) => (counts.micros ?? 0) / MICROS),
    ),
  ];
}

/** Buckets of a histogram count all that is at most their end, and the last one has none. */
function histogram(counts: Counts, times: Histogram, labels: Labels = {}): Sample[] {
  const { ends, perSecond, sum } = times;
  let below = 0;
  const buckets = bucketsOf(counts, times).map((count, at) => {
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

function standing({ posture, blocks }: NonNullable<MetricFigures["control"]>): string[] {
  return [
    ...family(
      "posture",
      "gauge",
      "1 for the posture in force.",
      POSTURES.map((name) => sample({ posture: name }, name === posture ? 1 : 0)),
    ),
    ...family("blocks", "gauge", "Ranges, networks and addresses that are shut, by who shut them.", [
      sample({ set_by: "cron" }, blocks.cron),
      sample({ set_by: "operator" }, blocks.operator),
    ]),
    ...family("subjects_challenged", "gauge", "Ranges, networks and addresses that people challenge.", [
      sample({}, blocks.challenged),
    ]),
  ];
}

function watching({ lastRunMs, incidentOpen }: NonNullable<MetricFigures["watch"]>): string[] {
  const ran = lastRunMs === null ? [] : [sample({}, lastRunMs / 1000)];
  return [
    ...family("watch_last_run_timestamp_seconds", "gauge", "When the watch last ran.", ran, "seconds"),
    ...family("incident_open", "gauge", "1 while an incident is open.", [sample({}, incidentOpen ? 1 : 0)]),
  ];
}

function family(
  name: string,
  type: "counter" | "gauge" | "histogram",
  help: string,
  samples: readonly Sample[],
  unit: string | null = null,
): string[] {
  const full = `tollgate_${name}`;
  if (samples.length === 0) return [];
  return [
    `# TYPE ${full} ${type}`,
    ...(unit === null ? [] : [`# UNIT ${full} ${unit}`]),
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
