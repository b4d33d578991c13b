/** The whole Worker in this process, on stand-ins, with a clock and a chance of its own. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { postReceipt } from "../inbox/receipts.ts";
import { makeInbox } from "../inbox.ts";
import { openMemoryRedis } from "../memory-redis.ts";
import { ALWAYS_PASSES_SECRET, makeSiteverify } from "../siteverify.ts";
import { makeUpstash } from "../upstash.ts";
import { makeDatabase, makeKv, makeObjects, makeQueue, type ObjectClass } from "./platform.ts";
import { Lines, patternOf, shapeOf } from "./shape.ts";

export interface WorkerModule {
  fetch(request: Request, env: unknown, context: unknown): Promise<Response>;
  scheduled(controller: { cron: string; scheduledTime: number }, env: unknown): Promise<void>;
  queue(batch: { queue: string; messages: readonly unknown[] }, env: unknown): Promise<void>;
}

const START_MS = Date.parse("2030-01-08T10:00:00Z");
const REDIS = "http://redis.invalid";
const SITEVERIFY = "http://siteverify.invalid";
const INBOX = "http://127.0.0.1:8790";
const HOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
export const OPERATOR_TOKEN = `tgo_${Buffer.alloc(32, 1).toString("base64url")}`;

const ring = (id: string, fill: number) => `${id}:${Buffer.alloc(32, fill).toString("base64url")}`;

/** What every stand-in keeps for the record. */
const newRecord = () => ({
  redis: new Lines(),
  redisCommands: new Lines(),
  kv: new Lines(),
  d1: new Lines(),
  object: new Lines(),
  queues: new Lines(),
  outbound: new Lines(),
  answers: new Lines(),
  facts: new Lines(),
});

export function makeWorld(options: {
  worker: WorkerModule;
  sessionObject: ObjectClass;
  policy: unknown;
  migrations: readonly string[];
}) {
  const { worker, policy } = options;
  const record = newRecord();
  const clock = freezeTime(START_MS);
  seedChance();

  const redis = openMemoryRedis();
  const expiries = new Map<string, number>();
  const upstash = makeUpstash({ redis: noted(redis, record.redisCommands), token: "token" });
  const siteverify = makeSiteverify();
  const inbox = makeInbox({ providers: ["sandbox", "sandbox_b"] });
  inbox.faults.receipts = "never";
  const kv = makeKv(record.kv);
  const database = makeDatabase(options.migrations);
  const outbox = makeQueue("tollgate-outbox", record.queues);
  const ledger = makeQueue("tollgate-ledger", record.queues);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const env: Record<string, unknown> = {
    ENVIRONMENT: "development",
    POLICY: policy,
    UPSTASH_REDIS_REST_URL: REDIS,
    UPSTASH_REDIS_REST_TOKEN: "token",
    SANDBOX_URL: INBOX,
    SANDBOX_RECEIPT_SECRET: HOOK_SECRET,
    SLACK_WEBHOOK_URL: `${INBOX}/hooks/slack`,
    EVENTS_WEBHOOK_URL: `${INBOX}/hooks/events`,
    EVENTS_WEBHOOK_SECRET: HOOK_SECRET,
    CAPTCHA_SECRET_KEY: ALWAYS_PASSES_SECRET,
    CAPTCHA_SITEVERIFY_URL: SITEVERIFY,
    ADMIN_TOKENS: `tests:operator:${createHash("sha256").update(OPERATOR_TOKEN).digest("hex")}`,
    SESSION_KEYS: ring("session-1", 2),
    PEPPER_KEYS: ring("pepper-1", 3),
    ENCRYPTION_KEYS: ring("encryption-1", 4),
    PROOF_KEYS: JSON.stringify([{ ...privateKey.export({ format: "jwk" }), kid: "proof-1" }]),
    CONTROL: kv.binding,
    DB: database.binding,
    OUTBOX: outbox.binding,
    LEDGER: ledger.binding,
  };
  const objects = makeObjects(record.object, (context) => new options.sessionObject(context, env));
  env.SESSIONS = objects.binding;

  const deferred: Promise<unknown>[] = [];
  Object.assign(globalThis, { frozenWaitUntil: (work: Promise<unknown>) => deferred.push(work) });
  globalThis.fetch = async (input, init) => route(new Request(input, init));
  console.log = (text: unknown) => noteFact(String(text));

  async function route(request: Request): Promise<Response> {
    const { host, pathname, origin } = new URL(request.url);
    if (origin === REDIS) return upstash.handle(request);
    const headers = [...request.headers.keys()].sort().join(" ");
    const body = await request.clone().text();
    record.outbound.add(`${request.method} ${patternOf(`${host}${pathname}`)}`, [
      `headers: ${headers}`,
      ...shapeOf(body, "body"),
    ]);
    return origin === SITEVERIFY ? siteverify.handle(request) : inbox.app.fetch(request);
  }

  function noteFact(text: string): void {
    const { fact, ...evidence } = JSON.parse(text) as { fact: string };
    record.facts.add(fact, shapeOf(evidence));
  }

  /** Lets work behind answers end, hands queues over, and notes what is stored by then. */
  async function settle(): Promise<void> {
    while (deferred.length > 0 || outbox.waiting.length > 0 || ledger.waiting.length > 0) {
      await Promise.all(deferred.splice(0));
      for (const { name, waiting } of [outbox, ledger]) {
        const messages = waiting.splice(0).map((body, at) => ({
          id: `m${at}`,
          body,
          attempts: 1,
          timestamp: new Date(),
          ack() {},
          retry: (how: object = {}) => record.queues.add(name, [`retried: ${Object.keys(how).join(" ")}`]),
        }));
        if (messages.length > 0) await worker.queue({ queue: name, messages }, env);
      }
    }
    await noteRedis(redis, expiries, record.redis);
    database.note(record.d1);
  }

  return {
    env,
    record,
    kv: kv.values,
    inbox,
    upstash,
    siteverify,
    schema: database.schema,
    settle,
    ringAlarms: objects.ring,
    advance: clock.advance,

    /** One request; its status, code and shape are noted under its name. */
    async ask(
      name: string,
      method: string,
      path: string,
      how: { body?: unknown; headers?: Record<string, string> },
    ) {
      const headers: Record<string, string> = { ...how.headers };
      if (how.body !== undefined) headers["content-type"] = "application/json";
      const init = how.body === undefined ? { method } : { method, body: JSON.stringify(how.body) };
      const request = new Request(`http://localhost:8787${path}`, { ...init, headers });
      const answer = await worker.fetch(request, env, { waitUntil: () => {}, passThroughOnException() {} });
      const text = await answer.text();
      const isJson = /json/.test(answer.headers.get("content-type") ?? "");
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked at as a client without types would
      const body: any = isJson ? JSON.parse(text) : text;
      record.answers.add(name, [
        `${method} ${patternOf(path.split("?")[0] ?? "")}: ${answer.status}`,
        `headers: ${[...answer.headers.keys()].sort().join(" ")}`,
        ...(isJson ? shapeOf(body) : []),
      ]);
      return body;
    },

    async cron() {
      clock.advance(60_000);
      await worker.scheduled({ cron: "* * * * *", scheduledTime: Date.now() }, env);
      await settle();
    },

    /** A provider says what became of its latest message. */
    async receipt(status: "delivered" | "undelivered") {
      const [latest] = inbox.sends;
      if (latest === undefined) throw new Error("nothing was sent");
      const post = async (url: string, init: RequestInit) => worker.fetch(new Request(url, init), env, {});
      const url = `http://localhost:8787/v1/receipts/${latest.provider}`;
      const receipt = { messageId: latest.id, status, at: new Date().toISOString() };
      const said = await postReceipt(receipt, { url, secret: HOOK_SECRET, post });
      record.answers.add(`receipt ${status}`, [said]);
      await settle();
    },
  };
}

export type World = ReturnType<typeof makeWorld>;

function freezeTime(startMs: number) {
  let nowMs = startMs;
  const RealDate = Date;
  class FrozenDate extends RealDate {
    constructor(...args: [] | [value: number | string | Date]) {
      super(...((args.length === 0 ? [nowMs] : args) as [number]));
    }
    static override now = () => nowMs;
  }
  globalThis.Date = FrozenDate as DateConstructor;
  return {
    advance(byMs: number) {
      nowMs += byMs;
    },
  };
}

/** A Lehmer generator: chance is the same in every run. */
function seedChance(): void {
  let state = 20_300_108;
  Math.random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

type Redis = Pick<ReturnType<typeof openMemoryRedis>, "call" | "multi">;

/** The same Redis, its commands noted with the patterns of their keys. */
function noted(redis: Redis, lines: Lines): Redis {
  const note = (name: string, args: readonly string[]) => {
    const command = name.toUpperCase();
    const isScript = command === "EVAL" || command === "EVALSHA";
    const keys = isScript
      ? args.slice(2, 2 + Number(args[1]))
      : args.slice(0, command === "MGET" ? undefined : 1);
    lines.add(command, [[...new Set(keys.map(patternOf))].join(" ")]);
  };
  return {
    call(name, ...args) {
      note(name, args);
      return redis.call(name, ...args);
    },
    multi() {
      const transaction = redis.multi();
      return {
        exec: () => transaction.exec(),
        call(name, ...args) {
          note(name, args);
          return transaction.call(name, ...args);
        },
      };
    },
  };
}

const READS: Record<string, readonly string[]> = {
  string: ["GET"],
  hash: ["HGETALL"],
  set: ["SMEMBERS"],
  list: ["LRANGE", "0", "-1"],
  zset: ["ZRANGE", "0", "-1", "WITHSCORES"],
};

async function noteRedis(redis: Redis, expiries: Map<string, number>, lines: Lines): Promise<void> {
  for (const key of ((await redis.call("KEYS", "*")) as string[]).sort()) {
    const type = String(await redis.call("TYPE", key));
    const [read = "GET", ...args] = READS[type] ?? [];
    const value = await redis.call(read, key, ...args);
    const found = [`type: ${type}`, ...shapeOf(type === "hash" ? asFields(value) : value)];
    const leftMs = Number(await redis.call("PTTL", key));
    const ends = leftMs < 0 ? leftMs : Date.now() + leftMs;
    // Its life is told where it was set, not as it runs down.
    if (expiries.get(key) !== ends) found.push(leftMs < 0 ? "life: for ever" : `life: ${lifeClass(leftMs)}`);
    expiries.set(key, ends);
    lines.add(patternOf(key), found);
  }
}

/** Lives up to a day to the minute above a quarter of an hour, to the second below; longer ones to the hour. */
function lifeClass(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 900) return `${seconds} s`;
  return seconds <= 86_400 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`;
}

function asFields(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(
    value.flatMap((name, at) => (at % 2 === 0 ? [[String(name), value[at + 1]]] : [])),
  );
}
