import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrateAll, openDatabase, writeOlder } from "../../../scripts/bench/local-database.ts";
import { d1Ledger } from "../../../src/adapters/cloudflare/d1-ledger.ts";
import { EVENT_KINDS, type LedgerEvent } from "../../../src/domain/ledger/event.ts";
import { retentionCutoffs } from "../../../src/domain/ledger/retention.ts";
import { memoryLedger } from "../../../src/memory/memory-ledger.ts";
import { memoryRecords } from "../../../src/memory/memory-records.ts";
import type { VerificationLedgerPort } from "../../../src/ports/ledger.ts";
import { watched } from "../../support/watched-database.ts";
import { DAY, event, MINUTE, NOON, sent } from "./support-ledger.ts";

const ALWAYS = { fromMs: 0, toMs: NOON * 2, country: null };

let db: D1Database;
let dispose: () => Promise<void>;

beforeAll(async () => {
  ({ db, dispose } = await openDatabase());
  await migrateAll(db);
});
afterAll(() => dispose());
beforeEach(async () => {
  for (const table of ["verifications", "ledger_upkeep", "ledger", "ledger_numbers", "ledger_addresses"]) {
    await db.prepare(`DELETE FROM ${table}`).run();
  }
});

/** Events of a few verifications; some share an id and differ in their times. */
const anyEvent: fc.Arbitrary<LedgerEvent> = fc
  .record({
    kind: fc.constantFrom(...EVENT_KINDS.filter((kind) => kind !== "refused" && kind !== "challenged")),
    verification: fc.nat({ max: 2 }),
    nth: fc.nat({ max: 1 }),
  })
  .map(({ kind, verification, nth }) => {
    const correlationId = `c${verification}`;
    const id = `${kind}.${correlationId}${kind === "verified" || kind === "expired" ? "" : `.${nth}`}`;
    const of = EVENT_KINDS.indexOf(kind);
    const atMs = NOON + of * 1000 + nth;
    const message = { provider: "twilio", channel: "sms" as const, messageId: `SM${verification}${nth}` };
    switch (kind) {
      case "requested":
      case "sent":
        return sent(verification, {
          ...event(id),
          ...sent(verification),
          id,
          kind,
          atMs,
          // A second message may be asked for from another network.
          asn: 64500 + nth,
          subnet: nth === 0 ? "198.51.100.0/24" : null,
          sessionId: `s${verification}`,
          ...(kind === "requested" ? { receipt: null, sealedNumber: null, sealedAddress: null } : {}),
        });
      case "delivered":
      case "undelivered":
        return event(id, { correlationId, atMs, ...message, receipt: kind, country: "IN" });
      case "verified":
      case "attempt_failed":
        return {
          ...sent(verification),
          ...event(id, { correlationId, atMs }),
          numberTag: `number-${verification}`,
          flow: "login",
        };
      case "operator_action":
        return event(`${kind}.${verification}`, {
          atMs,
          code: "posture set",
          reasons: 'dana "{\\"kind\\":\\"verified\\""',
        });
      default:
        return event(id, { correlationId, atMs, ...message });
    }
  });

/** Cursors name places as each store numbers them. */
const withoutCursor = (page: Awaited<ReturnType<VerificationLedgerPort["page"]>>) =>
  page.kind === "answered" ? { rows: page.rows, ends: page.cursor === null } : page;

async function answers(ledger: VerificationLedgerPort) {
  return {
    page: await ledger.page(ALWAYS, null, 1000),
    sent: await ledger.page(ALWAYS, null, 1000, "sent"),
    short: withoutCursor(
      await ledger.page({ fromMs: NOON + 2000, toMs: NOON + 9000, country: "IN" }, null, 3),
    ),
    story: await ledger.story("c1"),
    person: await ledger.byNumber(["number-0", "number-1"]),
    volumes: await ledger.volumes("network", ALWAYS, 10),
    keys: await ledger.sealedByKey(),
  };
}

test("D1 answers as the stand-in does, whatever the order, the batches and the repetitions of events", async () => {
  const batches = fc.array(fc.array(anyEvent, { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(batches, async (written) => {
      await db.prepare("DELETE FROM verifications").run();
      const [kept, standIn] = [d1Ledger(db), memoryLedger(memoryRecords())];
      for (const events of written) {
        expect(await kept.write(events)).toEqual({ kind: "done" });
        await standIn.write(events);
      }
      expect(await answers(kept)).toEqual(await answers(standIn));
    }),
    { numRuns: 12 },
  );
}, 120_000);

describe("The rows that a verification costs", () => {
  const flow = [event("requested.c1.0", { ...sent(1), id: "requested.c1.0", kind: "requested" }), sent(1)];
  const end = [
    event("delivered.c1.0", { correlationId: "c1", atMs: NOON + 2000, receipt: "delivered" }),
    event("verified.c1", { correlationId: "c1", atMs: NOON + 5000, numberTag: "number-1" }),
  ];
  const limits = (age: number) =>
    retentionCutoffs({ number_days: 30, ip_days: 30, events_days: 400 }, NOON + age * DAY);

  test("are three when its message leaves, one at its end, none for a repetition, and one when its number goes", async () => {
    const { db: counted, rowsWritten } = watched(db);
    const ledger = d1Ledger(counted);
    const steps: [string, () => Promise<unknown>, number][] = [
      ["message", () => ledger.write(flow), 3],
      ["the same again", () => ledger.write(flow), 0],
      ["end", () => ledger.write(end), 1],
      ["the same again", () => ledger.write([...end, ...flow]), 0],
      // The sweep's two marks are rows of each step, however many verifications it strips.
      ["marks", () => ledger.sweep(limits(30), 100), 2 * 2],
      ["sealed texts", () => ledger.sweep(limits(31), 100), 1 + 2],
    ];
    for (const [step, act, rows] of steps) {
      const before = rowsWritten();
      await act();
      expect([step, rowsWritten() - before]).toEqual([step, rows]);
    }
  });
});

describe("The ledger's questions", () => {
  const window = { fromMs: NOON - MINUTE, toMs: NOON + MINUTE, country: null };
  const asked: [string, (ledger: VerificationLedgerPort) => Promise<unknown>][] = [
    ["write", (ledger) => ledger.write([sent(1), event("refused.x", { correlationId: "c2", code: "y" })])],
    ["page", (ledger) => ledger.page(window, null, 10)],
    ["next page", (ledger) => ledger.page(window, `${NOON}.1.c1`, 10)],
    ["page of a country and kind", (ledger) => ledger.page({ ...window, country: "IN" }, null, 10, "sent")],
    ["story", (ledger) => ledger.story("c1")],
    ["byNumber", (ledger) => ledger.byNumber(["number-1"])],
    ["volumes", (ledger) => ledger.volumes("provider", window, 10)],
    ["erase", (ledger) => ledger.erase(["number-1"])],
    ["sealedByKey", (ledger) => ledger.sealedByKey()],
    [
      "sweep",
      (ledger) =>
        ledger.sweep(retentionCutoffs({ number_days: 30, ip_days: 10, events_days: 400 }, NOON), 10),
    ],
    ["carryOver", (ledger) => ledger.carryOver(10)],
    ["boundary", (ledger) => ledger.boundary(10)],
    ["storage", (ledger) => ledger.storage(NOON)],
  ];

  test.each(asked)("of %s use the primary key or an index", async (_, ask) => {
    const { db: seen, statements } = watched(db);
    await ask(d1Ledger(seen));
    expect(statements.length).toBeGreaterThan(0);
    for (const { sql, values } of statements) {
      const plan = await db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...values)
        .all<{ detail: string }>();
      const steps = plan.results.map(({ detail }) => detail);
      const whole = steps.filter((step) => /^SCAN (verifications|ledger\w*)$/.test(step));
      expect({ sql, whole }).toEqual({ sql, whole: [] });
    }
  });
});

describe("Rows of before verifications were rows", () => {
  const flow = (n: number) => [
    sent(n, { atMs: NOON + n, receipt: "delivered" }),
    event(`delivered.c${n}.0`, { correlationId: `c${n}`, atMs: NOON + n + 1, receipt: "delivered" }),
    event(`verified.c${n}`, { correlationId: `c${n}`, atMs: NOON + n + 2, numberTag: `number-${n}` }),
  ];
  const verifiedSent = (n: number) => ({ id: `sent.c${n}.0`, receipt: "delivered", verified: true });

  async function sentRows() {
    const page = await d1Ledger(db).page(ALWAYS, null, 1000, "sent");
    return page.kind === "answered" ? page.rows : [];
  }

  test("are answered, erased and swept before they are moved", async () => {
    await writeOlder(db, [1, 2, 3].flatMap(flow));
    const ledger = d1Ledger(db);
    await ledger.write(flow(4));
    expect(await sentRows()).toMatchObject([1, 2, 3, 4].map(verifiedSent));
    expect(await ledger.story("c2")).toMatchObject({ rows: flow(2).map(({ id }) => ({ id })) });
    expect(await ledger.volumes("provider", ALWAYS, 5)).toMatchObject({
      volumes: [{ sent: 4, verified: 4 }],
    });
    expect(await ledger.erase(["number-2"])).toMatchObject({ rows: 3, sealed: 2 });
    expect(await ledger.byNumber(["number-2"])).toMatchObject({ rows: [] });
    const limits = retentionCutoffs({ number_days: 1, ip_days: 1, events_days: 400 }, NOON + 2 * DAY);
    expect(await ledger.sweep(limits, 100)).toMatchObject({ numbers: 3, addresses: 3 });
  });

  test("move newest first and whole, and answers stay as they were at every step", async () => {
    await writeOlder(db, [1, 2, 3, 4, 5].flatMap(flow));
    const ledger = d1Ledger(db);
    const before = await answers(ledger);
    for (const left of [4, 3, 2, 1, 0]) {
      expect(await ledger.carryOver(2)).toEqual({ kind: "moved", events: 3, more: true });
      const older = await db
        .prepare("SELECT DISTINCT correlation_id AS c FROM ledger ORDER BY 1")
        .all<{ c: string }>();
      expect(older.results.map(({ c }) => c)).toEqual(["c1", "c2", "c3", "c4", "c5"].slice(0, left));
      expect(await answers(ledger)).toEqual({ ...before, short: expect.anything(), page: expect.anything() });
      expect(await sentRows()).toMatchObject([1, 2, 3, 4, 5].map(verifiedSent));
    }
    expect(await ledger.carryOver(2)).toEqual({ kind: "moved", events: 0, more: false });
    expect((await db.prepare("SELECT * FROM ledger_numbers").all()).results).toEqual([]);
  });

  test("a move that stops in the middle loses nothing, while Workers of both versions write", async () => {
    await writeOlder(db, [1, 2].flatMap(flow));
    let stops = true;
    const stopping = {
      prepare: (sql: string) => db.prepare(sql),
      batch: (batch: D1PreparedStatement[]) =>
        // The database dies between the copy and the deletion: a transaction has both or none.
        db.batch(stops ? [...batch.slice(0, -1), db.prepare("SELECT json('dies')")] : batch),
    } as unknown as D1Database;
    expect(await d1Ledger(stopping).carryOver(1)).toMatchObject({ kind: "unavailable" });
    expect(await sentRows()).toMatchObject([1, 2].map(verifiedSent));
    stops = false;
    await d1Ledger(stopping).carryOver(1);
    // One begins with the present version and ends with the older one, and one the other way round.
    const [began3, ...ended3] = flow(3);
    const [began4, ...ended4] = flow(4);
    if (began3) await d1Ledger(db).write([began3]);
    if (began4) await writeOlder(db, [{ ...began4, receipt: "accepted" }]);
    await writeOlder(db, ended3);
    await d1Ledger(db).write(ended4);
    // An event that moved already comes again by the older version.
    await writeOlder(db, flow(2));
    for (let moved = await d1Ledger(db).carryOver(1); moved.kind === "moved" && moved.more; ) {
      moved = await d1Ledger(db).carryOver(1);
    }
    expect(await sentRows()).toMatchObject([1, 2, 3, 4].map(verifiedSent));
    expect((await db.prepare("SELECT count(*) AS n FROM verifications").all()).results).toEqual([{ n: 4 }]);
  });

  test("a person who is erased while a move is under way does not come back", async () => {
    await writeOlder(db, [1, 2].flatMap(flow));
    const erasing = {
      prepare: (sql: string) => db.prepare(sql),
      async batch(batch: D1PreparedStatement[]) {
        await d1Ledger(db).erase(["number-2"]);
        return db.batch(batch);
      },
    } as unknown as D1Database;
    expect(await d1Ledger(erasing).carryOver(1)).toMatchObject({ kind: "unavailable" });
    while (((moved) => moved.kind === "moved" && moved.more)(await d1Ledger(db).carryOver(10)));
    expect(await d1Ledger(db).byNumber(["number-2"])).toMatchObject({ rows: [] });
    const { results } = await db.prepare("SELECT * FROM verifications WHERE id = 'c2'").all();
    expect(JSON.stringify(results)).not.toMatch(/number-2|nonce|SM2/);
  });
});
