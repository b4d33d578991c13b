/** One step of the search: a plan with a few of its knobs turned. */
import type { Random } from "../world/random.ts";
import { ADDRESS_KINDS, AIMS, type OpponentPlan } from "./plan.ts";

const KNOBS: readonly ((random: Random, plan: OpponentPlan) => Partial<OpponentPlan>)[] = [
  (random, { asksPerDay }) => ({ asksPerDay: within(asksPerDay * random.between(0.3, 2), 50, 17_280) }),
  (random) => ({ aim: random.pick(AIMS) }),
  (random, { rangesEach }) => ({ rangesEach: within(rangesEach + random.int(5) - 2, 0, 12) }),
  (random) => ({ answerShare: random.pick([0, 0.3, 0.5, 0.7, 0.85, 1]) }),
  (random, { sims }) => ({
    sims: within(sims === 0 ? random.int(100) : sims * random.between(0.3, 2), 0, 500),
    simShare: random.pick([0.1, 0.3, 0.6, 1]),
  }),
  (random) => ({ solver: random.chance(0.7) }),
  (random) => ({ waits: random.chance(0.5) }),
  (random, { addresses }) => ({ addresses: within(addresses * random.between(0.1, 2), 5, 5000) }),
  (random) => ({ addressKind: random.pick(ADDRESS_KINDS) }),
  (random) => ({ knownShare: random.pick([0, 0.1, 0.5, 1]) }),
  (random) => ({ perNumber: 1 + random.int(5) }),
  (random) => ({ patientDays: random.pick([0, 4, 10]), patientAsks: random.pick([30, 100, 300]) }),
  (_, { mixesFlows }) => ({ mixesFlows: !mixesFlows }),
];

/** @param id the new plan's name */
export function mutatePlan(random: Random, plan: OpponentPlan, id: string): OpponentPlan {
  let changed = plan;
  for (let turn = 0; turn < 1 + random.int(3); turn++) {
    changed = { ...changed, ...random.pick(KNOBS)(random, changed) };
  }
  const { asksPerDay, aim, rangesEach, answerShare, sims, solver, addressKind, knownShare } = changed;
  const title = `${asksPerDay} asks, ${aim}, ${rangesEach} ranges, ${answerShare} answered, ${sims} SIM cards, ${solver ? "solver" : "bots"}, ${addressKind}, ${knownShare} known`;
  return { ...changed, id, title };
}

const within = (value: number, least: number, most: number): number =>
  Math.round(Math.min(most, Math.max(least, value)));
