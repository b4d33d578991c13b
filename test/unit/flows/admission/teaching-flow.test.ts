import { expect, test } from "vitest";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import { callerOf, deliveryWorld, requestOf } from "../../../support/delivery-world.ts";

const CODE = "000000";

/** Asks from a person's own address; `deviceToken` of their last verification where they kept it. */
function journey() {
  const world = deliveryWorld();
  const { deps, settle } = world;
  const { budgets } = deps;
  let taken: readonly { key: string }[] = [];
  deps.budgets = {
    ...budgets,
    reserve: (request) => {
      taken = request.reservation.taken;
      return budgets.reserve(request);
    },
  };
  let asked = 0;
  return {
    async ask(person: number, more: { address?: number; deviceToken?: string } = {}) {
      const { address = person, ...rest } = more;
      const input = { ...requestOf(person), captchaToken: "token", ...rest };
      const answer = await send(deps, input, callerOf(address), `asked ${asked++}`);
      await settle();
      if (answer.kind !== "sent") throw new Error(answer.kind);
      const teaches = taken.flatMap(({ key }) => (key.startsWith("taught") ? [key] : []));
      return { session: answer.session, teaches };
    },
    async type(session: string) {
      const answer = await verify(deps, { session, code: CODE, reference: undefined }, callerOf(1));
      await settle();
      if (answer.kind !== "verified") throw new Error(answer.kind);
      return answer.deviceToken;
    },
  };
}

test("messages of strangers teach no gain, those of an own device and of an address that strangers answer at do", async () => {
  const { ask, type } = journey();
  const first = await ask(1);
  expect(first.teaches).toEqual([]);
  const deviceToken = await type(first.session);
  expect((await ask(1, { deviceToken })).teaches).toEqual([
    "taught_own:country:IN",
    "taught_own:overall:all",
  ]);
  for (const person of [2, 3, 4]) await type((await ask(person, { address: 9 })).session);
  const vouched = await ask(5, { address: 9 });
  expect(vouched.teaches).toEqual(["taught:country:IN", "taught:overall:all"]);
  // The same person again says nothing new.
  expect((await ask(5, { address: 9 })).teaches).toEqual([]);
});
