import { expect, test } from "vitest";
import type { NumberRefusal } from "../../../../src/domain/delivery/judgement.ts";
import { liftNumberRefusal } from "../../../../src/flows/evidence/lift-number-refusal.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { callerOf, deliveryWorld, type Fate, phoneOf, requestOf } from "../../../support/delivery-world.ts";

const ACT = { who: "ada", why: "opted in again by letter" };

/** A world whose first provider refuses numbers so, until it is told to accept. */
function worldThatRefuses(fate: Fate) {
  const world = deliveryWorld();
  for (const provider of world.providers) provider.fate = () => fate;
  return {
    world,
    async ask(i = 1) {
      const answer = await send(world.deps, requestOf(i), callerOf(i), `c-${world.nowMs}`);
      await world.settle();
      world.advance(61_000);
      return answer.kind;
    },
    accept() {
      for (const provider of world.providers) provider.fate = () => "accept";
    },
    asked: () => world.providers.reduce((sum, { asked }) => sum + asked.length, 0),
  };
}

test.each<[Fate, NumberRefusal, string]>([
  ["opt_out", "opted_out", "number_opted_out"],
  ["refuse_number", "unreachable", "number_unreachable"],
  ["fraud", "fraud", "too_many_requests"],
])(
  "a number refused as %s is remembered as %s, and a lift lets its next message go out",
  async (fate, _, remembered) => {
    const { world, ask, accept, asked } = worldThatRefuses(fate);
    await ask();
    const before = asked();
    expect([await ask(), await ask()]).toEqual([remembered, remembered]);
    expect(asked()).toBe(before);
    accept();
    expect(await ask()).toBe(remembered);

    const lifted = await liftNumberRefusal(world.deps, ACT, phoneOf(1));
    expect(lifted).toMatchObject({ kind: "done", recorded: true });
    expect(JSON.stringify(lifted)).toContain("goes to a provider again");
    expect(await ask()).toBe("sent");
  },
);

test("a lift is of one number, and is recorded without it", async () => {
  const { world, ask } = worldThatRefuses("opt_out");
  await ask(1);
  await ask(2);
  await liftNumberRefusal(world.deps, ACT, phoneOf(1));
  expect(await ask(2)).toBe("number_opted_out");
  const actions = await world.deps.records.actions(10);
  expect(JSON.stringify(actions)).toContain("number lifted");
  expect(JSON.stringify([actions, world.facts])).not.toContain(phoneOf(1).slice(1));
});

test("a lift of a number that nothing is kept against says so", async () => {
  const { world } = worldThatRefuses("accept");
  expect(JSON.stringify(await liftNumberRefusal(world.deps, ACT, phoneOf(1)))).toContain("Nothing was kept");
});

test("what is no number is refused without repeating it, and a store that fails lifts nothing", async () => {
  const { world } = worldThatRefuses("accept");
  const refused = JSON.stringify(await liftNumberRefusal(world.deps, ACT, "98765-nobody"));
  expect(refused).toContain("is no telephone number");
  expect(refused).not.toContain("98765-nobody");
  const marks = { ...world.deps.marks, liftRefusals: async () => Promise.reject(new Error("down")) };
  expect(await liftNumberRefusal({ ...world.deps, marks }, ACT, phoneOf(1))).toMatchObject({
    kind: "unavailable",
  });
});
