/** What budgets hold of the rows of a table, as people read it. */

import type { ExposurePolicy } from "../../../domain/admission/exposure.policy.ts";
import {
  budgetOf,
  type Level,
  type LevelReading,
  raiseByHistory,
  type Teachers,
  UNIT_HUNDREDTHS,
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

/** A level, and those that count the messages its gain learns from. */
export interface LevelToRead {
  level: Level;
  teachers: Teachers<Level>;
}

/** Reads levels in one round trip; the answer keeps their order and has null for a level of null. */
export async function readExposures(
  { policy, budgets }: Pick<Deps, "policy" | "budgets">,
  wanted: readonly (LevelToRead | null)[],
): Promise<(Exposure | null)[] | Unavailable> {
  const asked = wanted.flatMap((one) =>
    one === null ? [] : [one.level, ...Object.values(one.teachers).flat()],
  );
  if (asked.length === 0) return wanted.map(() => null);
  const distinct = [...new Map(asked.map((level) => [level.key, level])).values()];
  const answer = await budgets.read(distinct, []);
  if (answer.kind !== "answered") return answer;
  const readings = new Map(answer.readings.map((reading) => [reading.level.key, reading]));
  const readingsOf = (levels: readonly Level[]) => levels.flatMap(({ key }) => readings.get(key) ?? []);
  return wanted.map((one) => {
    const reading = one && readings.get(one.level.key);
    if (!reading) return null;
    const { taught, taught_own, stranger } = one.teachers;
    return exposureOf(reading, policy.exposure, {
      taught: readingsOf(taught),
      taught_own: readingsOf(taught_own),
      stranger: readingsOf(stranger),
    });
  });
}

/** A reading in whole units, with the base that history has raised and the gain that earlier days have taught. */
function exposureOf(
  reading: LevelReading,
  policy: ExposurePolicy,
  teachers: Teachers<LevelReading>,
): Exposure {
  const [grown = reading] = raiseByHistory([reading], policy, teachers);
  return {
    unverified: reading.unverified / UNIT_HUNDREDTHS,
    budget: budgetOf(grown, policy) / UNIT_HUNDREDTHS,
    messages: reading.messages,
    most: reading.level.maxMessages,
  };
}
