/** The platform's storage in this process, on a clock that stands still, each thing that is written kept for the record. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type Lines, patternOf, shapeOf } from "./shape.ts";

interface Statement {
  sql: string;
  values: SQLInputValue[];
}

/** Workers KV: values without an end, and what was asked of it. */
export function makeKv(lines: Lines) {
  const values = new Map<string, string>();
  return {
    values,
    binding: {
      async get(key: string | string[]) {
        if (typeof key === "string") return values.get(key) ?? null;
        return new Map(key.map((one) => [one, values.get(one) ?? null]));
      },
      async put(key: string, value: string, options: object = {}) {
        values.set(key, value);
        lines.add(patternOf(key), [
          ...shapeOf(value),
          `options: ${Object.keys(options).sort().join(" ") || "none"}`,
        ]);
      },
      async delete(key: string) {
        values.delete(key);
        lines.add(patternOf(key), ["deleted"]);
      },
    },
  };
}

/** D1 on SQLite in memory, with the migrations run. */
export function makeDatabase(migrations: readonly string[]) {
  const db = new DatabaseSync(":memory:");
  for (const sql of migrations) db.exec(sql);

  function run({ sql, values }: Statement) {
    const statement = db.prepare(sql);
    const results = statement.all(...values);
    const changes = (db.prepare("SELECT changes() AS n").get() as { n: number }).n;
    return { success: true, results, meta: { changes } };
  }
  const prepare = (sql: string, values: SQLInputValue[] = []) => ({
    sql,
    values,
    bind: (...bound: SQLInputValue[]) => prepare(sql, bound),
    all: async () => run({ sql, values }),
    run: async () => run({ sql, values }),
    first: async () => run({ sql, values }).results[0] ?? null,
  });
  return {
    binding: {
      prepare: (sql: string) => prepare(sql),
      async batch(statements: Statement[]) {
        db.exec("BEGIN");
        try {
          const results = statements.map(run);
          db.exec("COMMIT");
          return results;
        } catch (error) {
          db.exec("ROLLBACK");
          throw error;
        }
      },
    },
    /** Every table and index as SQLite keeps it. */
    schema: () =>
      db
        .prepare("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
        .all()
        .map(({ type, name, sql }) => `${type} ${name}: ${String(sql).replaceAll(/\s+/g, " ")}`),
    note(lines: Lines) {
      const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      for (const { name } of tables) {
        for (const row of db.prepare(`SELECT * FROM ${name}`).all())
          lines.add(String(name), shapeOf({ ...row }));
      }
    },
  };
}

/** What a queue was given and has not yet handed over. */
export function makeQueue(name: string, lines: Lines) {
  const waiting: unknown[] = [];
  const take = (body: unknown, options: object) => {
    waiting.push(structuredClone(body));
    lines.add(name, [...shapeOf(body), `options: ${Object.keys(options).sort().join(" ") || "none"}`]);
  };
  return {
    name,
    waiting,
    binding: {
      send: async (body: unknown, options: object = {}) => take(body, options),
      sendBatch: async (messages: { body: unknown; contentType?: string }[]) => {
        for (const { body, ...options } of messages) take(body, options);
      },
    },
  };
}

/** A session object's class, as the platform makes it. */
export type ObjectClass = new (
  context: unknown,
  env: unknown,
) => Record<string, (...args: unknown[]) => unknown>;

/** Durable Objects by name; their storage is noted whenever it is written. */
export function makeObjects(lines: Lines, create: (context: unknown) => InstanceType<ObjectClass>) {
  const objects = new Map<string, InstanceType<ObjectClass>>();
  const open = (name: string) => {
    const stored = new Map<string, unknown>();
    const storage = {
      kv: {
        get: (key: string) => structuredClone(stored.get(key)),
        put: (key: string, value: unknown) => {
          stored.set(key, structuredClone(value));
          lines.add(key, shapeOf(value));
        },
      },
      setAlarm: async () => lines.add("alarm", ["set"]),
      deleteAlarm: async () => lines.add("alarm", ["deleted"]),
      deleteAll: async () => stored.clear(),
    };
    const made = create({ storage });
    objects.set(name, made);
    return made;
  };
  return {
    binding: { idFromName: (name: string) => name, get: (name: string) => objects.get(name) ?? open(name) },
    /** Runs every object's alarm, as at the end of its session. */
    async ring() {
      for (const object of objects.values()) await object.alarm?.();
    },
  };
}
