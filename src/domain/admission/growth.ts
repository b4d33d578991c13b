/** Growth: money to numbers that verified for the first time a few days ago, or never. It is bound answered or not. */
import { DAY_SECONDS } from "../kernel/time.ts";
import type { ExposurePolicy } from "./exposure.policy.ts";
import type { LevelReading, LevelReadings } from "./exposure.ts";

/**
 * True for a number that did not verify before the last `growth.fresh_days`: own SIM cards and bought ranges begin so.
 *
 * @param knownSinceMs its first verification; null for a number that never verified, 0 where the time was not kept
 */
export function lacksVerifiedHistory(
  knownSinceMs: number | null,
  { growth }: Pick<ExposurePolicy, "growth">,
  nowMs: number,
): boolean {
  return knownSinceMs === null || nowMs - knownSinceMs < growth.fresh_days * DAY_SECONDS * 1000;
}

/**
 * The levels of money that a message to a fresh number draws on, with the room that its country has; none while the service
 * itself is too young to know any number for long.
 */
export function growthLevels(
  { growth, settled }: Pick<LevelReadings, "growth" | "settled">,
  policy: Pick<ExposurePolicy, "growth">,
): LevelReading[] {
  const { settled_verified, factor } = policy.growth;
  const settledIn = (name: "country" | "overall"): number =>
    settled.find(({ level }) => level.name === name)?.earned ?? 0;
  if (settledIn("overall") < settled_verified) return [];
  const isSettled = settledIn("country") >= settled_verified;
  return growth.flatMap((reading) => {
    const { level } = reading;
    if (level.name === "overall") return isSettled ? [] : [reading];
    const more = Math.round(factor * level.weight * settledIn("country"));
    return [{ ...reading, level: { ...level, base: level.base + more } }];
  });
}
