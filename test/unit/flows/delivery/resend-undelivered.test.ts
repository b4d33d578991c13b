import { expect, test } from "vitest";
import { resendUndelivered } from "../../../../src/flows/verification/resend-undelivered.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import type { OutboxMessage } from "../../../../src/ports/outbox.ts";
import {
  callerOf,
  deliveryWorld,
  receiptOf,
  requestOf,
  roomyPolicy,
} from "../../../support/delivery-world.ts";

type Resend = Extract<OutboxMessage, { kind: "resend" }>;

/** A message by the first of two providers, which then reports that it did not arrive. */
async function undelivered(resend_undelivered: boolean) {
  const delivery = { providers: ["sandbox", "sandbox_b"], pin: { IN: "sandbox" }, resend_undelivered };
  const world = deliveryWorld({ policy: roomyPolicy(delivery) });
  for (const provider of world.providers) provider.fate = () => "accept";
  const sent = await send(world.deps, requestOf(1), callerOf(1), "c1");
  if (sent.kind !== "sent") throw new Error(sent.kind);
  await world.settle();
  await world.hook("sandbox", [receiptOf("sandbox-1", "undelivered")]);
  const work = world.outbox.filter((message): message is Resend => message.kind === "resend");
  const accepted = () => world.providers.map(({ taken }) => taken.length);
  const again = async (message: Resend) => {
    await resendUndelivered(world.deps, message);
    await world.settle();
  };
  return { world, sent, work, accepted, again };
}

test("an undelivered message goes out again by the other route, once, and is booked as a message of its own", async () => {
  const { world, work, accepted, again } = await undelivered(true);
  const [message] = work;
  if (!message || work.length > 1) throw new Error("one piece of work");
  await again(message);
  expect(accepted(), "not before its wait").toEqual([1, 0]);
  world.advance(61_000);
  await again(message);
  expect(accepted()).toEqual([1, 1]);
  await again(message);
  expect(accepted(), "the queue may hand it over twice").toEqual([1, 1]);
  const kept = [...world.granted].filter((id) => !world.released.has(id));
  expect(kept, "the one that came too soon gave back what it took").toHaveLength(2);
});

test("nothing is sent again where the policy does not say so, nor to somebody who has verified meanwhile", async () => {
  expect((await undelivered(false)).work).toEqual([]);
  const { world, sent, work, accepted, again } = await undelivered(true);
  const right = { session: sent.session, code: "000000", reference: undefined };
  expect((await verify(world.deps, right, callerOf(1))).kind).toBe("verified");
  world.advance(61_000);
  for (const message of work) await again(message);
  expect(accepted()).toEqual([1, 0]);
});

test("a token that cannot be opened any more sends nothing", async () => {
  const { world, work, accepted, again } = await undelivered(true);
  world.advance(61_000);
  world.deps.tokens = { ...world.deps.tokens, open: async () => null };
  for (const message of work) await again(message);
  expect(accepted()).toEqual([1, 0]);
});
