import { expect, test } from "vitest";
import { settleReceipt } from "../../../../src/flows/delivery/settle-receipt.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import type { MessageOwner } from "../../../../src/ports/delivery.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  type Fate,
  NOON_MS,
  receiptOf,
  requestOf,
  roomyPolicy,
} from "../../../support/delivery-world.ts";

/** One route after the other, in the order of their names; each does so and takes so long. */
function providersThat(...does: readonly (readonly [Fate, number])[]) {
  const providers = ["sandbox", "sandbox_b", "sandbox_c"].slice(0, does.length);
  const weight = { sandbox_b: 1e-6, sandbox_c: 1e-9 };
  const policy = roomyPolicy({ providers, pin: { IN: "sandbox" }, weight });
  const world = deliveryWorld({ policy });
  for (const [i, provider] of world.providers.entries()) {
    const [fate, tookMs] = does[i] ?? ["accept", 0];
    provider.fate = () => {
      world.advance(tookMs);
      return fate;
    };
  }
  return world;
}

async function sendOne(world: DeliveryWorld): Promise<void> {
  await send(world.deps, requestOf(1), callerOf(1), "c1");
  await world.settle();
}

/** The times that the watch has of a provider. */
async function timesOf(world: DeliveryWorld, provider: string) {
  const totals = await world.deps.counters.totals();
  if (totals.kind !== "answered") throw new Error(totals.cause);
  const counts = Object.entries(totals.tally.get(`provider ${provider}`) ?? {});
  return Object.fromEntries(counts.filter(([metric]) => /_ms$|_by:/.test(metric)));
}

test.each([
  { fate: "accept", tookMs: 240, bucket: 2, what: "is quick" },
  { fate: "accept", tookMs: 3700, bucket: 9, what: "is slow" },
  { fate: "refuse", tookMs: 900, bucket: 5, what: "refuses, our credentials perhaps" },
  { fate: "refuse_number", tookMs: 120, bucket: 1, what: "refuses the number" },
  { fate: "silent", tookMs: 4002, bucket: 10, what: "is dead, until it was given up" },
  { fate: "lost", tookMs: 30, bucket: 0, what: "breaks off" },
] as const)("a provider that $what counts with its $tookMs ms", async ({ fate, tookMs, bucket }) => {
  const world = providersThat([fate, tookMs]);
  await sendOne(world);
  expect(await timesOf(world, "sandbox")).toEqual({
    hand_over_ms: tookMs,
    [`handed_over_by:${bucket}`]: 1,
  });
});

test("of a message that several were asked to carry, each counts with its own time, in one booking", async () => {
  const world = providersThat(["refuse", 1200], ["refuse", 700], ["accept", 40]);
  const { counters, receipts } = world.deps;
  let calls = 0;
  world.deps.counters = {
    ...counters,
    count(bookings) {
      calls += 1;
      return counters.count(bookings);
    },
  };
  world.deps.receipts = {
    ...receipts,
    bind(...bound) {
      calls += 1;
      return receipts.bind(...bound);
    },
  };
  await sendOne(world);
  expect(await timesOf(world, "sandbox")).toEqual({ hand_over_ms: 1200, "handed_over_by:6": 1 });
  expect(await timesOf(world, "sandbox_b")).toEqual({ hand_over_ms: 700, "handed_over_by:4": 1 });
  expect(await timesOf(world, "sandbox_c")).toEqual({ hand_over_ms: 40, "handed_over_by:0": 1 });
  expect(calls, "behind the answer, one command and no more").toBe(1);
});

test.each([
  { status: "delivered", afterMs: 6000, statedMs: null, times: { delivery_ms: 6300, "delivered_by:4": 1 } },
  { status: "delivered", afterMs: 15_000, statedMs: 4300, times: { delivery_ms: 4300, "delivered_by:3": 1 } },
  {
    status: "delivered",
    afterMs: 1_400_000,
    statedMs: null,
    times: { delivery_ms: 1_400_300, "delivered_by:14": 1 },
  },
  // The session and its grace are over: nobody knows any more when the message was handed over.
  { status: "delivered", afterMs: 7_200_000, statedMs: null, times: {} },
  { status: "undelivered", afterMs: 6000, statedMs: null, times: {} },
  { status: "sent", afterMs: 6000, statedMs: null, times: {} },
] as const)(
  "a message $status $afterMs ms after a hand-over of 300 ms, at $statedMs as stated, took $times",
  async (row) => {
    const world = providersThat(["accept", 300]);
    await sendOne(world);
    world.advance(row.afterMs);
    const receipt = receiptOf("sandbox-1", row.status, { atMs: row.statedMs && NOON_MS + row.statedMs });
    for (let i = 0; i < 2; i++) await world.hook("sandbox", [receipt]);
    expect(await timesOf(world, "sandbox"), "and once, however often it is told").toEqual({
      hand_over_ms: 300,
      "handed_over_by:2": 1,
      ...row.times,
    });
  },
);

test("a receipt that is quicker than the answer took as long as the answer", async () => {
  const world = providersThat(["accept", 300]);
  for (const provider of world.providers) {
    provider.beforeAnswer = async (messageId) => {
      await world.hook("sandbox", [receiptOf(messageId, "delivered")]);
      world.advance(2500);
    };
  }
  await sendOne(world);
  expect(await timesOf(world, "sandbox")).toMatchObject({ hand_over_ms: 2800, delivery_ms: 2800 });
});

test("a message whose hand-over nobody wrote down is delivered, after no time that is known", async () => {
  const world = providersThat(["accept", 300]);
  await sendOne(world);
  const claimed = await world.deps.receipts.claim("sandbox", receiptOf("sandbox-1", "delivered"));
  const owner = { ...(claimed as MessageOwner), handedOverMs: null };
  await settleReceipt(world.deps, "sandbox", receiptOf("sandbox-1", "delivered"), owner);
  const times = await timesOf(world, "sandbox");
  expect(Object.keys(times).filter((metric) => metric.startsWith("deliver"))).toEqual([]);
  const totals = await world.deps.counters.totals();
  expect(totals.kind === "answered" && totals.tally.get("provider sandbox")?.delivered).toBe(1);
});
