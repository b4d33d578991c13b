/** Holds a report against its scenario's goal. */

import type { Goal } from "../world/build.ts";
import { percent, type RuleReport } from "./report.ts";

export interface Verdict {
  met: boolean;
  /** What was wanted, for people. */
  wanted: string;
  /** What was missed, for people; empty when met. */
  missed: string[];
}

/** Lost people in percent, as the goal counts them: everybody, or one country's. */
export function lostPercent(goal: Goal | null, { honest }: RuleReport): number {
  if (goal?.country === undefined) return honest.lost_percent;
  const country = honest.by_country[goal.country];
  return country ? percent(country.lost, country.people) : 0;
}

/**
 * @param slack what the goal's figures are multiplied with: loose bounds for a quick check. Known people must lose
 * nothing, whatever the slack.
 */
export function judge(goal: Goal, report: RuleReport, slack = 1): Verdict {
  const ofWhom = goal.country === undefined ? "" : ` of ${goal.country}`;
  const lost = lostPercent(goal, report);
  const missed: string[] = [];
  if (goal.left !== null && report.attack.left > goal.left * slack) {
    missed.push(`${report.attack.left} left, at most ${goal.left * slack} wanted`);
  }
  if (lost > goal.honestLostPercent * slack) {
    missed.push(`${lost} % lost${ofWhom}, at most ${goal.honestLostPercent * slack} % wanted`);
  }
  if (report.honest.known_lost > 0) missed.push(`${report.honest.known_lost} known people lost, none wanted`);
  const most = goal.left === null ? "" : `${goal.left} / `;
  return { met: missed.length === 0, wanted: `${most}${goal.honestLostPercent} %${ofWhom}`, missed };
}
