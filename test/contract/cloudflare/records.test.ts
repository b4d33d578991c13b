import { readdirSync, readFileSync } from "node:fs";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { d1Records } from "../../../src/adapters/cloudflare/d1-records.ts";
import { memoryRecords } from "../../../src/memory/memory-records.ts";
import type { DeadLetter, OperatorAction, RecordsPort } from "../../../src/ports/records.ts";
import { incident, NOW } from "../../support/alerts.ts";

const FOLDER = new URL("../../../src/data/migrations/", import.meta.url);
const TABLES = ["incidents", "operator_actions", "dead_letters"];

let miniflare: Miniflare;
let db: D1Database;
let records: RecordsPort;

/** Each statement of the migrations by itself: `exec` takes one a line. */
function statements(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .flatMap((name) =>
      readFileSync(new URL(name, FOLDER), "utf8")
        .replace(/^\s*--.*$/gm, "")
        .split(";"),
    )
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

const migrate = async () => {
  for (const statement of statements()) await db.prepare(statement).run();
};

beforeAll(async () => {
  miniflare = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    d1Databases: ["DB"],
  });
  db = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  await migrate();
  records = d1Records(db);
});
afterAll(() => miniflare.dispose());
beforeEach(async () => {
  for (const table of TABLES) await db.prepare(`DELETE FROM ${table}`).run();
});

const action = (id: string, atMs = NOW): OperatorAction => ({
  id,
  atMs,
  who: "dana@example.com",
  what: "posture set emergency",
  why: "it's an attack; DROP TABLE incidents;--",
  details: { seconds: 3600, forced: true, before: null },
});
const letter = (id: string, atMs = NOW): DeadLetter => ({
  id,
  atMs,
  queue: "alerts",
  cause: "slack answered 404",
  body: '{"alert":{"title":"3 < 42 & “none”"}}',
});

describe("The migrations", () => {
  test("can be applied again without harm, and are numbered without a gap", async () => {
    await records.keepIncident(incident());
    await migrate();
    expect(await records.incidents(10)).toMatchObject({ incidents: [incident()] });
    const numbers = readdirSync(FOLDER).map((name) => Number(name.slice(0, 4)));
    expect(numbers.sort()).toEqual(numbers.map((_, i) => i + 1));
  });

  test("every question is answered by an index", async () => {
    const questions = [
      "SELECT json FROM incidents ORDER BY opened_at DESC, id LIMIT 10",
      "SELECT json FROM incidents WHERE id = 'x'",
      "SELECT json FROM incidents WHERE closed_at IS NULL ORDER BY opened_at",
      "SELECT * FROM operator_actions ORDER BY at DESC, id LIMIT 10",
      "SELECT * FROM operator_actions WHERE who = 'x' ORDER BY at",
      "SELECT * FROM dead_letters ORDER BY at DESC, id LIMIT 10",
    ];
    for (const question of questions) {
      const plan = await db.prepare(`EXPLAIN QUERY PLAN ${question}`).all<{ detail: string }>();
      expect(plan.results[0]?.detail).toMatch(/USING (INTEGER PRIMARY KEY|INDEX|COVERING INDEX)/);
    }
  });
});

/** The records of every store. `open` gives one in which nothing is kept. */
function keepsRecords(open: () => RecordsPort): void {
  let records: RecordsPort;
  beforeEach(() => {
    records = open();
  });

  describe("Incidents", () => {
    test("come back as they were kept, and are one row however often they are kept", async () => {
      expect(await records.incident("inc-1")).toBeNull();
      const grown = incident({
        severity: "emergency",
        sent: 2000,
        timeline: [{ atMs: NOW, by: "cron", what: "x" }],
      });
      for (const each of [incident(), incident(), grown]) {
        expect(await records.keepIncident(each)).toEqual({ kind: "done" });
      }
      expect(await records.incident("inc-1")).toEqual(grown);
      expect(await records.incidents(10)).toEqual({ kind: "answered", incidents: [grown] });
    });

    test("that are over stay over, whatever comes late", async () => {
      const closed = incident({ closedAtMs: NOW });
      await records.keepIncident(closed);
      await records.keepIncident(incident({ sent: 1 }));
      expect(await records.incident("inc-1")).toEqual(closed);
      const corrected = incident({ closedAtMs: NOW, sent: 1500 });
      await records.keepIncident(corrected);
      expect(await records.incident("inc-1")).toEqual(corrected);
    });

    test("the latest opened comes first, and those of one moment come by their ids", async () => {
      const [first, second, third] = ["inc-a", "inc-b", "inc-c"] as const;
      await records.keepIncident(incident({ id: second, openedAtMs: NOW }));
      await records.keepIncident(incident({ id: third, openedAtMs: NOW + 1 }));
      await records.keepIncident(incident({ id: first, openedAtMs: NOW }));
      const ids = async (limit: number) => {
        const answer = await records.incidents(limit);
        return answer.kind === "answered" ? answer.incidents.map(({ id }) => id) : [];
      };
      expect(await ids(10)).toEqual([third, first, second]);
      expect(await ids(2)).toEqual([third, first]);
      expect(await ids(0)).toEqual([third]);
    });
  });

  describe("What operators did", () => {
    test("is written once, whatever the words, and the latest comes first", async () => {
      for (const each of [action("a"), action("b", NOW + 1), { ...action("a"), what: "something else" }]) {
        expect(await records.writeAction(each)).toEqual({ kind: "done" });
      }
      expect(await records.actions(10)).toEqual({
        kind: "answered",
        actions: [action("b", NOW + 1), action("a")],
      });
      expect(await records.actions(1)).toMatchObject({ actions: [{ id: "b" }] });
    });
  });

  describe("Dead letters", () => {
    test("are one row per letter with its latest cause", async () => {
      await records.bury(letter("a"));
      await records.bury({ ...letter("a", NOW + 5), cause: "slack answered 410" });
      await records.bury(letter("b", NOW + 1));
      expect(await records.deadLetters(10)).toEqual({
        kind: "answered",
        letters: [{ ...letter("a", NOW + 5), cause: "slack answered 410" }, letter("b", NOW + 1)],
      });
    });

    test("are taken out whole, by one taker of many", async () => {
      await records.bury(letter("a"));
      const taken = await Promise.all(Array.from({ length: 8 }, () => records.exhume("a")));
      expect(taken.filter((each) => each !== null)).toEqual([letter("a")]);
      expect(await records.exhume("never")).toBeNull();
    });
  });
}

describe("Records, in the stand-in", () => {
  keepsRecords(memoryRecords);

  test("no question gets more than is good", async () => {
    const records = memoryRecords();
    for (let i = 0; i < 230; i++) await records.bury(letter(`letter-${i}`));
    const answer = await records.deadLetters(100_000);
    expect(answer.kind === "answered" && answer.letters).toHaveLength(200);
  });
});

describe("Records, in D1", () => {
  keepsRecords(() => records);

  test("the latest opened comes first, and no question gets more than it asked for or than is good", async () => {
    const insert = db.prepare("INSERT INTO incidents VALUES (?1, ?2, NULL, 'elevated', 'elevated', ?3)");
    const many = Array.from({ length: 230 }, (_, i) => incident({ id: `inc-${i}`, openedAtMs: NOW + i }));
    await db.batch(many.map((each) => insert.bind(each.id, each.openedAtMs, JSON.stringify(each))));
    const ids = async (limit: number) => {
      const answer = await records.incidents(limit);
      return answer.kind === "answered" ? answer.incidents.map(({ id }) => id) : [];
    };
    expect(await ids(2)).toEqual(["inc-229", "inc-228"]);
    expect(await ids(0)).toHaveLength(1);
    expect(await ids(100_000)).toHaveLength(200);
  });

  test("a row nobody can read is an outage, not an empty answer", async () => {
    await db.prepare("INSERT INTO incidents VALUES ('bad', 1, NULL, 'notice', 'normal', '{')").run();
    expect((await records.incident("bad")) ?? {}).toMatchObject({ kind: "unavailable" });
    expect((await records.incidents(10)).kind).toBe("unavailable");
  });
});

describe("A database that fails", () => {
  /** A database of which every statement fails as it is told to. */
  function failing(message: string) {
    let runs = 0;
    const statement = {
      bind: () => statement,
      all: () => Promise.reject(new Error(message)),
    };
    const broken = {
      prepare: () => statement,
      batch: () => {
        runs += 1;
        return Promise.reject(new Error(message));
      },
    } as unknown as D1Database;
    return { records: d1Records(broken), runs: () => runs };
  }

  test("never throws, and says nothing of what was asked", async () => {
    const { records: broken } = failing("D1_ERROR: no such table: incidents: SQLITE_ERROR");
    const answers = await Promise.all([
      broken.keepIncident(incident()),
      broken.incidents(1),
      broken.incident("inc-1"),
      broken.writeAction(action("a")),
      broken.actions(1),
      broken.bury(letter("a")),
      broken.deadLetters(1),
      broken.exhume("a"),
    ]);
    for (const answer of answers) {
      expect(answer).toEqual({ kind: "unavailable", cause: expect.stringMatching(/^D1 [a-z ]+$/) });
    }
  });

  test("is asked again for what may pass, and not for what will not", async () => {
    const passing = failing("D1_ERROR: Network connection lost.");
    await passing.records.bury(letter("a"));
    expect(passing.runs()).toBe(3);
    const lasting = failing("D1_ERROR: no such table: dead_letters");
    await lasting.records.bury(letter("a"));
    expect(lasting.runs()).toBe(1);
  });
});
