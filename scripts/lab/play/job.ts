/** One play: one rule over one trace. The same in the main thread and in a worker. */

import { opponent } from "../adversary/opponent.ts";
import type { OpponentPlan } from "../adversary/plan.ts";
import { priceMicros } from "../prices.ts";
import type { PolicyPatch } from "../rule.ts";
import { ruleFactory } from "../rules.ts";
import { readTrace, type TraceEvent } from "../trace.ts";
import { buildScenario, countedFrom, countedUntil, type World } from "../world/build.ts";
import type { HonestPlan } from "../world/honest.ts";
import { seededRandom } from "../world/random.ts";
import { SCENARIOS } from "../world/scenarios.ts";
import { play, type Run, START_MS } from "./play.ts";

/** What is played: a built-in scenario or a trace file that was measured before. */
export type TraceSource =
  | {
      kind: "scenario";
      id: string;
      title: string;
      world: World;
      /** What the honest of a world do beside; absent for built-in scenarios, which say so themselves. */
      special?: Partial<HonestPlan>;
      /** Someone who decides as they go, on the counted days. */
      opponent?: OpponentPlan;
      /** Minutes between two runs of the cron on the learning days (default 1). */
      learningCronMinutes?: number;
    }
  | { kind: "file"; id: string; title: string; path: string; events: number; lastSeconds: number };

export interface Job {
  source: TraceSource;
  /** The rule's name in the registry. */
  rule: string;
  /** What reports call it: the name, with the swept value if there is one. */
  label: string;
  policy: PolicyPatch;
  /** Seconds from which events count; null for the default of the source. */
  fromSeconds: number | null;
}

const DAY_SECONDS = 86_400;

/** The last trace built here: consecutive jobs often play the same one. */
let built: { key: string; events: TraceEvent[] } | null = null;

/**
 * Plays one job to its end.
 *
 * @param onProgress share of the trace played, 0 to 1
 */
export async function runJob(job: Job, onProgress: (share: number) => void): Promise<Run> {
  const makeRule = ruleFactory(job.rule);
  if (makeRule === null) throw new Error(`no rule named ${job.rule}`);
  const fromSeconds = countsFrom(job);
  const rule = await makeRule({
    startMs: START_MS,
    countedFromMs: START_MS + fromSeconds * 1000,
    policy: job.policy,
    seed: job.source.kind === "scenario" ? job.source.world.seed : job.source.id,
    priceMicros: pricesIn(job.source),
  });
  const { source } = job;
  const trace = source.kind === "file" ? readTrace(source.path) : scenarioEvents(source);
  const total = source.kind === "file" ? source.events : (trace as TraceEvent[]).length;
  const toSeconds = source.kind === "file" ? source.lastSeconds : countedUntil(source.world);
  const run = await play(trace, rule, {
    fromSeconds,
    toSeconds,
    onProgress: (events) => onProgress(events / total),
    ...(source.kind === "scenario" && {
      adversary: source.opponent ? opponentIn(source.opponent, source.world, trace as TraceEvent[]) : null,
      learningCronMinutes: source.learningCronMinutes ?? 1,
    }),
  });
  run.report.rule = job.label;
  return run;
}

/** Where counting begins: as asked, else the last 24 hours of the trace. */
export function countsFrom({ source, fromSeconds }: Pick<Job, "source" | "fromSeconds">): number {
  if (fromSeconds !== null) return fromSeconds;
  if (source.kind === "scenario") return countedFrom(source.world);
  return Math.max(0, Math.floor(source.lastSeconds - DAY_SECONDS));
}

/** The events of a built-in scenario. */
export function scenarioEvents({
  id,
  world,
  special,
}: {
  id: string;
  world: World;
  special?: Partial<HonestPlan>;
}): TraceEvent[] {
  const key = JSON.stringify([id, world, special]);
  if (built?.key === key) return built.events;
  const scenario = special ? { id, title: id, goal: null, special } : SCENARIOS.find((one) => one.id === id);
  if (scenario === undefined) throw new Error(`no scenario named ${id}`);
  built = { key, events: buildScenario(scenario, world) };
  return built.events;
}

/** The lab's prices with those that the world has of its own. */
function pricesIn(source: TraceSource): (country: string) => number {
  const own = source.kind === "scenario" ? source.world.prices : {};
  return (country) => own[country] ?? priceMicros(country);
}

function opponentIn(plan: OpponentPlan, world: World, events: readonly TraceEvent[]) {
  const fromSeconds = countedFrom(world);
  const customers = events.filter(({ t, verify_after }) => t < fromSeconds && verify_after !== null);
  return opponent(seededRandom(`${world.seed}/opponent/${plan.id}`), plan, {
    home: world.honest.homeCountry,
    carrierAddresses: world.honest.carrierAddresses,
    fromSeconds,
    untilSeconds: countedUntil(world),
    knownNumbers: [...new Set(customers.map(({ phone }) => phone))],
    priceMicros: pricesIn({ kind: "scenario", id: "", title: "", world }),
  });
}

/** Reads a trace file once: checks it, and finds out how long it is. */
export async function measureTrace(path: string): Promise<{ events: number; lastSeconds: number }> {
  let events = 0;
  let lastSeconds = 0;
  for await (const event of readTrace(path)) {
    events++;
    lastSeconds = event.t;
  }
  return { events, lastSeconds };
}
