/** `--adversary`: plays adaptive opponents against rules, and searches for the mix that pays best. */

import { type Spread, spreadOf, spreadText } from "../matrix/spread.ts";
import type { Job } from "../play/job.ts";
import { type PoolProgress, runJobs } from "../play/pool.ts";
import { percent, type RuleReport } from "../play/report.ts";
import type { PolicyPatch } from "../rule.ts";
import type { World } from "../world/build.ts";
import { seededRandom } from "../world/random.ts";
import { mutatePlan } from "./mutate.ts";
import { OPPONENTS, type OpponentPlan } from "./plan.ts";

export interface OpponentOptions {
  rules: readonly string[];
  seeds: number;
  policy: PolicyPatch;
  threads: number;
  world: World;
}

/** One opponent under one rule, over the seeds; a day's figures. */
export interface OpponentRow {
  opponent: string;
  rule: string;
  seeds: number;
  profit: Spread;
  left: Spread;
  leaked: Spread;
  lost_percent: Spread;
  stranded_percent: Spread;
  strangers_lost_percent: Spread;
  own_device_lost: number;
  known_number_lost_percent: Spread;
  first_finding_minutes: Spread;
  stopped_by: Record<string, number>;
  plan: OpponentPlan;
}

const LEARNING_CRON_MINUTES = 4;

/** What an opponent may earn in a day at most, in the lab's currency. Nobody on an own device may be lost to any. */
const MOST_PROFIT = 30;

/** @param slack what the goal is multiplied with; @returns a sentence for each that the row misses */
export function opponentMisses(row: OpponentRow, slack: number): string[] {
  const earns = row.profit.mean > MOST_PROFIT * slack;
  return [
    ...(earns
      ? [`${row.opponent}: earns ${row.profit.mean.toFixed(2)} a day, at most ${MOST_PROFIT * slack} wanted`]
      : []),
    ...(row.own_device_lost > 0
      ? [`${row.opponent}: ${row.own_device_lost} people lost on their own devices, none wanted`]
      : []),
  ];
}

export async function playOpponents(
  plans: readonly OpponentPlan[],
  options: OpponentOptions,
  onRow: (row: OpponentRow) => void,
  onProgress: (progress: PoolProgress) => void,
): Promise<OpponentRow[]> {
  const rows: OpponentRow[] = [];
  let reports: RuleReport[] = [];
  const jobs = plans.flatMap((plan) => jobsOf(plan, options));
  await runJobs(
    jobs,
    options.threads,
    (job, { report }) => {
      reports.push(report);
      if (reports.length < options.seeds || job.source.kind !== "scenario" || !job.source.opponent) return;
      const row = rowOf(job.source.opponent, job.rule, reports, options.world.countedDays);
      reports = [];
      rows.push(row);
      onRow(row);
    },
    onProgress,
  );
  return rows;
}

/** How many plans are tried before the best of all is looked at again. */
const GENERATION = 4;

/**
 * Looks for the plan that pays best: the catalogue first, then changes of the best three, a generation at a time. The same
 * seed finds the same.
 *
 * @param budget plans played at most
 */
export async function searchPlan(
  rule: string,
  budget: number,
  options: OpponentOptions,
  onRow: (row: OpponentRow) => void,
  onProgress: (progress: PoolProgress) => void,
): Promise<OpponentRow[]> {
  const random = seededRandom(`${options.world.seed}/search/${rule}`);
  const one = { ...options, rules: [rule], seeds: 1 };
  const all = await playOpponents(OPPONENTS.slice(0, budget), one, onRow, onProgress);
  while (all.length < budget) {
    const best = all.toSorted((a, b) => b.profit.mean - a.profit.mean).slice(0, 3);
    const plans = Array.from({ length: Math.min(GENERATION, budget - all.length) }, (_, nth) =>
      mutatePlan(random, random.pick(best).plan, `found-${all.length + nth}`),
    );
    all.push(...(await playOpponents(plans, one, onRow, onProgress)));
  }
  return all.toSorted((a, b) => b.profit.mean - a.profit.mean);
}

function jobsOf(plan: OpponentPlan, { rules, seeds, policy, world }: OpponentOptions): Job[] {
  return rules.flatMap((rule) =>
    Array.from({ length: seeds }, (_, nth) => ({
      source: {
        kind: "scenario" as const,
        id: plan.id,
        title: plan.title,
        world: { ...world, seed: nth === 0 ? world.seed : `${world.seed}.${nth}` },
        special: {},
        opponent: plan,
        learningCronMinutes: LEARNING_CRON_MINUTES,
      },
      rule,
      label: rule,
      policy,
      fromSeconds: null,
    })),
  );
}

function rowOf(plan: OpponentPlan, rule: string, reports: readonly RuleReport[], days: number): OpponentRow {
  const spread = (of: (report: RuleReport) => number): Spread => spreadOf(reports.map(of));
  const stopped: Record<string, number> = {};
  for (const { honest } of reports) {
    for (const [reason, count] of Object.entries(honest.stopped_by))
      stopped[reason] = (stopped[reason] ?? 0) + count;
  }
  return {
    opponent: plan.id,
    rule,
    seeds: reports.length,
    profit: spread(({ attack }) => attack.profit_micros / 1e6 / days),
    left: spread(({ attack }) => attack.left / days),
    leaked: spread(({ attack }) => attack.cost_micros / 1e6 / days),
    lost_percent: spread(({ honest }) => honest.lost_percent),
    stranded_percent: spread(({ honest }) => honest.stranded_percent),
    strangers_lost_percent: spread(({ honest }) =>
      percent(honest.lost - honest.known_lost, honest.people - honest.known),
    ),
    own_device_lost: reports.reduce(
      (sum, { honest }) => sum + honest.own_device.lost + honest.own_device.stranded,
      0,
    ),
    known_number_lost_percent: spread(({ honest }) =>
      percent(honest.known_number.lost + honest.known_number.stranded, honest.known_number.people),
    ),
    first_finding_minutes: spread(({ detection, attack }) =>
      detection.first_alert_seconds === null || attack.started_seconds === null
        ? Number.POSITIVE_INFINITY
        : (detection.first_alert_seconds - attack.started_seconds) / 60,
    ),
    stopped_by: Object.fromEntries(Object.entries(stopped).sort((a, b) => b[1] - a[1])),
    plan,
  };
}

const WIDTHS = [18, 9, 24, 22, 22, 20, 20, 9, 16, 10] as const;
const cells = (texts: readonly string[]): string =>
  texts.map((text, at) => (at < 2 ? text.padEnd(WIDTHS[at] ?? 0) : text.padStart(WIDTHS[at] ?? 0))).join(" ");

export const opponentHeading = (): string =>
  cells([
    "opponent",
    "rule",
    "profit a day",
    "left",
    "leaked",
    "strangers lost %",
    "stranded %",
    "own dev",
    "by number %",
    "alert min",
  ]);

export function opponentLine(row: OpponentRow): string {
  return cells([
    row.opponent,
    row.rule,
    spreadText(row.profit, 1),
    spreadText(row.left, 0),
    spreadText(row.leaked, 1),
    spreadText(row.strangers_lost_percent, 1),
    spreadText(row.stranded_percent, 2),
    String(row.own_device_lost),
    spreadText(row.known_number_lost_percent, 2),
    Number.isFinite(row.first_finding_minutes.mean) ? row.first_finding_minutes.mean.toFixed(0) : "-",
  ]);
}
