import { expect, test } from "vitest";
import { exposurePolicy } from "../../../../src/domain/admission/exposure.policy.ts";
import { readMetrics } from "../../../../src/flows/operators/views/read-metrics.ts";
import { readWorstCaseBound } from "../../../../src/flows/operators/views/read-worst-case-bound.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  requestOf,
  roomyPolicy,
} from "../../../support/delivery-world.ts";

/** With the budgets as shipped. */
const shippedWorld = () =>
  deliveryWorld({ policy: { ...roomyPolicy(), exposure: exposurePolicy.parse({}) } });

const SAMPLE = /^tollgate_attack_cost_bound\{currency="USD"\} (\S+)$/m;

const sampleIn = (text: string): number | null => {
  const found = SAMPLE.exec(text);
  return found ? Number(found[1]) : null;
};

async function boundOf({ deps }: DeliveryWorld) {
  const bound = await readWorstCaseBound(deps);
  if (bound.kind !== "answered") throw new Error(bound.cause);
  return bound;
}

async function ask({ deps, settle }: DeliveryWorld, person: number): Promise<string> {
  const input = { ...requestOf(person), captchaToken: "token" };
  const answer = await send(deps, input, callerOf(person), `asked ${person}`);
  await settle();
  if (answer.kind !== "sent") throw new Error(answer.kind);
  return answer.session;
}

test("the metric of the bound is what the bound says, a gauge in the policy's currency", async () => {
  const world = shippedWorld();
  const text = await readMetrics(world.deps);
  expect(text).toContain("# TYPE tollgate_attack_cost_bound gauge\n");
  const { mostMicros } = await boundOf(world);
  expect(mostMicros).toBeGreaterThan(0);
  expect(sampleIn(text)).toBe(mostMicros / 1e6);
});

test("what leaves and is not answered takes from it until midnight, and an answer gives more than that back", async () => {
  const world = shippedWorld();
  const before = sampleIn(await readMetrics(world.deps)) ?? 0;
  const session = await ask(world, 1);
  const { dearestUnitMicros, perAnswerMicros } = await boundOf(world);
  const out = sampleIn(await readMetrics(world.deps)) ?? 0;
  expect(before - out).toBeCloseTo(dearestUnitMicros / 1e6, 6);
  await verify(world.deps, { session, code: "000000", reference: undefined }, callerOf(1));
  await world.settle();
  const answered = sampleIn(await readMetrics(world.deps)) ?? 0;
  expect(answered).toBeGreaterThan(before);
  expect(answered - out).toBeLessThanOrEqual(perAnswerMicros / 1e6 + 1e-6);
});

test("while the budgets do not answer there is no figure, and no figure of nought", async () => {
  const { deps } = shippedWorld();
  const budgets = { ...deps.budgets, read: async () => ({ kind: "unavailable", cause: "down" }) as const };
  const text = await readMetrics({ ...deps, budgets });
  expect(text).not.toContain("attack_cost_bound");
  expect(text).toContain("# EOF");
});
