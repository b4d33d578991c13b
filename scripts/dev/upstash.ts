import { timingSafeEqual } from "node:crypto";
import { applyFaults, type Faults, noFaults } from "./faults.ts";
import { LuaScripts } from "./lua-scripts.ts";
import type { RedisClient } from "./redis-client.ts";
import type { Handler } from "./serve.ts";
import { type Refusal, readCommands, refuse } from "./upstash-request.ts";

/** One command's outcome as it stands in the answer. */
type Reply = { result: unknown } | { error: string };

export interface UpstashService {
  handle: Handler;
  faults: Faults;
  /** What clients have asked for so far: HTTP requests (hops), commands in them, and how often each was named. */
  stats: { requests: number; commands: number; byName: Record<string, number> };
}

/**
 * The Upstash Redis REST protocol in front of a Redis.
 *
 * As strict as the service: a wrong token is 401, a failed or unsupported command 400, a pipeline answers for each of
 * its commands, a transaction with a command that cannot run is given up whole. Not here: the resp2 format (400),
 * MONITOR and SUBSCRIBE, read-only tokens, and bytes that are not UTF-8.
 *
 * Source of the rules: Upstash's REST API documentation and what @upstash/redis 1.39 sends.
 */
export function makeUpstash(options: { redis: RedisClient; token: string; faults?: Faults }): UpstashService {
  const { redis, token } = options;
  const faults = options.faults ?? noFaults();
  const stats: UpstashService["stats"] = { requests: 0, commands: 0, byName: {} };
  const scripts = new LuaScripts();

  async function handle(request: Request): Promise<Response> {
    stats.requests++;
    const outage = await applyFaults(faults);
    if (outage !== null) return outage;
    if (!isAuthorized(request, token)) return answer({ error: "WRONGPASS invalid password" }, 401);

    const parsed = await readCommands(request);
    if ("status" in parsed) return answer({ error: parsed.error }, parsed.status);
    for (const [name = ""] of parsed.commands) {
      stats.commands++;
      stats.byName[name.toLowerCase()] = (stats.byName[name.toLowerCase()] ?? 0) + 1;
    }

    const outcome = await run(parsed);
    const encoded = request.headers.get("upstash-encoding") === "base64" ? encodeStrings(outcome) : outcome;
    const failed = !Array.isArray(outcome) && "error" in outcome;
    return answer(encoded, failed ? 400 : 200);
  }

  async function run(parsed: { mode: "single" | "pipeline" | "multi-exec"; commands: string[][] }) {
    switch (parsed.mode) {
      case "single":
        return runOne(parsed.commands[0] ?? []);
      case "pipeline":
        return Promise.all(parsed.commands.map(runOne));
      case "multi-exec":
        return runTransaction(parsed.commands);
    }
  }

  async function runOne(command: string[]): Promise<Reply> {
    try {
      const translated = translate(command);
      if ("answer" in translated) return { result: translated.answer };
      const [name = "", ...args] = translated.run;
      return { result: asReply(await redis.call(name, ...args)) };
    } catch (error) {
      return { error: errorText(error) };
    }
  }

  async function runTransaction(commands: string[][]): Promise<Reply[] | { error: string }> {
    try {
      const transaction = redis.multi();
      for (const command of commands) {
        const translated = translate(command);
        if ("answer" in translated) throw new Error("ERR SCRIPT is not allowed in a transaction");
        const [name = "", ...args] = translated.run;
        transaction.call(name, ...args);
      }
      const results = await transaction.exec();
      if (results === null) return { error: "EXECABORT Transaction discarded" };
      return results.map(([error, result]) =>
        error === null ? { result: asReply(result) } : { error: errorText(error) },
      );
    } catch (error) {
      return { error: errorText(error) };
    }
  }

  function translate(command: string[]) {
    const refusal = refuse(command);
    if (refusal !== null) throw new Error(refusal);
    return scripts.translate(command);
  }

  function answer(body: unknown, status: Refusal["status"] | 200): Response {
    // The SDK sends the last one back, so that a replica could wait for it; here there is one server only.
    return Response.json(body, { status, headers: { "upstash-sync-token": `local-${stats.requests}` } });
  }

  return { handle, faults, stats };
}

function isAuthorized(request: Request, token: string): boolean {
  const header = request.headers.get("authorization")?.match(/^Bearer (.+)$/)?.[1];
  const given = Buffer.from(header ?? new URL(request.url).searchParams.get("_token") ?? "");
  const expected = Buffer.from(token);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Redis starts its errors with a word in capitals (`ERR`, `WRONGTYPE`, `NOSCRIPT`), and clients look for it. */
function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /^[A-Z]{3,} /.test(text) ? text : `ERR ${text}`;
}

/** ioredis makes an object of HGETALL's answer; on the wire it is a flat list. */
function asReply(result: unknown): unknown {
  if (typeof result === "object" && result !== null && !Array.isArray(result)) {
    return Object.entries(result).flat();
  }
  return result ?? null;
}

function encodeStrings(value: unknown): unknown {
  if (typeof value === "string") return value === "OK" ? "OK" : Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(encodeStrings);
  if (typeof value === "object" && value !== null && "result" in value) {
    return { ...value, result: encodeStrings(value.result) };
  }
  return value;
}
