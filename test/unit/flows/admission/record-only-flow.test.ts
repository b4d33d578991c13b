import { expect, test } from "vitest";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { resend } from "../../../../src/flows/verification/resend.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import {
  COST_MICROS,
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  type Fate,
  NOON_MS,
  requestOf,
  roomyPolicy,
} from "../../../support/delivery-world.ts";
import { marksOf } from "../../../support/store-parts.ts";

const HOSTED = 16_276;
const HOSTING = "rule hosting_network/signup";

/** A service in which the network of the callers is a hosting one. */
function hosted(risk: object = { record_only: ["hosting_network"] }, rest: object = {}) {
  const world = deliveryWorld({
    policy: roomyPolicy({ providers: ["sandbox"] }, { risk: { many_numbers: 1e6, ...risk }, ...rest }),
  });
  world.deps.hosting = new Map([[HOSTED, "OVH"]]);
  return world;
}

const fromHosting = (i: number) => ({ ...callerOf(i), asn: HOSTED });

async function ask(world: DeliveryWorld, i: number) {
  const outcome = await send(world.deps, requestOf(i), fromHosting(i), `c${i}`);
  await world.settle();
  return outcome;
}

async function sent(world: DeliveryWorld, i: number): Promise<string> {
  const outcome = await ask(world, i);
  if (outcome.kind !== "sent") throw new Error(outcome.kind);
  return outcome.session;
}

async function verifyOne(world: DeliveryWorld, session: string) {
  const outcome = await verify(world.deps, { session, code: "000000", reference: undefined }, fromHosting(1));
  await world.settle();
  expect(outcome.kind).toBe("verified");
}

/** All counters of a minute. */
async function counted(world: DeliveryWorld, afterMinutes = 0): Promise<Record<string, Counts>> {
  const window = await world.deps.counters.window(Math.floor(NOON_MS / 60_000) + afterMinutes, 1);
  if (window.kind !== "answered") throw new Error(window.cause);
  return Object.fromEntries(window.minutes[0]?.tally ?? []);
}

const rulesIn = (counts: Record<string, Counts>) =>
  Object.fromEntries(Object.entries(counts).filter(([key]) => key.startsWith("rule ")));

test("messages that a recorded rule would have stopped are counted, and their answers in the minute they left", async () => {
  const world = hosted();
  const [first = ""] = [await sent(world, 1), await sent(world, 2), await sent(world, 3)];
  world.advance(2 * 60_000);
  await verifyOne(world, first);
  const atNoon = await counted(world);
  const left = { sent: 3, micros: 3 * COST_MICROS, verified: 1 };
  expect(rulesIn(atNoon)).toEqual({ [HOSTING]: { met: 3, "would:challenge": 3, ...left } });
  expect(atNoon["overall all"], "each is one message elsewhere").toMatchObject(left);
  expect(rulesIn(await counted(world, 2))).toEqual({});
});

test("one answer answers every message of its session that the rule would have stopped", async () => {
  const world = hosted();
  const session = await sent(world, 1);
  world.advance(60_000);
  const { captchaToken, deviceToken, deviceId } = requestOf(1);
  const again = { session, phone: undefined, region: undefined, channel: "sms" as const };
  const resent = await resend(world.deps, { ...again, captchaToken, deviceToken, deviceId }, fromHosting(1));
  await world.settle();
  expect(resent.kind).toBe("sent");
  await verifyOne(world, session);
  for (const minute of [0, 1]) {
    expect((await counted(world, minute))[HOSTING]).toMatchObject({ met: 1, sent: 1, verified: 1 });
  }
});

test.each<[Fate, Counts]>([
  ["accept", { sent: 1, micros: COST_MICROS }],
  ["silent_sent", { sent: 1, micros: COST_MICROS }],
  ["refuse_number", {}],
  ["lost_sent", {}],
])("a message the provider meets with %s counts as left as it does everywhere", async (fate, left) => {
  const world = hosted();
  for (const provider of world.providers) provider.fate = () => fate;
  await ask(world, 1);
  expect(rulesIn(await counted(world))).toEqual({ [HOSTING]: { met: 1, "would:challenge": 1, ...left } });
});

test("people on their own devices met the rule, which would have changed nothing for them", async () => {
  const world = hosted();
  const numberTag = await world.deps.vault.tag("number", requestOf(1).phone);
  await marksOf(world.deps).markKnown(numberTag);
  const deviceToken = await world.deps.devices.issue({ deviceId: "own", numberTags: [numberTag] });
  const outcome = await send(world.deps, { ...requestOf(1), deviceToken }, fromHosting(1), "c1");
  await world.settle();
  if (outcome.kind !== "sent") throw new Error(outcome.kind);
  await verifyOne(world, outcome.session);
  expect(rulesIn(await counted(world))).toEqual({ [HOSTING]: { met: 1 } });
});

test("a request that another rule stopped met the rule too, decoy or not", async () => {
  for (const [decoy, kind] of [
    [false, "too_many_requests"],
    [true, "sent"],
  ]) {
    const source = { block_networks: [HOSTED] };
    const world = hosted({ record_only: ["hosting_network"], decoy }, { source });
    expect((await ask(world, 1)).kind).toBe(kind);
    expect(rulesIn(await counted(world))).toEqual({ [HOSTING]: { met: 1 } });
  }
});

test("a flow's own rules count under that flow", async () => {
  const own = { step_up: [], risk: { many_numbers: 1e6, record_only: ["hosting_network"] } };
  const world = hosted({}, { flows: { signup: own, login: { step_up: [] } } });
  await sent(world, 1);
  const login = await send(world.deps, { ...requestOf(2), flow: "login" }, fromHosting(2), "c2");
  await world.settle();
  expect(login.kind).toBe("challenge_required");
  expect(Object.keys(rulesIn(await counted(world)))).toEqual([HOSTING]);
});

test("where no recorded rule is met nothing is counted of rules, and sessions keep nothing of them", async () => {
  const counts = hosted({});
  expect((await ask(counts, 1)).kind).toBe("challenge_required");
  expect(rulesIn(await counted(counts))).toEqual({});

  const recorded = hosted();
  await send(recorded.deps, requestOf(1), callerOf(1), "c1");
  await recorded.settle();
  expect(rulesIn(await counted(recorded))).toEqual({});
  expect(recorded.stateOf("c1")?.sends[0]?.hold).not.toHaveProperty("stoppers");
});
