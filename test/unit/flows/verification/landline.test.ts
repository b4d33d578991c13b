import { expect, test } from "vitest";
import type { NumberInsight } from "../../../../src/domain/admission/insight.ts";
import type { Channel } from "../../../../src/domain/kernel/channel.ts";
import { HOUR_MS } from "../../../../src/domain/kernel/time.ts";
import type { MergedControl } from "../../../../src/domain/monitor/effective-control.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import type { LookupPort } from "../../../../src/ports/people.ts";
import { callerOf, deliveryWorld, NOON_MS, requestOf, roomyPolicy } from "../../../support/delivery-world.ts";

const NOTHING: NumberInsight = {
  lineType: null,
  reachable: null,
  ported: null,
  roaming: null,
  pumpingRisk: null,
  simSwappedHoursAgo: null,
  costMicros: null,
};

const ELEVATED: NonNullable<MergedControl["document"]> = {
  posture: "elevated",
  since_ms: NOON_MS,
  until_ms: NOON_MS + HOUR_MS,
  by: "operator",
  why: "tests",
  healthy_since_ms: null,
};

/** Where a source answers so of every number, and its answer is worth its price for every stranger. */
function worldWhere(lineType: NumberInsight["lineType"], risk: object = {}) {
  const policy = roomyPolicy(
    { channels: ["sms", "voice"], voice_after_messages: 3 },
    {
      captcha: { hostnames: ["here"], site_key: "key", demand: { channels: [] } },
      lookup: { provider: "twilio" },
      postures: { elevated: { challenge: "as_usual" } },
      risk,
    },
  );
  const world = deliveryWorld({ policy });
  const asked: string[] = [];
  const lookup: LookupPort = {
    name: "twilio",
    async lookup(e164) {
      asked.push(e164);
      return { kind: "answered", ...NOTHING, lineType };
    },
  };
  const control = {
    ...world.deps.control,
    read: async () => ({ ...(await world.deps.control.read()), document: ELEVATED }),
  };
  const deps = { ...world.deps, lookup, control };
  return {
    asked,
    sent: () => world.providers.reduce((sum, { taken }) => sum + taken.length, 0),
    stateOf: world.stateOf,
    async ask(channel: Channel) {
      const answer = await send(deps, { ...requestOf(1), channel }, callerOf(1), `by ${channel}`);
      await world.settle();
      return answer;
    },
  };
}

test("a landline that a lookup finds is not texted, is told why, and may then be called", async () => {
  const world = worldWhere("fixed_line");
  expect(await world.ask("sms")).toMatchObject({ kind: "number_type_refused", numberType: "fixed_line" });
  expect(world.sent()).toBe(0);
  expect(await world.ask("voice")).toMatchObject({ kind: "sent", channel: "voice" });
  expect(world.sent()).toBe(1);
  expect(world.asked).toHaveLength(1);
  // Its session goes on as a landline's: by calls alone.
  expect(world.stateOf("by voice")?.landline).toBe(true);
});

test("where policy answers suspicion with decoys, whoever gave a landline is told so all the same", async () => {
  const world = worldWhere("fixed_line", { decoy: true });
  expect(await world.ask("sms")).toMatchObject({ kind: "number_type_refused" });
});

test("a mobile number, and one that nobody was asked about, get no call before a text", async () => {
  const world = worldWhere("mobile");
  const early = { kind: "invalid_request", errors: [{ field: "channel" }] };
  expect(await world.ask("voice")).toMatchObject(early);
  expect(world.asked).toEqual([]);
  expect(await world.ask("sms")).toMatchObject({ kind: "sent" });
  expect(await world.ask("voice")).toMatchObject(early);
  expect(world.sent()).toBe(1);
});

test("a type that policy refuses is refused by every channel, and looks like an ordinary limit", async () => {
  const world = worldWhere("voip");
  expect(await world.ask("sms")).toMatchObject({ kind: "too_many_requests" });
  expect(await world.ask("voice")).toMatchObject({ kind: "invalid_request" });
  expect(world.sent()).toBe(0);
});
