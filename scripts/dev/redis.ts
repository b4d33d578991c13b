import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { openMemoryRedis } from "./memory-redis.ts";
import type { RedisClient } from "./redis-client.ts";
import { freePorts } from "./serve.ts";

export interface LocalRedis {
  client: RedisClient;
  kind: "url" | "redis-server" | "memory";
  /** Ends the client, and the server when it was started here. A server named by REDIS_URL keeps its data. */
  close(): Promise<void>;
}

const STARTING_SERVER_MS = 5_000;

/**
 * Opens the best Redis this machine has: the one REDIS_URL names, else a `redis-server` of its own (a free port of
 * 127.0.0.1, nothing written to disk), else one in memory. The last two start empty.
 *
 * @throws when REDIS_URL is set and does not answer: what was asked for is not silently replaced.
 */
export async function openRedis(env: NodeJS.ProcessEnv = process.env): Promise<LocalRedis> {
  if (env.REDIS_URL) {
    const client = await connect(env.REDIS_URL).catch((error: Error) => {
      throw new Error(`REDIS_URL is set but no Redis answers there (${error.message})`);
    });
    return { client, kind: "url", close: async () => client.disconnect() };
  }
  return (await startServer(env)) ?? openInMemory();
}

function openInMemory(): LocalRedis {
  const client = openMemoryRedis();
  return {
    client,
    kind: "memory",
    close: async () => {
      await client.quit();
    },
  };
}

async function startServer(env: NodeJS.ProcessEnv): Promise<LocalRedis | null> {
  const folder = mkdtempSync(join(tmpdir(), "tollgate-redis-"));
  const [port = 0] = await freePorts(1);
  const options = { port, bind: "127.0.0.1", save: "", appendonly: "no", dir: folder };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn("redis-server", args, { stdio: "ignore", env });
  const ended = new Promise<void>((resolve) => {
    server.once("error", () => resolve());
    server.once("exit", () => resolve());
  });
  function kill(): void {
    if (server.pid !== undefined) server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
  process.once("exit", kill);

  async function stop(): Promise<void> {
    process.off("exit", kill);
    kill();
    await ended;
  }

  const deadlineMs = Date.now() + STARTING_SERVER_MS;
  let client: Redis | null = null;
  while (client === null && server.pid !== undefined && server.exitCode === null && Date.now() < deadlineMs) {
    client = await connect(`redis://127.0.0.1:${port}`).catch(() => null);
    if (client === null) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (client === null) {
    await stop();
    return null;
  }
  return {
    client,
    kind: "redis-server",
    close: async () => {
      client.disconnect();
      await stop();
    },
  };
}

/** Connects, and rejects with the connection's own error when the first try fails; a later loss is repaired. */
async function connect(url: string): Promise<Redis> {
  let connected = false;
  let lastError: Error | null = null;
  const client = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: () => (connected ? 200 : null),
  });
  client.on("error", (error: Error) => {
    lastError = error;
  });
  try {
    await client.connect();
    await client.ping();
    connected = true;
    return client;
  } catch (error) {
    client.disconnect();
    throw lastError ?? error;
  }
}
