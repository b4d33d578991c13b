/**
 * The providers' results in the last window, the record of each route, and the instructions by people. Each part is read on
 * its own: one that does not answer is named among the faults.
 */
import { messagePriceMicros } from "../../../domain/delivery/money.ts";
import { overrideRouting, type RouteOverride } from "../../../domain/delivery/route-overrides.ts";
import { NEW_ROUTE_RECORD } from "../../../domain/delivery/routing.ts";
import type { Channel } from "../../../domain/kernel/channel.ts";
import { minuteOf } from "../../../domain/kernel/time.ts";
import {
  bucketCounts,
  DELIVERY_ATTEMPT_TIME,
  DELIVERY_TIME,
  type HistogramDefinition,
  histogramQuantile,
} from "../../../domain/monitor/histogram.ts";
import { answerCurve } from "../../../domain/monitor/history.ts";
import { type Counts, OTHER_SUBJECTS, tallyKey } from "../../../domain/monitor/tally.ts";
import type { Deps } from "../../../ports/deps.ts";
import { type TallyLine, tallyLines, usualRatio } from "./summarise-tally.ts";

interface RouteSums {
  sent: number;
  verified: number;
  ratio: number | null;
  delivered: number;
  undelivered: number;
  rejected: number;
  spentMicros: number;
  course: number[];
}

/** A length of time, as precise as the counters' buckets. */
export interface DurationSummary {
  /** The number of measurements. */
  count: number;
  medianMs: number;
  p95Ms: number;
}

export interface ProviderLine extends RouteSums {
  provider: string;
  channels: readonly Channel[];
  /** ISO codes it serves; null for all. */
  countries: readonly string[] | null;
  /** Its share of all messages in the window; null when there are none. */
  share: number | null;
  usualRatio: number | null;
  /** The mean cost of a message; null where none left. */
  meanMicros: number | null;
  /** The time from a delivery attempt to its answer, including refusals and time-outs; null where there was none. */
  answers: DurationSummary | null;
  /** The time from a delivery attempt to its receipt, without calls. */
  deliveries: DurationSummary | null;
  drained: boolean;
  /** The factor on its chances to be chosen; 1 without an instruction. */
  weight: number;
  /** Countries pinned to it. */
  pins: string[];
  /** Its routes that rest after failures. */
  resting: number;
}

export interface RouteLine extends RouteSums {
  provider: string;
  channel: string;
  country: string;
  /** The price in the price table; null where it has no row. */
  priceMicros: number | null;
  restsUntilMs: number | null;
  /** Failures in a row. */
  failures: number;
}

export interface Routes {
  minutes: number;
  providers: ProviderLine[];
  /** The busiest, resting ones first. */
  routes: RouteLine[];
  /** The number of all routes, shown or not. */
  routesInAll: number;
  pins: Readonly<Record<string, string>>;
  overrides: readonly RouteOverride[];
  /** The parts that could not be read, in words; their columns are empty. */
  faults: string[];
}

/** Routes shown at most. */
const ROUTES_SHOWN = 50;

export async function readRoutes(
  deps: Pick<
    Deps,
    "policy" | "control" | "counters" | "monitorState" | "routes" | "providers" | "prices" | "nowMs"
  >,
): Promise<Routes> {
  const { policy, control, counters, monitorState, routes, providers, prices } = deps;
  const nowMs = deps.nowMs();
  const minutes = policy.monitor.window_minutes;
  const [counted, documents, left, records] = await Promise.all([
    counters.window(minuteOf(nowMs), minutes, ["provider", "route"]),
    control.documents(),
    monitorState.look(),
    routes.records(),
  ]);
  const faults = [
    ...(counted.kind === "answered" ? [] : [`counters: ${counted.cause}`]),
    ...("kind" in documents ? [`control: ${documents.cause}`] : documents.faults),
    ...(left.kind === "answered" ? [] : [`watch: ${left.cause}`]),
  ];
  const history = left.kind === "answered" ? left.history : null;
  const parts = counted.kind === "answered" ? counted.minutes : [];
  const said = "kind" in documents ? [] : documents.operatorRoutes;
  const overrides = said.filter(({ untilMs }) => nowMs < untilMs);
  const routing = overrideRouting(policy.delivery, overrides, nowMs);
  const curve = answerCurve(history, policy.monitor.answer_curve);
  const resting = [...records].filter(([, { restUntilMs }]) => nowMs < restUntilMs).map(([key]) => key);

  const linesBy = (dimension: "provider" | "route") =>
    new Map(tallyLines(parts, dimension, curve, nowMs).map((line) => [line.subject, line]));
  const nothing = (subject: string): TallyLine => ({
    subject,
    counts: {},
    course: parts.map(() => 0),
    ratio: null,
  });

  const byProvider = linesBy("provider");
  const all = [...byProvider.values()].reduce((sum, { counts }) => sum + (counts.sent ?? 0), 0);
  const lines = policy.delivery.providers.map((name): ProviderLine => {
    const line = byProvider.get(name) ?? nothing(name);
    const sums = sumsOf(line);
    const provider = providers.get(name);
    return {
      ...sums,
      provider: name,
      channels: provider?.channels ?? [],
      countries: provider?.countries ?? null,
      share: all > 0 ? sums.sent / all : null,
      usualRatio: usualRatio(history?.subjects ?? {}, tallyKey("provider", name)),
      meanMicros: sums.sent > 0 ? sums.spentMicros / sums.sent : null,
      answers: timeTaken(line.counts, DELIVERY_ATTEMPT_TIME),
      deliveries: timeTaken(line.counts, DELIVERY_TIME),
      drained: routing.drain.includes(name),
      weight: routing.weight[name] ?? 1,
      pins: Object.keys(routing.pin).filter((country) => routing.pin[country] === name),
      resting: resting.filter((key) => key.startsWith(`${name}/`)).length,
    };
  });

  const byRoute = linesBy("route");
  const keys = [...new Set([...byRoute.keys(), ...resting])].filter((key) => key !== OTHER_SUBJECTS);
  const routeLines = keys.map((key): RouteLine => {
    const [provider = "", channel = "", country = ""] = key.split("/");
    const { restUntilMs, failures } = records.get(key) ?? NEW_ROUTE_RECORD;
    const priced = prices.some(
      (row) => row.provider === provider && row.channel === channel && row.country === "*",
    );
    return {
      ...sumsOf(byRoute.get(key) ?? nothing(key)),
      provider,
      channel,
      country,
      priceMicros: priced ? messagePriceMicros(prices, country, provider, channel as Channel) : null,
      restsUntilMs: nowMs < restUntilMs ? restUntilMs : null,
      failures,
    };
  });
  const shown = routeLines.toSorted(
    (a, b) => Number(b.restsUntilMs !== null) - Number(a.restsUntilMs !== null) || b.sent - a.sent,
  );
  return {
    minutes,
    providers: lines,
    routes: shown.slice(0, ROUTES_SHOWN),
    routesInAll: shown.length,
    pins: routing.pin,
    overrides,
    faults,
  };
}

const sumsOf = ({ counts, course, ratio }: TallyLine): RouteSums => ({
  sent: counts.sent ?? 0,
  verified: counts.verified ?? 0,
  ratio,
  delivered: counts.delivered ?? 0,
  undelivered: counts.undelivered ?? 0,
  rejected: counts.rejected ?? 0,
  spentMicros: counts.micros ?? 0,
  course,
});

function timeTaken(counts: Counts, histogram: HistogramDefinition): DurationSummary | null {
  const count = bucketCounts(counts, histogram).reduce((sum, some) => sum + some, 0);
  const medianMs = histogramQuantile(counts, histogram, 0.5);
  const p95Ms = histogramQuantile(counts, histogram, 0.95);
  return medianMs === null || p95Ms === null ? null : { count, medianMs, p95Ms };
}
