import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrate, openDatabase } from "../../../scripts/bench/local-database.ts";
import { d1Ledger } from "../../../src/adapters/cloudflare/d1-ledger.ts";
import { d1Records } from "../../../src/adapters/cloudflare/d1-records.ts";
import { type LedgerEvent, type RefusalCount, SAMPLES_PER_MINUTE } from "../../../src/domain/ledger/event.ts";
import { retentionCutoffs } from "../../../src/domain/ledger/retention.ts";
import { memoryLedger } from "../../../src/memory/memory-ledger.ts";
import { memoryRecords } from "../../../src/memory/memory-records.ts";
import type { VerificationLedgerPort } from "../../../src/ports/ledger.ts";
import type { RecordsPort } from "../../../src/ports/records.ts";
import { DAY, event, MINUTE, NOON, sent } from "./support-ledger.ts";

const TABLES = [
  "verifications",
  "ledger",
  "ledger_numbers",
  "ledger_addresses",
  "refusals",
  "ledger_upkeep",
  "dead_letters",
  "operator_actions",
];
const HOUR_WINDOW = { fromMs: NOON - 30 * MINUTE, toMs: NOON + 30 * MINUTE, country: null };

let db: D1Database;
let dispose: () => Promise<void>;
let ledger: VerificationLedgerPort;

beforeAll(async () => {
  ({ db, dispose } = await openDatabase());
  await migrate(db, "0001_records.sql");
  await migrate(db, "0002_ledger.sql");
  await migrate(db, "0003_verifications.sql");
  ledger = d1Ledger(db);
});
afterAll(() => dispose());
beforeEach(async () => {
  for (const table of TABLES) await db.prepare(`DELETE FROM ${table}`).run();
});

/** The ledger of every store, with the records beside it. `open` gives both with nothing kept. */
function keepsLedger(open: () => { ledger: VerificationLedgerPort; records: RecordsPort }): void {
  let ledger: VerificationLedgerPort;
  let records: RecordsPort;
  beforeEach(() => {
    ({ ledger, records } = open());
  });

  async function all() {
    const page = await ledger.page({ fromMs: 0, toMs: NOON * 2, country: null }, null, 1000);
    if (page.kind === "unavailable") throw new Error(page.cause);
    return page.rows;
  }

  const write = async (...events: LedgerEvent[]) => {
    expect(await ledger.write(events)).toEqual({ kind: "done" });
  };

  const sealedOf = async (what: "sealedNumber" | "sealedAddress") =>
    (await all()).filter((row) => row[what] !== null).length;

  describe("The ledger's writes", () => {
    test("keep an event once, however often and in whatever company it comes", async () => {
      await write(sent(1), sent(2));
      await write(sent(2), sent(3), sent(3));
      await write(sent(1));
      expect((await all()).map(({ id }) => id)).toEqual(["sent.c1.0", "sent.c2.0", "sent.c3.0"]);
      expect(await sealedOf("sealedNumber")).toBe(3);
      expect(await sealedOf("sealedAddress")).toBe(3);
    });

    test("keep every fact of an event", async () => {
      const told = sent(1, { sessionId: "s1", flow: "login", action: "allow", reasons: "tor", code: "x" });
      await write(told);
      expect(await all()).toEqual([{ ...told, verified: false }]);
    });

    test("write all of a batch or none of it", async () => {
      const impossible = { ...sent(2), atMs: null } as unknown as LedgerEvent;
      expect(await ledger.write([sent(1), impossible])).toEqual({
        kind: "unavailable",
        cause: expect.any(String),
      });
      expect(await all()).toEqual([]);
    });

    test.each([
      ["after", [sent(1), event("verified.c1", { correlationId: "c1" })]],
      ["before", [event("verified.c1", { correlationId: "c1" }), sent(1)]],
    ])("mark a message as verified when the answer comes %s it", async (_, events) => {
      for (const one of events) await write(one);
      const [message] = (await all()).filter(({ kind }) => kind === "sent");
      expect(message?.verified).toBe(true);
    });

    test("mark no message of another verification", async () => {
      await write(sent(1), sent(2), event("verified.c2", { correlationId: "c2" }));
      expect((await all()).filter(({ verified }) => verified).map(({ id }) => id)).toEqual(["sent.c2.0"]);
    });

    const words = (["undelivered", "delivered"] as const).map((word) =>
      event(`${word}.c1.0`, { correlationId: "c1", receipt: word }),
    );
    test.each([
      [[sent(1), ...words]],
      [[...words, sent(1)]],
      [[sent(1), ...words.toReversed()]],
      [[words[1], sent(1), words[0]]],
    ])("end at delivered, whatever the order of the receipts", async (events) => {
      for (const one of events) if (one) await write(one);
      const [message] = (await all()).filter(({ kind }) => kind === "sent");
      expect(message?.receipt).toBe("delivered");
    });

    test("take a batch as large as the queue's at once", async () => {
      await write(...Array.from({ length: 300 }, (_, n) => sent(n)));
      expect(await all()).toHaveLength(300);
    });
  });

  describe("A flood of refusals", () => {
    const refused = (n: number, atMs: number) =>
      event(n % 2 ? `refused.${n}` : `challenged.${n}`, {
        atMs,
        code: "too_many_requests",
        addressTag: `address-${n}`,
        sealedAddress: "key-1.nonce.address",
      });

    test("grows the ledger by a bounded number of rows a minute, and leaves other events alone", async () => {
      await write(sent(1), event("attempt_failed.c1.4", { correlationId: "c1" }));
      for (let batch = 0; batch < 10; batch++) {
        await write(
          ...Array.from({ length: 100 }, (_, i) => refused(batch * 100 + i, NOON + batch * 100 + i)),
        );
      }
      await write(refused(5000, NOON + MINUTE));
      expect(await all()).toHaveLength(2 + SAMPLES_PER_MINUTE + 1);
      expect(await sealedOf("sealedAddress")).toBe(1 + SAMPLES_PER_MINUTE + 1);
    });

    test("keeps the same rows when its batches come again", async () => {
      const flood = Array.from({ length: 200 }, (_, i) => refused(i, NOON + i));
      await write(...flood);
      const before = await all();
      await write(...flood);
      expect(await all()).toEqual(before);
    });

    const counts = (count: number): RefusalCount[] => [
      { atMs: NOON, dimension: "all", subject: "all", count },
      { atMs: NOON, dimension: "code", subject: "too_many_requests", count },
    ];
    const read = async () => {
      const answer = await ledger.refusals(HOUR_WINDOW);
      if (answer.kind === "unavailable") throw new Error(answer.cause);
      return answer.counts;
    };

    test("is counted exactly: a repetition changes nothing, and a late count corrects upwards only", async () => {
      await ledger.countRefusals(counts(59_990));
      await ledger.countRefusals(counts(60_000));
      await ledger.countRefusals(counts(59_990));
      expect(await read()).toEqual(counts(60_000));
    });
  });

  describe("The ledger's questions", () => {
    test("page through a window in order, each row once, and end", async () => {
      await write(...Array.from({ length: 25 }, (_, n) => sent(n, { atMs: NOON + Math.floor(n / 10) })));
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await ledger.page(HOUR_WINDOW, cursor, 7);
        if (page.kind === "unavailable") throw new Error(page.cause);
        ids.push(...page.rows.map(({ id }) => id));
        cursor = page.cursor;
      } while (cursor !== null);
      expect(ids).toEqual(Array.from({ length: 25 }, (_, n) => `sent.c${n}.0`));
    });

    test("keep to their window, whose end is outside, and to its country", async () => {
      await write(
        sent(1, { atMs: NOON - 1 }),
        sent(2),
        sent(3, { country: "BD" }),
        sent(4, { atMs: NOON + MINUTE }),
      );
      const window = { fromMs: NOON, toMs: NOON + MINUTE, country: null };
      const page = await ledger.page(window, null, 10);
      expect(page).toMatchObject({ rows: [{ id: "sent.c2.0" }, { id: "sent.c3.0" }], cursor: null });
      expect(await ledger.page({ ...window, country: "BD" }, null, 10)).toMatchObject({
        rows: [{ id: "sent.c3.0" }],
      });
    });

    test("page through one kind alone, of one country or of all", async () => {
      await write(
        event("requested.c1", { correlationId: "c1", country: "IN" }),
        sent(1),
        sent(2, { country: "BD" }),
        event("verified.c1", { correlationId: "c1", country: "IN" }),
        sent(3),
      );
      const ids = async (country: string | null, cursor: string | null) => {
        const page = await ledger.page({ ...HOUR_WINDOW, country }, cursor, 2, "sent");
        if (page.kind === "unavailable") throw new Error(page.cause);
        return { ids: page.rows.map(({ id }) => id), cursor: page.cursor };
      };
      const first = await ids(null, null);
      expect(first.ids).toEqual(["sent.c1.0", "sent.c2.0"]);
      expect(await ids(null, first.cursor)).toEqual({ ids: ["sent.c3.0"], cursor: null });
      expect((await ids("IN", null)).ids).toEqual(["sent.c1.0", "sent.c3.0"]);
    });

    test("answer nothing for garbage instead of a cursor", async () => {
      expect(await ledger.page(HOUR_WINDOW, "1;DROP TABLE ledger", 10)).toMatchObject({
        kind: "unavailable",
      });
    });

    test("tell the whole story of one verification, and of a number under all its tags", async () => {
      await write(
        sent(1, { atMs: NOON + 1 }),
        event("requested.c1.0", { correlationId: "c1" }),
        event("verified.c1", { correlationId: "c1", atMs: NOON + 2 }),
        sent(2, { numberTag: "number-1-older-key", atMs: NOON + 3 }),
        sent(3),
      );
      expect(await ledger.story("c1")).toMatchObject({
        rows: [{ id: "requested.c1.0" }, { id: "sent.c1.0" }, { id: "verified.c1" }],
      });
      const found = await ledger.byNumber(["number-1", "number-1-older-key"]);
      expect(found.kind === "answered" && found.rows.map(({ id }) => id)).toEqual([
        "sent.c2.0",
        "verified.c1",
        "sent.c1.0",
        "requested.c1.0",
      ]);
    });

    test("sum up what each provider was paid for, and what came of it", async () => {
      await write(
        sent(1),
        sent(2, { provider: "vonage", costMicros: 7000, dltMicros: 0 }),
        sent(3, { atMs: NOON + 5 }),
        event("verified.c1", { correlationId: "c1" }),
        event("delivered.c3.0", { correlationId: "c3" }),
      );
      const twilio = {
        subject: "twilio",
        firstAtMs: NOON,
        lastAtMs: NOON + 5,
        sent: 2,
        delivered: 1,
        undelivered: 0,
        verified: 1,
        costMicros: 6000,
        dltMicros: 1000,
        refused: 0,
      };
      const vonage = { ...twilio, subject: "vonage", lastAtMs: NOON, sent: 1, delivered: 0, verified: 0 };
      expect(await ledger.volumes("provider", HOUR_WINDOW, 10)).toEqual({
        kind: "answered",
        volumes: [twilio, { ...vonage, costMicros: 7000, dltMicros: 0 }],
      });
      expect(await ledger.volumes("network", HOUR_WINDOW, 10)).toMatchObject({
        volumes: [{ subject: "64500", sent: 3 }],
      });
    });
  });

  describe("Erasure", () => {
    test("leaves of a person's verifications place, time and money, and of nobody else's anything different", async () => {
      const letter = { atMs: NOON, queue: "ledger", cause: "x" };
      await write(
        sent(1, { sessionId: "s1" }),
        event("expired.c1", { correlationId: "c1", messageId: "SM1" }),
        sent(2),
      );
      await records.bury({ ...letter, id: "theirs", body: JSON.stringify({ ledger: [sent(1)] }) });
      await records.bury({ ...letter, id: "another", body: JSON.stringify({ ledger: [sent(2)] }) });
      const before = (await all()).find(({ id }) => id === "sent.c2.0");

      expect(await ledger.erase(["number-1"])).toEqual({ kind: "erased", rows: 2, sealed: 2, letters: 1 });
      const rows = await all();
      expect(rows.find(({ id }) => id === "sent.c1.0")).toMatchObject({
        country: "IN",
        block: "+91987654",
        costMicros: 3000,
        numberTag: null,
        addressTag: null,
        userTag: null,
        sessionId: null,
        subnet: null,
        messageId: null,
        sealedNumber: null,
        sealedAddress: null,
      });
      expect(rows.find(({ id }) => id === "expired.c1")?.messageId).toBeNull();
      expect(rows.find(({ id }) => id === "sent.c2.0")).toEqual(before);
      expect(await ledger.byNumber(["number-1"])).toEqual({ kind: "answered", rows: [] });
      expect(await ledger.erase(["number-1"])).toEqual({ kind: "erased", rows: 0, sealed: 0, letters: 0 });
    });
  });

  describe("Retention", () => {
    const policy = { number_days: 30, ip_days: 10, events_days: 400 };
    const limits = retentionCutoffs(policy, NOON);

    test("removes each class the moment it is too old, and not a millisecond before", async () => {
      const ages = [10 * DAY, 10 * DAY + 1, 30 * DAY, 30 * DAY + 1, 400 * DAY, 400 * DAY + 1];
      await write(...ages.map((age, n) => sent(n, { atMs: NOON - age })));
      await ledger.countRefusals(
        [400 * DAY, 400 * DAY + 1].map((age) => ({
          atMs: NOON - age,
          dimension: "all",
          subject: "all",
          count: 1,
        })),
      );
      expect(await ledger.sweep(limits, 100)).toEqual({
        kind: "swept",
        numbers: 3,
        addresses: 5,
        events: 1,
        refusals: 1,
        letters: 0,
        more: false,
      });
      const rows = await all();
      expect(rows.filter(({ sealedNumber }) => sealedNumber).map(({ id }) => id)).toEqual([
        "sent.c2.0",
        "sent.c1.0",
        "sent.c0.0",
      ]);
      expect(rows.filter(({ sealedAddress }) => sealedAddress).map(({ id }) => id)).toEqual(["sent.c0.0"]);
      expect(rows.map(({ id }) => id)).not.toContain("sent.c5.0");
      expect(rows.every(({ subnet }) => subnet === "198.51.100.0/24")).toBe(true);
    });

    test("goes in steps, the oldest first, and says when there is more", async () => {
      await write(...Array.from({ length: 5 }, (_, n) => sent(n, { atMs: NOON - 500 * DAY + n })));
      expect(await ledger.sweep(limits, 3)).toMatchObject({ events: 3, numbers: 3, more: true });
      expect((await all()).map(({ id }) => id)).toEqual(["sent.c3.0", "sent.c4.0"]);
      expect(await ledger.sweep(limits, 3)).toMatchObject({ events: 2, more: false });
    });

    test("removes a sealed text that comes after its time, also of a message its verification had asked for minutes before", async () => {
      const lateMs = NOON - 30 * DAY - 5 * MINUTE;
      await write(
        event("requested.c1.0", { correlationId: "c1", atMs: lateMs - 4 * MINUTE, numberTag: "number-1" }),
      );
      await ledger.sweep(limits, 100);
      await write(sent(1, { atMs: lateMs }));
      expect(await ledger.sweep(limits, 100)).toMatchObject({ numbers: 1, addresses: 1 });
      expect(await sealedOf("sealedNumber")).toBe(0);
    });

    test("finds the beginning of the verifications that are too many, and removes them, and no refusal's count", async () => {
      await write(...Array.from({ length: 5 }, (_, n) => sent(n, { atMs: NOON + n })));
      await ledger.countRefusals([{ atMs: NOON, dimension: "all", subject: "all", count: 1 }]);
      expect(await ledger.boundary(5)).toEqual({ kind: "answered", atMs: null });
      expect(await ledger.boundary(3)).toEqual({ kind: "answered", atMs: NOON + 1 });
      const swept = await ledger.sweep({ ...limits, rowsBeforeMs: NOON + 2 }, 100);
      expect(swept).toMatchObject({ events: 2, numbers: 0, refusals: 0 });
      expect((await all()).map(({ id }) => id)).toEqual(["sent.c2.0", "sent.c3.0", "sent.c4.0"]);
    });

    test("takes letters that hold events, and leaves others", async () => {
      const old = { atMs: NOON - 30 * DAY - 1, cause: "x", body: "{}" };
      await records.bury({ ...old, id: "a", queue: "ledger" });
      await records.bury({ ...old, id: "b", queue: "alerts" });
      expect(await ledger.sweep(limits, 100)).toMatchObject({ letters: 1 });
      expect(await records.deadLetters(10)).toMatchObject({ letters: [{ id: "b" }] });
    });
  });

  test("The ledger says how much each encryption key still holds", async () => {
    await write(sent(1), sent(2, { sealedNumber: "key-2.nonce.number", sealedAddress: null }));
    expect(await ledger.sealedByKey()).toEqual({
      kind: "answered",
      keys: [
        { keyId: "key-1", sealed: 2 },
        { keyId: "key-2", sealed: 1 },
      ],
    });
  });

  test("The ledger says how many verifications it holds, and how many of them are new", async () => {
    await write(
      sent(1),
      event("verified.c1", { correlationId: "c1" }),
      sent(2),
      sent(3, { atMs: NOON - DAY }),
    );
    expect(await ledger.storage(NOON - MINUTE)).toEqual({
      kind: "answered",
      storage: { rows: 3, rowsLastDay: 2, olderEvents: 0, bytes: expect.any(Number) },
    });
  });

  test("Upkeep is remembered by its name, and the latest counts", async () => {
    expect(await ledger.upkeep("retention")).toBeNull();
    await ledger.keepUpkeep("retention", { atMs: NOON, report: { numbers: 3 } });
    await ledger.keepUpkeep("retention", { atMs: NOON + 1, report: { numbers: 4, more: true } });
    expect(await ledger.upkeep("retention")).toEqual({
      atMs: NOON + 1,
      report: { numbers: 4, more: true },
    });
    expect(await ledger.upkeep("another")).toBeNull();
  });
}

describe("the ledger, in the stand-in", () => {
  keepsLedger(() => {
    const records = memoryRecords();
    return { ledger: memoryLedger(records), records };
  });
});

describe("the ledger, in D1", () => {
  keepsLedger(() => ({ ledger, records: d1Records(db) }));

  test("keeps a verification in one row, and nothing of it is sealed outside its events", async () => {
    await ledger.write([sent(1), event("requested.c1.0", { correlationId: "c1", numberTag: "number-1" })]);
    await ledger.write([event("verified.c1", { correlationId: "c1", atMs: NOON + 5 })]);
    const { results } = await db.prepare("SELECT * FROM verifications").all();
    expect(results).toMatchObject([{ id: "c1", at: NOON, last_at: NOON + 5, number_tag: "number-1" }]);
    const [{ events = "", ...columns } = {}] = results as { events?: string }[];
    expect(JSON.parse(events)).toHaveLength(3);
    expect(JSON.stringify(columns)).not.toContain("nonce");
  });
});

describe("The database's life", () => {
  test("goes on from the tables before the ledger, and migrating twice harms nothing", async () => {
    const older = await openDatabase();
    await migrate(older.db, "0001_records.sql");
    await older.db
      .prepare("INSERT INTO operator_actions VALUES ('a', 1, 'dana', 'posture set', 'attack', '{}')")
      .run();
    for (let twice = 0; twice < 2; twice++) {
      await migrate(older.db, "0002_ledger.sql");
      await migrate(older.db, "0003_verifications.sql");
    }
    expect(await d1Ledger(older.db).write([sent(1)])).toEqual({ kind: "done" });
    expect(await d1Records(older.db).actions(10)).toMatchObject({ actions: [{ id: "a" }] });
    await older.dispose();
  });

  test("what operators do stands among the events, once", async () => {
    const action = { id: "a", atMs: NOON, who: "dana", what: "posture set", why: "attack", details: {} };
    await d1Records(db).writeAction(action);
    await d1Records(db).writeAction(action);
    expect(await ledger.page({ ...HOUR_WINDOW }, null, 10)).toMatchObject({
      rows: [{ id: "operator_action.a", kind: "operator_action", code: "posture set", reasons: "dana" }],
    });
  });

  test("a database that is away is unavailable, and nothing throws", async () => {
    const away = d1Ledger({
      prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error("D1_ERROR")) }) }),
      batch: () => Promise.reject(new Error("D1_ERROR: database is read-only")),
    } as unknown as D1Database);
    const answers = await Promise.all([
      away.write([sent(1)]),
      away.page(HOUR_WINDOW, null, 1),
      away.volumes("provider", HOUR_WINDOW, 1),
      away.erase(["x"]),
      away.sweep(retentionCutoffs({ number_days: 1, ip_days: 1, events_days: 1 }, NOON), 1),
      away.upkeep("x"),
      away.storage(NOON),
      away.boundary(1),
      away.carryOver(1),
      away.sealedByKey(),
    ]);
    expect(answers.map((answer) => answer && "kind" in answer && answer.kind)).toEqual(
      answers.map(() => "unavailable"),
    );
  });
});
