/** The lab's long runs on the command line: the matrix of worlds, and opponents that adapt. */
import {
  type OpponentRow,
  opponentHeading,
  opponentLine,
  opponentMisses,
  playOpponents,
  searchPlan,
} from "./adversary/play-opponents.ts";
import { matrixHeading, matrixLine, matrixSummary, playMatrix } from "./matrix/play-matrix.ts";
import type { Options } from "./options.ts";
import { OURS } from "./rules.ts";
import { progressLine } from "./show/progress.ts";

type Stream = NodeJS.WriteStream;

/** @returns the exit code: 1 when a world misses its goal by more than --check's factor */
export async function reportMatrix(options: Options, out: Stream, errors: Stream): Promise<number> {
  const progress = progressLine(errors);
  const { json, checkFactor } = options;
  if (options.halves.includes("closed") && options.worlds.length === 0) {
    errors.write(
      "note: the closed half is for reports; a rule that is changed after looking at it has seen its test\n",
    );
  }
  const say = (text: string): void => {
    progress.clear();
    out.write(`${text}\n`);
  };
  if (!json) say(matrixHeading());
  const rows = await playMatrix(
    options,
    (row) => say(json ? JSON.stringify(row) : matrixLine(row)),
    progress.show,
  );
  progress.clear();
  if (!json) for (const line of matrixSummary(rows)) say(line);
  if (checkFactor === null) return 0;
  const misses = rows.filter(
    ({ both_percent, goal_percent }) => both_percent.mean > goal_percent * checkFactor,
  );
  for (const { world, both_percent } of misses) {
    errors.write(`missed: ${world}: ${both_percent.mean.toFixed(2)} % lost or stranded\n`);
  }
  return misses.length > 0 ? 1 : 0;
}

/** @returns the exit code: 1 when an opponent misses a goal by more than --check's factor */
export async function reportOpponents(
  options: Options,
  { plans, search, budget }: NonNullable<Options["adversary"]>,
  out: Stream,
  errors: Stream,
): Promise<number> {
  const progress = progressLine(errors);
  const say = (text: string): void => {
    progress.clear();
    out.write(`${text}\n`);
  };
  const show = (row: OpponentRow): void => say(options.json ? JSON.stringify(row) : opponentLine(row));
  if (!options.json) say(opponentHeading());
  if (!search) {
    const rows = await playOpponents(plans, options, show, progress.show);
    progress.clear();
    return tellMisses(rows, options.checkFactor, errors);
  }
  let code = 0;
  for (const rule of options.rules) {
    const [best] = await searchPlan(rule, budget, options, show, progress.show);
    progress.clear();
    code = Math.max(code, tellMisses(best ? [best] : [], options.checkFactor, errors));
    if (best && !options.json) {
      say(
        `${rule}: ${budget} mixes tried, the best earns ${best.profit.mean.toFixed(2)} a day: ${best.plan.title}`,
      );
    }
  }
  return code;
}

/** Of our own rule alone: the others' figures are there to compare. */
function tellMisses(rows: readonly OpponentRow[], checkFactor: number | null, errors: Stream): number {
  if (checkFactor === null) return 0;
  const misses = rows.filter(({ rule }) => rule === OURS).flatMap((row) => opponentMisses(row, checkFactor));
  for (const miss of misses) errors.write(`missed: ${miss}\n`);
  return misses.length > 0 ? 1 : 0;
}
