/** People in sums: how many there were, and how many came away with nothing. */
import { type Asking, isLost, isStranded } from "./askings.ts";
import { type PeopleReport, percent, type RuleReport } from "./report.ts";

type HonestCounts = Omit<RuleReport["honest"], "requests" | "left" | "answered" | "cost_micros">;

/** Counts askings, overall and by country, device and reason. */
export function countHonest(everyone: readonly Asking[]): HonestCounts {
  const count = (test: (one: Asking) => boolean): number => everyone.filter(test).length;
  const lost = count(isLost);
  const stranded = count(isStranded);
  return {
    people: everyone.length,
    lost,
    challenged: count((one) => one.challenged),
    stepped_up: count((one) => one.steppedUp),
    known: count((one) => one.known),
    known_lost: count((one) => one.known && isLost(one)),
    lost_percent: percent(lost, everyone.length),
    stranded,
    stranded_percent: percent(stranded, everyone.length),
    own_device: peopleOf(everyone.filter((one) => one.ownDevice)),
    known_number: peopleOf(everyone.filter((one) => one.known && !one.ownDevice)),
    stopped_by: countReasons(everyone),
    by_country: countCountries(everyone),
  };
}

const peopleOf = (some: readonly Asking[]): PeopleReport => ({
  people: some.length,
  lost: some.filter(isLost).length,
  stranded: some.filter(isStranded).length,
});

function countReasons(everyone: readonly Asking[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of everyone) {
    if (!isLost(one) && !isStranded(one)) continue;
    for (const reason of one.refusedFor ?? ["gave up"]) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return sortKeys(counts);
}

function countCountries(everyone: readonly Asking[]): RuleReport["honest"]["by_country"] {
  const byCountry: RuleReport["honest"]["by_country"] = {};
  for (const one of everyone) {
    byCountry[one.country] ??= { people: 0, lost: 0, known: 0, known_lost: 0 };
    const entry = byCountry[one.country];
    if (!entry) continue;
    entry.people++;
    if (isLost(one)) entry.lost++;
    if (one.known) entry.known++;
    if (one.known && isLost(one)) entry.known_lost++;
  }
  return sortKeys(byCountry);
}

/** The same record with its keys in order, so that the same seed gives the same text. */
export const sortKeys = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
