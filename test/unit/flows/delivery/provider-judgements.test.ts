import { describe, expect, test } from "vitest";
import type { Judgement } from "../../../../src/domain/delivery/judgement.ts";
import { resend } from "../../../../src/flows/verification/resend.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import {
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  NOON_MS,
  receiptOf,
  requestOf,
  roomyPolicy,
  type StrictProvider,
} from "../../../support/delivery-world.ts";

const IN_ORDER = { providers: ["sandbox", "sandbox_b"], pin: { IN: "sandbox" } };

function inOrder(delivery: object = {}, rest: object = {}) {
  const world = deliveryWorld({ policy: roomyPolicy({ ...IN_ORDER, ...delivery }, rest) });
  const [first, second] = world.providers as [StrictProvider, StrictProvider];
  return { world, first, second };
}

async function sendOne(world: DeliveryWorld, i = 1) {
  const answer = await send(world.deps, requestOf(i), callerOf(i), `c${i}`);
  await world.settle();
  return answer;
}

async function countsOf(world: DeliveryWorld, key: string) {
  const window = await world.deps.counters.window(Math.floor(NOON_MS / 60_000), 1);
  return window.kind === "answered" ? window.minutes[0]?.tally.get(key) : undefined;
}

describe("a provider's fraud verdict", () => {
  test("ends the message: no other route is asked, now or when it is asked for again", async () => {
    const { world, first, second } = inOrder();
    first.fate = () => "fraud";
    expect(await sendOne(world)).toMatchObject({ kind: "too_many_requests" });
    for (let i = 0; i < 20; i++) expect(await sendOne(world)).toMatchObject({ kind: "too_many_requests" });
    expect(first.asked).toHaveLength(1);
    expect(second.asked).toEqual([]);
    world.advance(3600_000);
    await sendOne(world);
    expect(first.asked, "it may have been an error of the vendor's").toHaveLength(2);
  });

  test("keeps its room, and counts against the number's range", async () => {
    const { world, first } = inOrder();
    first.fate = () => "fraud";
    await sendOne(world);
    expect(world.released.size).toBe(0);
    const range = requestOf(1).phone.slice(0, -4);
    expect(await countsOf(world, `block ${range}`)).toMatchObject({ fraud: 1 });
    expect(await countsOf(world, "country IN")).toMatchObject({ fraud: 1 });
  });

  test("in a receipt does the same, and sends nothing again", async () => {
    const { world, first, second } = inOrder({ resend_undelivered: true });
    await sendOne(world);
    await world.hook("sandbox", [
      receiptOf("sandbox-1", "undelivered", { errorCode: "30450", judgement: "fraud" }),
    ]);
    expect(world.outbox).toEqual([]);
    expect(await countsOf(world, "country IN")).toMatchObject({ fraud: 1, undelivered: 1 });
    world.advance(600_000);
    expect(await sendOne(world)).toMatchObject({ kind: "too_many_requests" });
    expect([...first.asked, ...second.asked]).toHaveLength(1);
  });
});

describe("a number that is refused for good", () => {
  test.each([
    { fate: "refuse_number", code: "number_unreachable", days: 7 },
    { fate: "opt_out", code: "number_opted_out", days: 30 },
  ] as const)("by $fate is answered $code, and 20 repetitions ask nobody", async ({ fate, code, days }) => {
    const { world, first, second } = inOrder({ channels: ["sms", "whatsapp"] });
    first.fate = () => fate;
    for (let i = 0; i < 21; i++) {
      expect(await sendOne(world)).toMatchObject({ kind: code, channels: ["whatsapp"] });
    }
    expect(first.asked).toHaveLength(1);
    expect(second.asked).toEqual([]);
    expect([...world.released.values()], "nothing left, so that nothing is kept").toEqual([1]);
    world.advance(days * 86_400_000);
    await sendOne(world);
    expect(first.asked).toHaveLength(2);
  });

  test("is refused by this channel alone", async () => {
    const captcha = { hostnames: ["here"], site_key: "key", demand: { channels: [] } };
    const { world, first } = inOrder({ channels: ["sms", "voice"], voice_after_messages: 0 }, { captcha });
    first.fate = ({ channel }) => (channel === "sms" ? "refuse_number" : "accept");
    expect(await sendOne(world)).toMatchObject({ kind: "number_unreachable", channels: ["voice"] });
    const call = { ...requestOf(1), channel: "voice" as const };
    expect((await send(world.deps, call, callerOf(1), "c2")).kind).toBe("sent");
  });

  test("by a receipt is not sent to again", async () => {
    const { world, first } = inOrder();
    await sendOne(world);
    await world.hook("sandbox", [
      receiptOf("sandbox-1", "undelivered", { errorCode: "30005", judgement: "not_this_number" }),
    ]);
    world.advance(600_000);
    expect(await sendOne(world)).toMatchObject({ kind: "number_unreachable" });
    expect(first.asked).toHaveLength(1);
  });

  test("STOP keeps it, START lifts it, and neither touches another channel", async () => {
    const { world, first } = inOrder();
    const says = (optedIn: boolean, channel: "sms" | "whatsapp") => {
      first.readReceipt = async () => ({ kind: "consent", from: requestOf(1).phone, channel, optedIn });
      return world.hook("sandbox", []);
    };
    expect(await says(false, "sms")).toBe("taken");
    expect(await sendOne(world)).toMatchObject({ kind: "number_opted_out" });
    expect(first.asked).toEqual([]);
    await says(true, "whatsapp");
    expect(await sendOne(world)).toMatchObject({ kind: "number_opted_out" });
    await says(true, "sms");
    expect((await sendOne(world)).kind).toBe("sent");
  });

  test("is not remembered where policy says so", async () => {
    const { world, first } = inOrder({ refused_numbers: { unreachable_seconds: 0 } });
    first.fate = () => "refuse_number";
    for (let i = 0; i < 3; i++) await sendOne(world);
    expect(first.asked).toHaveLength(3);
  });
});

describe("what comes back after refusals", () => {
  test("has a bound for each provider and country in a minute, and people are told once", async () => {
    const { world, first, second } = inOrder({ refunds_per_minute: 3 });
    first.fate = () => "refuse";
    second.fate = () => "refuse";
    const raised: string[] = [];
    world.deps.alerts = {
      raise: async (alerts) => void raised.push(...alerts.map(({ alert }) => alert.dedupKey)),
    };
    for (let i = 0; i < 8; i++) expect((await sendOne(world, i)).kind).toBe("delivery_failed");
    expect(world.released.size).toBe(3);
    expect(raised).toHaveLength(1);
    expect(world.facts.filter(({ fact }) => fact === "refund_withheld")).toHaveLength(5);
    world.advance(60_000);
    await sendOne(world, 9);
    expect(world.released.size, "the next minute has its own").toBe(4);
  });
});

describe("an undelivered message", () => {
  test.each<{ judgement: Judgement | undefined; errorCode: string | null; again: number }>([
    { judgement: "transient", errorCode: "30003", again: 1 },
    { judgement: "unknown", errorCode: "30008", again: 1 },
    { judgement: "fraud", errorCode: "30450", again: 0 },
    { judgement: "fraud", errorCode: "30453", again: 0 },
    { judgement: "not_this_number", errorCode: "30005", again: 0 },
    { judgement: "not_this_number", errorCode: "30006", again: 0 },
    { judgement: "opted_out", errorCode: "21610", again: 0 },
    { judgement: "not_this_route", errorCode: "30007", again: 0 },
    { judgement: undefined, errorCode: null, again: 1 },
    { judgement: undefined, errorCode: "98765", again: 0 },
  ])("for $errorCode ($judgement) goes out again $again times", async ({ judgement, errorCode, again }) => {
    const { world } = inOrder({ resend_undelivered: true });
    await sendOne(world);
    await world.hook("sandbox", [receiptOf("sandbox-1", "undelivered", { errorCode, judgement })]);
    expect(world.outbox.filter(({ kind }) => kind === "resend")).toHaveLength(again);
  });

  test("that was sent again by itself is not sent a third time", async () => {
    const { world, second } = inOrder({ resend_undelivered: true });
    const sent = await sendOne(world);
    if (sent.kind !== "sent") throw new Error(sent.kind);
    await world.hook("sandbox", [receiptOf("sandbox-1", "undelivered")]);
    world.advance(60_000);
    const { captchaToken, deviceToken, deviceId } = requestOf(1);
    const input = { session: sent.session, phone: undefined, region: undefined, channel: "sms" as const };
    await resend(
      world.deps,
      { ...input, captchaToken, deviceToken, deviceId, isAutomatic: true },
      callerOf(1),
    );
    await world.settle();
    expect(second.taken).toHaveLength(1);
    await world.hook("sandbox_b", [receiptOf("sandbox_b-1", "undelivered")]);
    expect(world.outbox.filter(({ kind }) => kind === "resend")).toHaveLength(1);
  });
});

describe("receipts", () => {
  test("a message whose answer was lost is found by the reference it was sent with", async () => {
    const { world, first } = inOrder();
    first.fate = () => "silent_sent";
    await sendOne(world);
    expect(world.stateOf("c1")?.sends[0]?.status).toBe("unknown");
    await world.hook("sandbox", [receiptOf("sandbox-1", "delivered", { reference: "c1" })]);
    expect(world.stateOf("c1")?.sends[0]).toMatchObject({ status: "delivered", messageId: "sandbox-1" });
    await world.hook("sandbox_b", [receiptOf("x", "undelivered", { reference: "c1" })]);
    expect(world.stateOf("c1")?.sends[0]?.status).toBe("delivered");
  });

  test("a text of two parts is delivered, and recorded as such, when both are", async () => {
    const { world, first } = inOrder();
    const { send: one } = first;
    first.send = async (message) => {
      const result = await one.call(first, message);
      return result.kind === "accepted" ? { ...result, otherPartIds: ["part-2"] } : result;
    };
    await sendOne(world);
    await world.hook("sandbox", [receiptOf("part-2", "delivered")]);
    expect(world.stateOf("c1")?.sends[0]?.status).toBe("accepted");
    expect((await countsOf(world, "overall all"))?.delivered ?? 0).toBe(0);
    await world.hook("sandbox", [receiptOf("sandbox-1", "delivered")]);
    expect(world.stateOf("c1")?.sends[0]?.status).toBe("delivered");
    expect(await countsOf(world, "overall all")).toMatchObject({ delivered: 1 });
  });
});
