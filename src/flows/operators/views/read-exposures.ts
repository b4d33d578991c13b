/** What budgets hold of the rows of a table, as people read it. */

import type { ExposurePolicy } from "../../../domain/admission/exposure.policy.ts";
import {
  budgetOf,
  type Level,
  type LevelReading,
  UNIT_HUNDREDTHS,
  withHistory,
} from "../../../domain/admission/exposure.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";

export interface Exposure {
  /** Units out unanswered, and how many may be. */
  unverified: number;
  budget: number;
  /** Messages in the window, and the most there may be; null for any. */
  messages: number;
  most: number | null;
}

/** Reads levels in one round trip; the answer keeps their order and has null for a level of null. */
export async function readExposures(
  { policy, budgets }: Pick<Deps, "policy" | "budgets">,
  levels: readonly (Level | null)[],
): Promise<(Exposure | null)[] | Unavailable> {
  const asked = levels.flatMap((level) => (level === null ? [] : [level]));
  if (asked.length === 0) return levels.map(() => null);
  const answer = await budgets.read(asked, []);
  if (answer.kind !== "answered") return answer;
  const readings = new Map(answer.readings.map((reading) => [reading.level.key, reading]));
  return levels.map((level) => {
    const reading = level && readings.get(level.key);
    return reading ? exposureOf(reading, policy.exposure) : null;
  });
}

/** A reading in whole units, with the base that history has raised. */
function exposureOf(reading: LevelReading, policy: ExposurePolicy): Exposure {
  const [grown = reading] = withHistory([reading], policy);
  return {
    unverified: reading.unverified / UNIT_HUNDREDTHS,
    budget: budgetOf(grown, policy) / UNIT_HUNDREDTHS,
    messages: reading.messages,
    most: reading.level.maxMessages,
  };
}
