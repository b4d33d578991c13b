/** `npm run lab -- matrix`: every world of a half, several seeds each, and what honest people lost there. */
import type { Job } from "../play/job.ts";
import { type PoolProgress, runJobs } from "../play/pool.ts";
import { percent, type RuleReport } from "../play/report.ts";
import type { PolicyPatch } from "../rule.ts";
import { type Spread, spreadOf, spreadText } from "./spread.ts";
import { type Half, MATRIX, MATRIX_GOALS, type MatrixWorld, WORLD_KINDS } from "./worlds.ts";

/** The cron runs every four minutes while nothing counts; it takes a run of five minutes ago for a late one. */
const LEARNING_CRON_MINUTES = 4;

export interface MatrixOptions {
  halves: readonly Half[];
  /** Worlds by name; all of the halves where empty. */
  worlds: readonly string[];
  seeds: number;
  rules: readonly string[];
  policy: PolicyPatch;
  threads: number;
}

/** One world under one rule, over its seeds. */
export interface MatrixRow {
  world: string;
  kind: MatrixWorld["kind"];
  half: Half;
  rule: string;
  seeds: number;
  people: number;
  /** Percent of the people: each seed's figure. */
  lost_percent: Spread;
  stranded_percent: Spread;
  both_percent: Spread;
  challenged_percent: Spread;
  own_device_lost: number;
  known_number_lost: number;
  known_number_people: number;
  /** Lost and stranded people by the reasons of their last refusal, all seeds together. */
  stopped_by: Record<string, number>;
  /** Seeds in which the posture rose above normal. */
  alarmed: number;
  goal_percent: number;
  met: boolean;
}

/** @param onRow called for every row as soon as its seeds are played */
export async function playMatrix(
  options: MatrixOptions,
  onRow: (row: MatrixRow) => void,
  onProgress: (progress: PoolProgress) => void,
): Promise<MatrixRow[]> {
  const chosen = MATRIX.filter(({ id, half }) =>
    options.worlds.length > 0 ? options.worlds.includes(id) : options.halves.includes(half),
  );
  const rows: MatrixRow[] = [];
  let reports: RuleReport[] = [];
  const jobs = chosen.flatMap((one) => jobsOf(one, options));
  const byId = new Map(chosen.map((one) => [one.id, one]));
  await runJobs(
    jobs,
    options.threads,
    (job, { report }) => {
      reports.push(report);
      const world = byId.get(job.source.id);
      if (reports.length < options.seeds || !world) return;
      const row = rowOf(world, job.rule, reports);
      reports = [];
      rows.push(row);
      onRow(row);
    },
    onProgress,
  );
  return rows;
}

function jobsOf({ id, world, special }: MatrixWorld, { rules, seeds, policy }: MatrixOptions): Job[] {
  return rules.flatMap((rule) =>
    Array.from({ length: seeds }, (_, seed) => ({
      source: {
        kind: "scenario" as const,
        id,
        title: id,
        world: { ...world, seed: String(seed + 1) },
        special,
        learningCronMinutes: LEARNING_CRON_MINUTES,
      },
      rule,
      label: rule,
      policy,
      fromSeconds: null,
    })),
  );
}

function rowOf({ id, kind, half }: MatrixWorld, rule: string, reports: readonly RuleReport[]): MatrixRow {
  const honest = reports.map((report) => report.honest);
  const sum = (of: (one: RuleReport["honest"]) => number): number =>
    honest.reduce((total, one) => total + of(one), 0);
  const spread = (of: (one: RuleReport["honest"]) => number): Spread =>
    spreadOf(honest.map((one) => percent(of(one), one.people)));
  const both = spread((one) => one.lost + one.stranded);
  const goal = MATRIX_GOALS[kind];
  return {
    world: id,
    kind,
    half,
    rule,
    seeds: reports.length,
    people: sum((one) => one.people),
    lost_percent: spread((one) => one.lost),
    stranded_percent: spread((one) => one.stranded),
    both_percent: both,
    challenged_percent: spread((one) => one.challenged),
    own_device_lost: sum((one) => one.own_device.lost + one.own_device.stranded),
    known_number_lost: sum((one) => one.known_number.lost + one.known_number.stranded),
    known_number_people: sum((one) => one.known_number.people),
    stopped_by: sumRecords(honest.map((one) => one.stopped_by)),
    alarmed: reports.filter(({ detection }) => detection.posture.some(({ posture }) => posture !== "normal"))
      .length,
    goal_percent: goal,
    met: both.mean <= goal,
  };
}

function sumRecords(records: readonly Record<string, number>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const record of records) {
    for (const [key, count] of Object.entries(record)) sums[key] = (sums[key] ?? 0) + count;
  }
  return Object.fromEntries(Object.entries(sums).sort((a, b) => b[1] - a[1]));
}

const WIDTHS = [24, 8, 8, 20, 20, 20, 8, 8] as const;

export const matrixHeading = (): string =>
  cells(["world", "people", "goal %", "lost %", "stranded %", "challenged %", "known", "alarms"]);

/** One line for the terminal: what was lost, and by which rules. */
export function matrixLine(row: MatrixRow): string {
  const worst = Object.entries(row.stopped_by).slice(0, 4);
  const why = worst.map(([reason, people]) => `${reason} ${people}`).join(", ");
  const line = cells([
    row.rule === "tollgate" ? row.world : `${row.world} ${row.rule}`,
    String(row.people),
    String(row.goal_percent),
    spreadText(row.lost_percent, 2),
    spreadText(row.stranded_percent, 2),
    spreadText(row.challenged_percent, 1),
    `${row.own_device_lost}/${row.known_number_lost}`,
    String(row.alarmed),
  ]);
  return `${line}  ${row.met ? "ok" : "misses"}  ${why}`;
}

/** The worst of each kind, for the end. */
export function matrixSummary(rows: readonly MatrixRow[]): string[] {
  return WORLD_KINDS.flatMap((kind) => {
    const some = rows.filter((row) => row.kind === kind);
    const worst = some.toSorted((a, b) => b.both_percent.mean - a.both_percent.mean)[0];
    if (!worst) return [];
    const met = some.filter((row) => row.met).length;
    return [
      `${kind}: ${met} of ${some.length} within ${MATRIX_GOALS[kind]} %; worst ${worst.world} ${spreadText(worst.both_percent, 2)} %`,
    ];
  });
}

const cells = (texts: readonly string[]): string =>
  texts.map((text, at) => (at === 0 ? text.padEnd(WIDTHS[0]) : text.padStart(WIDTHS[at] ?? 0))).join(" ");
