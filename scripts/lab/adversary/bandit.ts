/** A bandit: chooses among arms by what they paid lately, and tries each now and then. */
import type { Random } from "../world/random.ts";

export interface Bandit<T> {
  choose(): T;
  /** @param reward what came of it, in micros */
  reward(arm: T, reward: number): void;
}

/** Share of choices that are tries. */
const EXPLORE = 0.1;
/** What was seen fades by this with each look at the arm: what paid this morning may be empty now. */
const MEMORY = 0.97;

/** Epsilon-greedy over fading means; every arm is tried once before any is preferred. */
export function bandit<T>(random: Random, arms: readonly T[]): Bandit<T> {
  const seen = new Map<T, { mean: number; weight: number }>();
  const untried = [...arms];
  return {
    choose() {
      if (untried.length > 0) return untried.splice(random.int(untried.length), 1)[0] as T;
      if (random.chance(EXPLORE)) return random.pick(arms);
      let best = arms[0] as T;
      for (const arm of arms) if ((seen.get(arm)?.mean ?? 0) > (seen.get(best)?.mean ?? 0)) best = arm;
      return best;
    },
    reward(arm, reward) {
      const before = seen.get(arm) ?? { mean: 0, weight: 0 };
      const weight = before.weight * MEMORY + 1;
      seen.set(arm, { mean: before.mean + (reward - before.mean) / weight, weight });
    },
  };
}
