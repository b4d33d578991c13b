import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import type { MessageOwner, Receipt } from "../../../src/ports/delivery.ts";
import { receiptOf } from "../../support/delivery-world.ts";
import { type Receipts, receiptsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";

const ownerOf = (sessionId: string): MessageOwner => ({
  sessionId,
  sendIndex: 2,
  correlationId: `c ${sessionId}`,
  country: "IN",
  channel: "voice",
  minute: 29_000_000,
  handedOverMs: 1_740_000_000_123,
  session: null,
});

const SILENT = { kind: "unavailable", cause: "error answer" };

/** What holds for receipts wherever they are kept. */
function keepsReceipts(open: () => Receipts): void {
  test("a receipt finds whose message it is, as often as it comes", async () => {
    const receipts = open();
    expect(await receipts.bind("p", "m", ownerOf("s"))).toBeNull();
    for (const status of ["sent", "delivered", "delivered", "undelivered"] as const) {
      expect(await receipts.claim("p", receiptOf("m", status))).toEqual(ownerOf("s"));
    }
  });

  test("a message id counts with its provider, and with no other", async () => {
    const receipts = open();
    await receipts.bind("p", "m", ownerOf("s"));
    await receipts.bind("q", "m", ownerOf("t"));
    expect(await receipts.claim("p", receiptOf("m", "delivered"))).toEqual(ownerOf("s"));
    expect(await receipts.claim("q", receiptOf("m", "delivered"))).toEqual(ownerOf("t"));
    expect(await receipts.claim("r", receiptOf("m", "delivered"))).toBeNull();
  });

  test("a receipt that was quicker than the answer comes back with it, whole and once", async () => {
    const receipts = open();
    const receipt = receiptOf("m", "undelivered", { errorCode: "30003", costMicros: 7400, atMs: 1_800_000 });
    expect(await receipts.claim("p", receipt)).toBeNull();
    expect(await receipts.bind("p", "another", ownerOf("t"))).toBeNull();
    expect(await receipts.bind("p", "m", ownerOf("s"))).toEqual(receipt);
    expect(await receipts.bind("p", "m", ownerOf("s")), "it was taken").toBeNull();
    expect(await receipts.claim("p", receipt)).toEqual(ownerOf("s"));
  });

  test.each<[Receipt["status"][], Receipt["status"]]>([
    [["sent", "delivered"], "delivered"],
    [["delivered", "sent"], "delivered"],
    [["undelivered", "sent"], "undelivered"],
    [["sent", "undelivered", "sent"], "undelivered"],
    [["undelivered", "delivered"], "delivered"],
    [["delivered", "undelivered"], "delivered"],
  ])("of %j before the answer the best word is kept: %s", async (words, best) => {
    const receipts = open();
    for (const word of words) expect(await receipts.claim("p", receiptOf("m", word))).toBeNull();
    expect(await receipts.bind("p", "m", ownerOf("s"))).toMatchObject({ status: best });
  });

  test("an answer and its receipt at the same moment never miss each other", async () => {
    const receipts = open();
    await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const receipt = receiptOf(`m${i}`, "delivered");
        const bind = () => receipts.bind("p", `m${i}`, ownerOf(`s${i}`));
        const claim = () => receipts.claim("p", receipt);
        const [early, owner] =
          i % 2 === 0
            ? await Promise.all([bind(), claim()])
            : (await Promise.all([claim(), bind()])).toReversed();
        const heard = [early, owner].filter((one) => one !== null);
        expect(heard, "either the answer finds the receipt, or the receipt finds the owner").toHaveLength(1);
      }),
    );
  });

  test("message ids of any kind come back as they went in", async () => {
    for (const id of ["0123", "1e9", "null", "{}", '"', "a:b", "é 漢字", "x".repeat(200)]) {
      const receipts = open();
      await receipts.claim("p", receiptOf(id, "delivered"));
      expect(await receipts.bind("p", id, ownerOf(id))).toEqual(receiptOf(id, "delivered"));
      expect(await receipts.claim("p", receiptOf(id, "sent"))).toEqual(ownerOf(id));
    }
  });
}

describe("receipts, in memory", () => {
  keepsReceipts(() => receiptsOf(memoryStore(Date.now, 3600)));
});

describeOnRedis("receipts", (upstash) => {
  const open = () => receiptsOf(storeOn(upstash().connect(), Date.now));

  keepsReceipts(open);

  test("an answer in one isolate and its receipt in another at the same moment never miss each other", async () => {
    const isolates = Array.from({ length: 6 }, open);
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        isolates.map(async (here, i) => {
          const there = isolates[(i + 1) % isolates.length] ?? here;
          const id = `${round}.${i}`;
          const [early, owner] = await Promise.all([
            here.bind("p", id, ownerOf(id)),
            there.claim("p", receiptOf(id, "delivered")),
          ]);
          expect([early, owner].filter((one) => one !== null)).toHaveLength(1);
        }),
      );
    }
  });

  test("each question is one command", async () => {
    const receipts = open();
    const ask = async () => {
      await receipts.bind("p", "m", ownerOf("s"));
      await receipts.claim("p", receiptOf("m", "delivered"));
    };
    await ask();
    upstash().countFromHere();
    await ask();
    expect(upstash().service.stats).toEqual({ requests: 2, commands: 2, byName: { evalsha: 2 } });
  });

  test("keys have the names and the lives that their table says", async () => {
    const receipts = open();
    await receipts.bind("p", "bound", ownerOf("s"));
    await receipts.claim("p", receiptOf("early", "delivered"));
    const lives = await upstash().lives();
    expect(Object.keys(lives).sort()).toEqual(["tg:early:p:early", "tg:msg:p:bound"]);
    expect(lives["tg:msg:p:bound"]).toBeGreaterThan(2 * 86_400 - 10);
    expect(lives["tg:msg:p:bound"]).toBeLessThanOrEqual(2 * 86_400);
    expect(lives["tg:early:p:early"]).toBeGreaterThan(890);
    expect(lives["tg:early:p:early"]).toBeLessThanOrEqual(900);
  });

  test("an early receipt leaves nothing behind once it was taken", async () => {
    const receipts = open();
    await receipts.claim("p", receiptOf("m", "delivered"));
    await receipts.bind("p", "m", ownerOf("s"));
    expect(Object.keys(await upstash().lives())).toEqual(["tg:msg:p:m"]);
  });

  test("an early receipt whose answer never came is gone after its life, and its answer hears nothing", async () => {
    const redis = upstash().connect();
    const receipts = receiptsOf(storeOn(redis, Date.now));
    await receipts.claim("p", receiptOf("m", "delivered"));
    await redis.pexpire("tg:early:p:m", 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await receipts.bind("p", "m", ownerOf("s"))).toBeNull();
  });

  test("a receipt for a message that is forgotten is for nobody", async () => {
    const redis = upstash().connect();
    const receipts = receiptsOf(storeOn(redis, Date.now));
    await receipts.bind("p", "m", ownerOf("s"));
    await redis.pexpire("tg:msg:p:m", 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await receipts.claim("p", receiptOf("m", "delivered"))).toBeNull();
  });

  test("what it keeps names no number: a session, a country and times", async () => {
    const redis = upstash().connect();
    await receiptsOf(storeOn(redis, Date.now)).bind("p", "m", ownerOf("s"));
    expect(await redis.get("tg:msg:p:m")).toEqual(ownerOf("s"));
  });

  test("an owner that was kept before hand-overs were timed is read without its time", async () => {
    const { handedOverMs: _, ...older } = ownerOf("s");
    await upstash().connect().set("tg:msg:p:m", older);
    expect(await open().claim("p", receiptOf("m", "delivered"))).toEqual({ ...older, handedOverMs: null });
  });

  test.each([["text"], [7], [{ sessionId: "s" }], [[1, 2]]])(
    "%j where an owner should be is unavailable, and no receipt for nobody",
    async (value) => {
      await upstash().connect().set("tg:msg:p:m", value);
      expect(await open().claim("p", receiptOf("m", "delivered"))).toMatchObject({ kind: "unavailable" });
    },
  );

  test("a store that does not let us in is unavailable", async () => {
    const stranger = receiptsOf(storeOn(upstash().connect("another-token"), Date.now));
    expect(await stranger.bind("p", "m", ownerOf("s"))).toEqual(SILENT);
    expect(await stranger.claim("p", receiptOf("m", "delivered"))).toEqual(SILENT);
  });

  test("whatever an owner and a receipt hold comes back the same", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 30 });
    const owner = fc.record<MessageOwner>({
      sessionId: text,
      sendIndex: fc.nat(5),
      correlationId: text,
      country: fc.constantFrom("IN", "US"),
      channel: fc.constantFrom("sms" as const, "voice" as const, "whatsapp" as const),
      minute: fc.nat(),
      handedOverMs: fc.option(fc.nat()),
      session: fc.option(text),
    });
    const receipt = fc.record<Receipt>({
      messageId: fc.string({ minLength: 1, maxLength: 30 }),
      status: fc.constantFrom("sent" as const, "delivered" as const, "undelivered" as const),
      errorCode: fc.option(text),
      costMicros: fc.option(fc.nat()),
      atMs: fc.option(fc.nat()),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(owner, receipt, async (whose, said) => {
        const [receipts, provider] = [open(), `p${run++}`];
        expect(await receipts.claim(provider, said)).toBeNull();
        expect(await receipts.bind(provider, said.messageId, whose)).toEqual(said);
        expect(await receipts.claim(provider, said)).toEqual(whose);
      }),
      { numRuns: 20 },
    );
  });
});
