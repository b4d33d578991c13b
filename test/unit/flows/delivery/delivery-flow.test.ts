import fc from "fast-check";
import { describe, expect, test } from "vitest";
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
  receiptOf,
  requestOf,
  roomyPolicy,
  type StrictProvider,
} from "../../../support/delivery-world.ts";

/** Two routes in this order, whatever chance says. */
const IN_ORDER = { providers: ["sandbox", "sandbox_b"], pin: { IN: "sandbox" } };

const sendOne = async (world: DeliveryWorld, i = 1) => {
  const outcome = await send(world.deps, requestOf(i), callerOf(i), `c${i}`);
  await world.settle();
  return outcome;
};

const resendOne = (world: DeliveryWorld, session: string, i = 1) => {
  const { captchaToken, deviceToken, deviceId } = requestOf(i);
  const request = { session, phone: undefined, region: undefined, channel: "sms" as const };
  return resend(world.deps, { ...request, captchaToken, deviceToken, deviceId }, callerOf(i));
};

function inOrder(fates: readonly [Fate, Fate], delivery: object = {}) {
  const world = deliveryWorld({ policy: roomyPolicy({ ...IN_ORDER, ...delivery }) });
  const [first, second] = world.providers as [StrictProvider, StrictProvider];
  first.fate = () => fates[0];
  second.fate = () => fates[1];
  return { world, first, second };
}

async function spentMicros(world: DeliveryWorld): Promise<number> {
  const day = { scope: "spend:all", period: "day" as const, amount: 0, cap: 0, lifted: true };
  const read = await world.deps.budgets.read([], [day]);
  return read.kind === "answered" ? (read.totals[0] ?? 0) : Number.NaN;
}

/** What the first minute counted of a subject. */
async function countsOf(world: DeliveryWorld, key: string) {
  const window = await world.deps.counters.window(Math.floor(NOON_MS / 60_000), 1);
  return window.kind === "answered" ? window.minutes[0]?.tally.get(key) : undefined;
}

describe("failover", () => {
  test.each([
    { fates: ["accept", "accept"], outcome: "sent", status: "accepted", asked: [1, 0] },
    { fates: ["refuse", "accept"], outcome: "sent", status: "accepted", asked: [1, 1] },
    { fates: ["refuse", "refuse"], outcome: "delivery_failed", status: "refused", asked: [1, 1] },
    { fates: ["refuse", "refuse_number"], outcome: "number_unreachable", status: "refused", asked: [1, 1] },
    { fates: ["refuse", "silent"], outcome: "sent", status: "unknown", asked: [1, 1] },
    { fates: ["refuse_number", "accept"], outcome: "number_unreachable", status: "refused", asked: [1, 0] },
    { fates: ["silent", "accept"], outcome: "sent", status: "unknown", asked: [1, 0] },
    { fates: ["silent_sent", "accept"], outcome: "sent", status: "unknown", asked: [1, 0] },
    { fates: ["lost", "accept"], outcome: "delivery_failed", status: "unknown", asked: [1, 0] },
    { fates: ["lost_sent", "accept"], outcome: "delivery_failed", status: "unknown", asked: [1, 0] },
  ] as const)("$fates: $outcome, and the message is $status", async (row) => {
    const { world, first, second } = inOrder(row.fates);
    expect((await sendOne(world)).kind).toBe(row.outcome);
    expect(world.stateOf("c1")?.sends.map(({ status }) => status)).toEqual([row.status]);
    expect([first.asked.length, second.asked.length]).toEqual(row.asked);
  });

  test("the provider that took it is the one that is remembered", async () => {
    const { world } = inOrder(["refuse", "accept"]);
    await sendOne(world);
    expect(world.stateOf("c1")?.sends[0]).toMatchObject({ provider: "sandbox_b", messageId: "sandbox_b-1" });
  });

  test.each([
    { tookMs: 4000, asked: 1 },
    { tookMs: 4001, asked: 0 },
    { tookMs: 7999, asked: 0 },
  ])(
    "a route that refuses after $tookMs ms of 8000 leaves time for $asked more",
    async ({ tookMs, asked }) => {
      const { world, first, second } = inOrder(["refuse", "accept"], { timeout_ms: 8000 });
      first.fate = () => {
        world.advance(tookMs);
        return "refuse";
      };
      const outcome = await sendOne(world);
      expect(second.asked).toHaveLength(asked);
      expect(outcome.kind).toBe(asked === 1 ? "sent" : "delivery_failed");
    },
  );

  test("no more than three routes are tried for one message", async () => {
    const providers = ["sandbox", "sandbox_b", "sandbox_c", "webhook"];
    const world = deliveryWorld({ policy: roomyPolicy({ providers }) });
    for (const provider of world.providers) provider.fate = () => "refuse";
    expect((await sendOne(world)).kind).toBe("delivery_failed");
    expect(world.providers.reduce((sum, { asked }) => sum + asked.length, 0)).toBe(3);
  });

  test("a route that keeps failing rests, and the next messages begin with the other one", async () => {
    const { world, first, second } = inOrder(["refuse", "accept"]);
    for (let i = 1; i <= 10; i++) await sendOne(world, i);
    expect([first.asked.length, second.asked.length]).toEqual([3, 10]);
    world.advance(30_000);
    first.fate = () => "accept";
    await sendOne(world, 11);
    expect([first.taken.length, second.taken.length], "it is found again after its rest").toEqual([1, 10]);
  });

  test("numbers that a provider does not know are not the route's failure", async () => {
    const { world, first } = inOrder(["refuse_number", "accept"]);
    for (let i = 1; i <= 3; i++) await sendOne(world, i);
    expect((await countsOf(world, "route sandbox/sms/IN"))?.rejected ?? 0, "nor by the watch").toBe(0);
    first.fate = () => "accept";
    await sendOne(world, 4);
    expect(first.taken, "strangers with bad numbers must not shut a route for everybody").toHaveLength(1);
  });
});

describe("a message whose fate is unknown", () => {
  test("goes out again only when the person asks for it, as a message of its own", async () => {
    const { world, first } = inOrder(["silent_sent", "accept"]);
    const sent = await sendOne(world);
    if (sent.kind !== "sent") throw new Error(sent.kind);
    expect(await resendOne(world, sent.session)).toMatchObject({ kind: "too_many_requests" });
    expect(first.taken).toHaveLength(1);
    world.advance(60_000);
    first.fate = () => "accept";
    expect((await resendOne(world, sent.session)).kind).toBe("sent");
    await world.settle();
    expect(world.stateOf("c1")?.sends.map(({ status }) => status)).toEqual(["unknown", "accepted"]);
    expect(await spentMicros(world), "both may be billed").toBe(2 * COST_MICROS);
  });

  test("keeps what it took, and gives it back with the verification", async () => {
    const { world } = inOrder(["silent_sent", "accept"]);
    const sent = await sendOne(world);
    expect(world.released.size).toBe(0);
    if (sent.kind !== "sent") throw new Error(sent.kind);
    const request = { session: sent.session, code: "000000", reference: undefined };
    expect((await verify(world.deps, request, callerOf(1))).kind).toBe("verified");
    await world.settle();
    expect(world.credited).toEqual(world.granted);
  });

  test("is not counted as refused by the provider", async () => {
    const { world } = inOrder(["silent_sent", "accept"]);
    await sendOne(world);
    const counts = await countsOf(world, "route sandbox/sms/IN");
    expect(counts).toMatchObject({ sent: 1 });
    expect(counts?.rejected ?? 0).toBe(0);
  });

  test("is counted as refused where the provider could not be reached", async () => {
    const { world } = inOrder(["lost", "accept"]);
    await sendOne(world);
    const counts = await countsOf(world, "route sandbox/sms/IN");
    expect(counts).toMatchObject({ rejected: 1 });
    expect(counts?.sent ?? 0).toBe(0);
  });
});

describe("what a message took", () => {
  test.each([
    { fates: ["refuse", "refuse"], given: 1 },
    { fates: ["refuse_number", "accept"], given: 1 },
    { fates: ["refuse", "accept"], given: 0 },
    { fates: ["accept", "accept"], given: 0 },
    { fates: ["lost", "accept"], given: 0 },
  ] as const)("is given back $given times after $fates", async ({ fates, given }) => {
    const { world } = inOrder(fates);
    await sendOne(world);
    expect([...world.released.values()]).toEqual(given === 1 ? [1] : []);
    expect(await spentMicros(world)).toBe(given === 1 ? 0 : COST_MICROS);
    expect(world.stateOf("c1")?.sends[0]?.hold === null).toBe(given === 1);
  });
});

describe("feedback", () => {
  test("a verified session's messages converted, each with the provider that took it", async () => {
    const { world } = inOrder(["refuse", "accept"]);
    const sent = await sendOne(world);
    if (sent.kind !== "sent") throw new Error(sent.kind);
    await verify(world.deps, { session: sent.session, code: "000000", reference: undefined }, callerOf(1));
    await world.settle();
    expect(world.outbox).toEqual([
      {
        kind: "feedback",
        provider: "sandbox_b",
        messageId: "sandbox_b-1",
        channel: "sms",
        verified: true,
        atMs: NOON_MS,
        correlationId: "c1",
      },
    ]);
  });
});

describe("receipts", () => {
  const statusOf = (world: DeliveryWorld) => world.stateOf("c1")?.sends[0]?.status;

  test("one that comes before the provider's answer counts as soon as there is one", async () => {
    const { world, first } = inOrder(["accept", "accept"]);
    first.beforeAnswer = async (messageId) => {
      expect(await world.hook("sandbox", [receiptOf(messageId, "delivered")])).toBe("taken");
      expect(statusOf(world)).toBe("sending");
    };
    await sendOne(world);
    expect(world.stateOf("c1")?.sends[0]).toMatchObject({
      status: "delivered",
      provider: "sandbox",
      messageId: "sandbox-1",
    });
  });

  test("a word on the way does not push out the final one that was quicker than the answer", async () => {
    const { world, first } = inOrder(["accept", "accept"]);
    first.beforeAnswer = async (messageId) => {
      await world.hook("sandbox", [receiptOf(messageId, "delivered"), receiptOf(messageId, "sent")]);
    };
    await sendOne(world);
    expect(statusOf(world)).toBe("delivered");
  });

  test("repeated ones are counted once", async () => {
    const { world } = inOrder(["accept", "accept"]);
    await sendOne(world);
    for (let i = 0; i < 3; i++) await world.hook("sandbox", [receiptOf("sandbox-1", "delivered")]);
    expect((await countsOf(world, "overall all"))?.delivered).toBe(1);
  });

  test("late ones are booked to the minute the message left in", async () => {
    const { world } = inOrder(["accept", "accept"]);
    await sendOne(world);
    world.advance(20 * 60_000);
    await world.hook("sandbox", [receiptOf("sandbox-1", "undelivered", { errorCode: "30003" })]);
    expect((await countsOf(world, "overall all"))?.undelivered).toBe(1);
    expect(world.facts.at(-1)).toMatchObject({
      fact: "message_undelivered",
      evidence: { correlation_id: "c1", error_code: "30003", after_seconds: 1200, news: true },
    });
  });

  test.each([
    ["of a message nobody sent", "sandbox", "sandbox-99", "good", "taken"],
    ["of another provider's message", "sandbox_b", "sandbox-1", "good", "taken"],
    ["without a good signature", "sandbox", "sandbox-1", "bad", "refused"],
    ["for a provider that is none", "nobody", "sandbox-1", "good", "unknown_provider"],
  ] as const)("one %s has no effect", async (_, provider, messageId, signature, outcome) => {
    const { world } = inOrder(["accept", "accept"]);
    await sendOne(world);
    expect(await world.hook(provider, [receiptOf(messageId, "delivered")], signature)).toBe(outcome);
    expect(statusOf(world)).toBe("accepted");
  });

  test("a store that is silent asks the provider to come again, and then nothing is lost", async () => {
    const { world } = inOrder(["accept", "accept"]);
    await sendOne(world);
    const { receipts } = world.deps;
    world.deps.receipts = { ...receipts, claim: async () => ({ kind: "unavailable", cause: "silent" }) };
    expect(await world.hook("sandbox", [receiptOf("sandbox-1", "delivered")])).toBe("try_again");
    world.deps.receipts = receipts;
    await world.hook("sandbox", [receiptOf("sandbox-1", "delivered")]);
    expect(statusOf(world)).toBe("delivered");
  });

  test("in whatever order and number they come, before the answer or after it, the best word stands", async () => {
    const words = fc.array(fc.constantFrom("sent" as const, "delivered" as const, "undelivered" as const), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(words, words, async (before, after) => {
        const { world, first } = inOrder(["accept", "accept"]);
        first.beforeAnswer = async (id) => {
          for (const word of before) await world.hook("sandbox", [receiptOf(id, word)]);
        };
        await sendOne(world);
        await world.hook(
          "sandbox",
          after.map((word) => receiptOf("sandbox-1", word)),
        );
        const all = [...before, ...after];
        const best = all.includes("delivered")
          ? "delivered"
          : all.includes("undelivered")
            ? "undelivered"
            : "accepted";
        expect(statusOf(world)).toBe(best);
      }),
      { numRuns: 60 },
    );
  });
});

/** How the provider in the middle ends, message by message. */
const DEATHS: Record<string, readonly Fate[]> = {
  "refuses everything": ["refuse"],
  "falls silent": ["silent"],
  "falls silent and sends all the same": ["silent_sent"],
  "loses every connection": ["lost", "lost_sent"],
  "does half of each": ["refuse", "silent", "silent_sent", "lost", "lost_sent"],
};

describe("1,000 sends at once over three providers, one of which dies in the middle", () => {
  test.each(Object.entries(DEATHS))("it %s", async (name, fates) => {
    const world = deliveryWorld({
      seed: name,
      pass: (random) => new Promise((resolve) => setTimeout(resolve, random.int(8))),
    });
    const [dying] = world.providers as [StrictProvider];
    dying.fate = () => {
      const at = dying.asked.length - 150;
      return at < 0 ? "accept" : (fates[at % fates.length] ?? "refuse");
    };
    /** Receipts come before the answer, after it, late and twice. */
    const words = new Map<string, "delivered" | "undelivered">();
    const later: (() => Promise<unknown>)[] = [];
    for (const provider of world.providers) {
      provider.beforeAnswer = async (messageId) => {
        const kind = words.size % 4;
        const word = words.size % 5 === 0 ? "undelivered" : "delivered";
        words.set(messageId, word);
        const tell = (status: "sent" | "delivered" | "undelivered") =>
          world.hook(provider.name, [receiptOf(messageId, status)]);
        if (kind === 0) await tell(word);
        if (kind === 1) later.push(() => tell("sent"));
        later.push(() => tell(word));
        if (kind === 2) later.unshift(() => tell(word));
      };
    }

    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => send(world.deps, requestOf(i), callerOf(i), `c${i}`)),
    );
    await world.settle();
    expect(dying.asked.length, "it died in the middle").toBeGreaterThan(200);

    const states = [...world.sessions.states.values()];
    expect(states).toHaveLength(1000);
    const takenBy = Map.groupBy(
      world.providers.flatMap((provider) => provider.taken),
      ({ message }) => message.correlationId,
    );
    for (const state of states) {
      const [only, ...more] = state.sends;
      const taken = takenBy.get(state.correlationId) ?? [];
      expect(more).toEqual([]);
      expect(taken.length, "no second message without a decision").toBeLessThanOrEqual(1);
      expect(["accepted", "delivered", "undelivered", "refused", "unknown"]).toContain(only?.status);
      const answered = only?.status !== "refused" && only?.status !== "unknown";
      if (answered) expect(only?.messageId).toBe(taken[0]?.messageId);
      if (only?.status === "refused") expect(taken).toEqual([]);
    }
    const kinds = new Set(outcomes.map(({ kind }) => kind));
    expect([...kinds].filter((kind) => kind !== "sent" && kind !== "delivery_failed")).toEqual([]);
    if (name === "refuses everything") expect(kinds).toEqual(new Set(["sent"]));

    world.advance(12 * 60_000);
    await Promise.all(later.map((tell) => tell()));
    for (const { sends } of world.sessions.states.values()) {
      const [only] = sends;
      const word = only?.messageId ? words.get(only.messageId) : undefined;
      if (word !== undefined) expect(only?.status, "no receipt is lost").toBe(word);
      else expect(["refused", "unknown"]).toContain(only?.status);
    }

    const refused = states.filter(({ sends }) => sends[0]?.status === "refused").length;
    expect(world.granted.size).toBe(1000);
    expect([...world.released.values()].every((times) => times === 1)).toBe(true);
    expect(world.released.size, "what was refused gave back, and nothing else did").toBe(refused);
    expect(await spentMicros(world)).toBe((1000 - refused) * COST_MICROS);
  });

  test("all three die at once: every session is closed or unknown, and everything refused is given back", async () => {
    const world = deliveryWorld({
      seed: "all",
      pass: (random) => new Promise((resolve) => setTimeout(resolve, random.int(4))),
    });
    for (const provider of world.providers) {
      provider.fate = () => (provider.asked.length > 60 ? "refuse" : "accept");
    }
    await Promise.all(
      Array.from({ length: 600 }, (_, i) => send(world.deps, requestOf(i), callerOf(i), `c${i}`)),
    );
    await world.settle();
    const states = [...world.sessions.states.values()];
    const refused = states.filter(({ status, sends }) => status === "closed" && sends[0]?.hold === null);
    expect(refused).toHaveLength(600 - 180);
    expect([...world.released.values()]).toEqual(refused.map(() => 1));
    expect(await spentMicros(world)).toBe(180 * COST_MICROS);
  });
});
