import { describe, expect, test } from "vitest";
import { readOutboxMessage } from "../../../../src/adapters/cloudflare/queue-outbox.ts";
import { readRefusal } from "../../../../src/adapters/providers/provider-http.ts";
import { type Level, UNIT_HUNDREDTHS } from "../../../../src/domain/admission/exposure.ts";
import type { Channel } from "../../../../src/domain/kernel/channel.ts";
import type { LedgerEvent } from "../../../../src/domain/ledger/event.ts";
import type { EffectiveBan } from "../../../../src/domain/monitor/ban.ts";
import { consumeOutbox } from "../../../../src/flows/consumers/consume-outbox.ts";
import { readSessionStatus } from "../../../../src/flows/verification/read-session-status.ts";
import { resend } from "../../../../src/flows/verification/resend.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { verify } from "../../../../src/flows/verification/verify.ts";
import {
  COST_MICROS,
  callerOf,
  type DeliveryWorld,
  deliveryWorld,
  NOON_MS,
  receiptOf,
  requestOf,
  roomyPolicy,
  type StrictProvider,
} from "../../../support/delivery-world.ts";
import { marksOf } from "../../../support/store-parts.ts";

const IN_ORDER = { providers: ["sandbox", "sandbox_b"], pin: { IN: "sandbox" }, channels: ["sms", "voice"] };
const CODE = "000000";
/** Voice without its challenge, which is not what is looked at here. */
const NO_DEMAND = { captcha: { hostnames: ["here"], site_key: "key", demand: { channels: [] } } };

function inOrder(delivery: object = {}, rest: object = {}) {
  const world = deliveryWorld({ policy: roomyPolicy({ ...IN_ORDER, ...delivery }, rest) });
  const [first, second] = world.providers as [StrictProvider, StrictProvider];
  return { world, first, second };
}

async function sendOne(world: DeliveryWorld, i = 1) {
  const outcome = await send(world.deps, requestOf(i), callerOf(i), `c${i}`);
  await world.settle();
  return outcome;
}

/** A send from the device that verified the number before. */
async function sendFromOwnDevice(world: DeliveryWorld, i: number) {
  const numberTag = await world.deps.vault.tag("number", requestOf(i).phone);
  await marksOf(world.deps).markKnown(numberTag);
  const deviceToken = await world.deps.devices.issue({ deviceId: `device ${i}`, numberTags: [numberTag] });
  const outcome = await send(world.deps, { ...requestOf(i), deviceToken }, callerOf(i), `c${i}`);
  await world.settle();
  return outcome;
}

async function sentOne(world: DeliveryWorld, i = 1) {
  const outcome = await sendOne(world, i);
  if (outcome.kind !== "sent") throw new Error(outcome.kind);
  return outcome;
}

async function resendOne(world: DeliveryWorld, session: string, channel: Channel = "sms") {
  const { captchaToken, deviceToken, deviceId } = requestOf(1);
  const request = { session, phone: undefined, region: undefined, channel };
  const outcome = await resend(world.deps, { ...request, captchaToken, deviceToken, deviceId }, callerOf(1));
  await world.settle();
  return outcome;
}

async function verifyOne(world: DeliveryWorld, session: string) {
  const outcome = await verify(world.deps, { session, code: CODE, reference: undefined }, callerOf(1));
  await world.settle();
  return outcome;
}

async function countsOf(world: DeliveryWorld, key: string, afterMinutes = 0) {
  const window = await world.deps.counters.window(Math.floor(NOON_MS / 60_000) + afterMinutes, 1);
  return window.kind === "answered" ? window.minutes[0]?.tally.get(key) : undefined;
}

async function spentMicros(world: DeliveryWorld) {
  const day = { scope: "spend:all", period: "day" as const, amount: 0, cap: 0, lifted: true };
  const read = await world.deps.budgets.read([], [day]);
  return read.kind === "answered" ? read.totals[0] : undefined;
}

describe("a session object that is away when the provider has answered", () => {
  const away = (world: DeliveryWorld) => {
    const { sessions } = world.deps;
    world.deps.sessions = {
      ...sessions,
      settle: async () => {
        throw new Error("Durable Object reset because its code was updated");
      },
    };
    return () => {
      world.deps.sessions = sessions;
    };
  };

  test("costs neither the person the session nor the books the message", async () => {
    const { world } = inOrder();
    const comeBack = away(world);
    const outcome = await sendOne(world);
    comeBack();
    expect(outcome.kind).toBe("sent");
    expect(await countsOf(world, "overall all")).toMatchObject({ sent: 1 });
    await world.hook("sandbox", [receiptOf("sandbox-1", "delivered")]);
    expect(world.stateOf("c1")?.sends[0]?.status).toBe("delivered");
    if (outcome.kind === "sent") expect((await verifyOne(world, outcome.session)).kind).toBe("verified");
  });

  test("does not keep what a refused message took", async () => {
    const { world, first, second } = inOrder();
    first.fate = () => "refuse";
    second.fate = () => "refuse";
    away(world);
    expect((await sendOne(world)).kind).toBe("delivery_failed");
    expect([...world.released.values()]).toEqual([1]);
  });
});

describe("behind the answer", () => {
  test("a message whose receipts nobody will find is in the log", async () => {
    const { world } = inOrder();
    world.deps.receipts = {
      ...world.deps.receipts,
      bind: async () => ({ kind: "unavailable", cause: "silent" }),
    };
    await sendOne(world);
    expect(world.facts).toContainEqual({
      fact: "receipts_not_expected",
      evidence: { correlation_id: "c1", provider: "sandbox", cause: "silent" },
    });
  });

  test("a question to a provider that the queue does not take is in the log", async () => {
    const { world, first } = inOrder();
    first.poll = async () => null;
    world.deps.outbox = { put: async () => ({ kind: "unavailable", cause: "down" }) };
    await sendOne(world);
    expect(world.facts.map(({ fact }) => fact)).toContain("poll_not_queued");
  });

  test("receipts that cannot be counted are taken all the same, and those after them", async () => {
    const { world } = inOrder();
    await sendOne(world, 1);
    await sendOne(world, 2);
    world.deps.counters = {
      ...world.deps.counters,
      count: async () => {
        throw new Error("silent");
      },
    };
    const both = [receiptOf("sandbox-1", "delivered"), receiptOf("sandbox-2", "delivered")];
    expect(await world.hook("sandbox", both)).toBe("taken");
    expect(["c1", "c2"].map((id) => world.stateOf(id)?.sends[0]?.status)).toEqual(["delivered", "delivered"]);
  });

  test("one piece of work that breaks leaves the rest of its batch alone", async () => {
    const { world, first } = inOrder();
    const work = (messageId: string) =>
      ({
        kind: "feedback",
        provider: "sandbox",
        messageId,
        channel: "sms",
        verified: true,
        atMs: 0,
      }) as const;
    first.feedback = async (messageId) => {
      if (messageId === "broken") throw new Error("a fault of ours");
      return { kind: "told" };
    };
    const fates: string[] = [];
    const messages = [work("broken"), work("good")].map((body) => ({
      id: body.messageId,
      body,
      attempts: 1,
      ack: () => fates.push(`${body.messageId} done`),
      retry: () => fates.push(`${body.messageId} again`),
    }));
    const deps = {
      ...world.deps,
      alertChannels: [],
      alertQueue: { read: () => null },
      readForProvider: readOutboxMessage,
    };
    await consumeOutbox(deps, messages);
    expect(fates.sort()).toEqual(["broken again", "good done"]);
  });

  test("feedback that the queue does not take is in the log", async () => {
    const { world } = inOrder();
    world.deps.outbox = { put: async () => ({ kind: "unavailable", cause: "down" }) };
    const before = world.facts.length;
    const { session } = await sentOne(world);
    await verifyOne(world, session);
    expect(world.facts.slice(before).map(({ fact }) => fact)).toContain("feedback_not_queued");
  });
});

describe("a person who waits for a code", () => {
  test("gets the next message by another route than the one that lost the last", async () => {
    const { world, first, second } = inOrder();
    const { session } = await sentOne(world);
    await world.hook("sandbox", [receiptOf("sandbox-1", "undelivered")]);
    world.advance(60_000);
    expect((await resendOne(world, session)).kind).toBe("sent");
    expect([first.taken.length, second.taken.length]).toEqual([1, 1]);
    world.advance(120_000);
    expect((await resendOne(world, session)).kind, "and by the first again where both were tried").toBe(
      "sent",
    );
    expect([first.taken.length, second.taken.length]).toEqual([2, 1]);
  });

  test("does not get it by a route that rests, which would lose it too", async () => {
    const { world, first, second } = inOrder({ rest: { after_failures: 1, seconds: [600] } });
    const { session } = await sentOne(world);
    world.deps.routes.heard("sandbox_b/sms/IN", true);
    world.advance(60_000);
    expect((await resendOne(world, session)).kind).toBe("sent");
    expect([first.taken.length, second.taken.length]).toEqual([2, 0]);
  });

  const shippedLimits = {
    limits: {
      service_per_minute: 1e6,
      ip: [{ max: 1e6, window_seconds: 3600 }],
      numbers_per_ip: [{ max: 1e6, window_seconds: 3600 }],
    },
  };

  test("may call when next_channels says so, under the shipped limits", async () => {
    const { world } = inOrder({}, { ...shippedLimits, ...NO_DEMAND });
    const { session } = await sentOne(world);
    for (const wait of [60, 120]) {
      world.advance(wait * 1000);
      expect((await resendOne(world, session)).kind).toBe("sent");
    }
    world.advance(240_000);
    expect(await resendOne(world, session, "voice")).toMatchObject({ kind: "sent" });
  });

  test("may ask when it is told to after an undelivered receipt, under the shipped limits", async () => {
    const { world } = inOrder({}, shippedLimits);
    const { session } = await sentOne(world);
    world.advance(60_000);
    expect(await resendOne(world, session)).toMatchObject({ kind: "sent", resendInSeconds: 120 });
    await world.hook("sandbox_b", [receiptOf("sandbox_b-1", "undelivered")]);
    world.advance(5000);
    const told = await readSessionStatus(world.deps, session);
    expect(told).toMatchObject({ delivery: "undelivered", resendInSeconds: 55 });
    world.advance(55_000);
    expect(await resendOne(world, session)).toMatchObject({ kind: "sent" });
  });
});

describe("the proof", () => {
  test.each([
    { fate: "refuse_number", receipt: null },
    { fate: "accept", receipt: "undelivered" },
  ] as const)(
    "names the message that came, and not the call that did not ($fate)",
    async ({ fate, receipt }) => {
      const { world, second } = inOrder({ voice_after_messages: 1 }, NO_DEMAND);
      const channels: Channel[] = [];
      world.deps.proofs = {
        ...world.deps.proofs,
        sign: async ({ channel }) => {
          channels.push(channel);
          return "proof";
        },
      };
      const { session } = await sentOne(world);
      world.advance(60_000);
      second.fate = () => fate;
      await resendOne(world, session, "voice");
      if (receipt !== null) await world.hook("sandbox_b", [receiptOf("sandbox_b-1", receipt)]);
      expect((await verifyOne(world, session)).kind).toBe("verified");
      expect(channels).toEqual(["sms"]);
    },
  );
});

describe("a pump's owner, who has the receipts of the own numbers", () => {
  test("cannot bring a call nearer with them", async () => {
    const { world, first, second } = inOrder({}, NO_DEMAND);
    const { session } = await sentOne(world);
    for (let i = 1; i <= 3; i++) {
      const last = world.stateOf("c1")?.sends.at(-1);
      await world.hook(last?.provider ?? "", [receiptOf(last?.messageId ?? "", "undelivered")]);
      world.advance(60_000);
      expect((await resendOne(world, session, i === 3 ? "voice" : "sms")).kind).toBe(
        i === 3 ? "too_many_requests" : "sent",
      );
    }
    world.advance(239_000);
    expect((await resendOne(world, session, "voice")).kind).toBe("too_many_requests");
    expect([...first.taken, ...second.taken].map(({ message }) => message.channel)).not.toContain("voice");
    world.advance(1000);
    expect((await resendOne(world, session, "voice")).kind, "after the waits of three messages").toBe("sent");
  });

  test("earns a destination no more than one answer's room with one answer", async () => {
    const { world } = inOrder();
    const { session } = await sentOne(world);
    for (const wait of [60, 120, 240]) {
      world.advance(wait * 1000);
      await resendOne(world, session);
    }
    expect((await verifyOne(world, session)).kind).toBe("verified");
    expect(world.credited.size).toBe(1);
    expect(world.granted.size).toBe(4);
    const key = "stranger:block:+91981000";
    const level = { key, windowSeconds: 86_400 } as Level;
    const read = await world.deps.budgets.read([level], []);
    if (read.kind !== "answered") throw new Error(read.cause);
    expect(read.readings[0]).toMatchObject({
      unverified: 0,
      verified: UNIT_HUNDREDTHS,
      messages: 4,
      earned: 1,
    });
  });
});

describe("the books", () => {
  const dearer = (world: DeliveryWorld) => {
    world.deps.prices = world.deps.prices.map((row) =>
      row.provider === "sandbox_b" ? { ...row, message_micros: 4 * COST_MICROS } : row,
    );
  };

  test("a message costs what its route costs, though a dearer one stood by", async () => {
    const { world } = inOrder();
    dearer(world);
    await sendOne(world);
    expect(await spentMicros(world)).toBe(COST_MICROS);
  });

  test("a text of two segments is billed as two", async () => {
    const { world, first } = inOrder({}, { message: { brand: "Tests", warn_line: true } });
    await send(world.deps, { ...requestOf(1), locale: "hi" }, callerOf(1), "c1");
    await world.settle();
    expect(first.taken[0]?.message.body.length).toBeGreaterThan(70);
    expect(await spentMicros(world)).toBe(2 * COST_MICROS);
  });

  test("an answer is not booked to the route whose message came back", async () => {
    const { world, second } = inOrder();
    const { session } = await sentOne(world);
    await world.hook("sandbox", [receiptOf("sandbox-1", "undelivered")]);
    world.deps.policy = roomyPolicy({ ...IN_ORDER, pin: { IN: "sandbox_b" } });
    world.advance(60_000);
    await resendOne(world, session);
    expect(second.taken).toHaveLength(1);
    await verifyOne(world, session);
    expect(await countsOf(world, "route sandbox_b/sms/IN", 1)).toMatchObject({ verified: 1 });
    expect((await countsOf(world, "route sandbox/sms/IN"))?.verified ?? 0).toBe(0);
    const heard = world.outbox.map((work) => work.kind === "feedback" && [work.provider, work.verified]);
    expect(heard).toEqual([
      ["sandbox_b", true],
      ["sandbox", false],
    ]);
  });

  test("a message that was lost may have left, and the ledger has it as sent", async () => {
    const { world, first } = inOrder();
    first.fate = () => "lost_sent";
    const told: LedgerEvent[] = [];
    world.deps.events = { ...world.deps.events, put: async (events) => void told.push(...events) };
    expect((await sendOne(world)).kind).toBe("delivery_failed");
    expect(told.map(({ kind, receipt }) => [kind, receipt])).toEqual([
      ["requested", null],
      ["sent", "unknown"],
    ]);
  });

  test("a gateway's 502 may have left, like its 504", () => {
    expect(readRefusal(504, null).kind).toBe("unknown");
    expect(readRefusal(502, null).kind).toBe("unknown");
  });
});

/** A world in which these blocks are in force, and who sends with a token has solved it just now. */
function underBlocks(...said: Pick<EffectiveBan, "by" | "effect">[]) {
  const captcha = { hostnames: ["here"], site_key: "key", fresh_site_key: "fresh" };
  const { world } = inOrder({}, { captcha });
  world.deps.challenge = {
    verify: async () => ({ kind: "passed", solvedAtMs: null, grade: "fresh" }),
  };
  const range = { kind: "range" as const, subject: "+9198", sinceMs: NOON_MS, untilMs: NOON_MS + 3_600_000 };
  const blocks = said.map((block) => ({ ...range, why: "silent", times: 1, ...block }));
  world.deps.control = {
    ...world.deps.control,
    read: async () => ({ document: null, blocks, routes: [], pauses: [] }),
  };
  const sendFresh = async (i: number) => {
    const request = { ...requestOf(i), captchaToken: "solved" };
    const outcome = await send(world.deps, request, callerOf(i), `c${i}`);
    await world.settle();
    return outcome;
  };
  return { world, sendFresh };
}

describe("what people challenge", () => {
  const CHALLENGED = { by: "ada", effect: "challenge" } as const;

  test("lets every stranger through who solves one, and no other; nothing of that is a probe", async () => {
    const { world, sendFresh } = underBlocks(CHALLENGED);
    expect((await sendOne(world, 1)).kind).toBe("challenge_required");
    for (const i of [2, 3]) {
      const outcome = await sendFresh(i);
      if (outcome.kind !== "sent") throw new Error(outcome.kind);
      await verifyOne(world, outcome.session);
    }
    expect(await countsOf(world, "block +9198")).toBeUndefined();
  });

  test("lets people through without on the device that verified their number", async () => {
    const { world } = underBlocks(CHALLENGED);
    expect((await sendFromOwnDevice(world, 1)).kind).toBe("sent");
  });

  test("is asked of whoever names a known number, and lacks its device", async () => {
    const { world } = underBlocks(CHALLENGED);
    await marksOf(world.deps).markKnown(await world.deps.vault.tag("number", requestOf(1).phone));
    expect((await sendOne(world, 1)).kind).toBe("challenge_required");
  });

  test("stays shut where the watch shut it, but for a probe, and where people shut it, without", async () => {
    const byWatch = underBlocks(CHALLENGED, { by: "cron", effect: "stop" });
    expect((await byWatch.sendFresh(1)).kind).toBe("sent");
    expect((await byWatch.sendFresh(2)).kind).toBe("step_up_required");
    const byPeople = underBlocks(CHALLENGED, { by: "cron", effect: "stop" }, { by: "bob", effect: "stop" });
    expect((await byPeople.sendFresh(1)).kind).toBe("step_up_required");
  });

  test("is asked of a server that may skip the CAPTCHA too, like a source on the policy's list", async () => {
    const { world } = underBlocks(CHALLENGED);
    const server = { keyId: "shop", flows: ["*"], skipCaptcha: true, maxPerMinute: 60 };
    const outcome = await send(world.deps, requestOf(1), { ...callerOf(1), server }, "c1");
    expect(outcome).toMatchObject({ kind: "challenge_required", fresh: true });
  });
});

describe("a block's probe", () => {
  test("is not used up by people on their own devices, who pass without one", async () => {
    const { world, sendFresh } = underBlocks({ by: "cron", effect: "stop" });
    const known = await sendFromOwnDevice(world, 1);
    if (known.kind !== "sent") throw new Error(known.kind);
    const probe = await sendFresh(2);
    if (probe.kind !== "sent") throw new Error(probe.kind);
    expect((await sendFresh(3)).kind, "one stranger is enough").toBe("step_up_required");
    const answers = async () => (await countsOf(world, "block +9198"))?.probe_verified;
    await verifyOne(world, known.session);
    expect(await answers(), "an answer of theirs says nothing of strangers").toBeUndefined();
    await verifyOne(world, probe.session);
    expect(await answers()).toBe(1);
  });
});

describe("a drained provider", () => {
  test.each([
    { rests: false, asked: 0 },
    { rests: true, asked: 1 },
  ])("gets what the other one refuses $asked times, where that rests: $rests", async ({ rests, asked }) => {
    const { world, first, second } = inOrder({
      drain: ["sandbox_b"],
      rest: { after_failures: 1, seconds: [600] },
    });
    if (rests) world.deps.routes.heard("sandbox/sms/IN", true);
    first.fate = () => "refuse";
    await sendOne(world);
    expect(second.asked).toHaveLength(asked);
  });
});
