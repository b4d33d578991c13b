import { spawnSync } from "node:child_process";
import type { Redis } from "@upstash/redis/cloudflare";
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { type LocalRedis, openRedis } from "../../../scripts/dev/redis.ts";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import { makeUpstash, type UpstashService } from "../../../scripts/dev/upstash.ts";
import { openUpstash } from "../../../src/adapters/upstash/upstash-client.ts";

const TOKEN = "a-token-for-tests";
const PATIENT_MS = 25_000;

/** An empty Redis behind the Upstash protocol on loopback. */
export interface UpstashWorld {
  service: UpstashService;
  /**
   * A connection of its own, as each isolate has one; with another token it is a stranger's. It is patient, since a stand-in on
   * a busy machine is slow without being away.
   */
  connect(token?: string, timeoutMs?: number): Redis;
  /** Every key with the seconds it has left, -1 for one that stays for ever. */
  lives(): Promise<Record<string, number>>;
  /** Forgets the requests counted so far. */
  countFromHere(): void;
}

const hasServer = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasServer) console.log("no redis-server here: the Redis adapters are tried in memory only");

/**
 * Runs a suite on the Redis in memory and, where it is installed, on a `redis-server` of its own. Each test gets an
 * empty Redis and a service that has seen no script.
 */
export function describeOnRedis(what: string, suite: (upstash: () => UpstashWorld) => void): void {
  describe(`${what}, in memory`, () => suite(useUpstash({ PATH: "" })));
  // REDIS_URL is left out: these suites empty the Redis they run on.
  describe.skipIf(!hasServer)(`${what}, on redis-server`, () =>
    suite(useUpstash({ PATH: process.env.PATH })),
  );
}

function useUpstash(env: NodeJS.ProcessEnv): () => UpstashWorld {
  let redis: LocalRedis;
  let server: LocalServer;
  let world: UpstashWorld;

  beforeAll(async () => {
    redis = await openRedis(env);
  });
  beforeEach(async () => {
    await redis.client.call("flushdb");
    const service = makeUpstash({ redis: redis.client, token: TOKEN });
    server = await serveLocally(service.handle);
    world = {
      service,
      connect: (token = TOKEN, timeoutMs = PATIENT_MS) =>
        openUpstash(
          { UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: token },
          undefined,
          timeoutMs,
        ),
      async lives() {
        const names = (await redis.client.call("keys", "*")) as string[];
        const ttls = await Promise.all(names.map((name) => redis.client.call("ttl", name)));
        return Object.fromEntries(names.map((name, i) => [name, Number(ttls[i])]));
      },
      countFromHere: () => Object.assign(service.stats, { requests: 0, commands: 0, byName: {} }),
    };
  });
  afterEach(() => server.close());
  afterAll(() => redis.close());
  return () => world;
}
