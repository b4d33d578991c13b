/** Sentences under a scenario's table: what our rule stopped things for, where people were lost, what it blocked. */
import type { LabReport, RuleReport } from "../play/report.ts";
import { OURS } from "../rules.ts";
import { sinceAttack } from "./table.ts";

/** How many of a kind are worth a reader's time. */
const MOST = 6;

/** Sentences about our rule, as plain text; none where it was not played. */
export function notesAbout(report: LabReport): string[] {
  const mine = report.rules.find(({ rule }) => rule === OURS);
  if (!mine) return [];
  return [
    sentence("Attackers were refused for", topCounts(mine.refusals.attack)),
    sentence("Honest people were refused for", topCounts(mine.refusals.honest)),
    sentence("People lost", lostByCountry(mine)),
    sentence("Ranges it blocked by itself", blockedRanges(mine)),
  ].filter((text) => text !== "");
}

const sentence = (start: string, parts: readonly string[]): string =>
  parts.length === 0 ? "" : `${start}: ${parts.join(", ")}.`;

function topCounts(counts: Record<string, number>): string[] {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.slice(0, MOST).map(([reason, count]) => `${reason.replaceAll("_", " ")} ${count}`);
}

function lostByCountry({ honest }: RuleReport): string[] {
  const losing = Object.entries(honest.by_country).filter(([, { lost }]) => lost > 0);
  const sorted = losing.sort(([, a], [, b]) => b.lost - a.lost);
  return sorted.slice(0, MOST).map(([country, { lost, people }]) => `${country} ${lost} of ${people}`);
}

function blockedRanges({ detection, attack }: RuleReport): string[] {
  const { blocked_ranges: ranges } = detection;
  const told = ranges.slice(0, MOST).map(({ range, seconds, left_before: leftBefore }) => {
    return `${range}… ${sinceAttack(seconds, attack.started_seconds)} (${leftBefore} left before)`;
  });
  const more = ranges.length - told.length;
  return more > 0 ? [...told, `and ${more} more`] : told;
}
