import { randomUUID } from "node:crypto";
import RedisMock from "ioredis-mock";
import { readReply, wrapScript } from "./memory-lua.ts";
import type { RedisClient, RedisTransaction } from "./redis-client.ts";

type Command = (...args: string[]) => unknown;

/**
 * A Redis in this process, empty at first, for machines without `redis-server`.
 *
 * Looser than Redis, so a script that works here still wants a try on the real one. Limits of ioredis-mock 8: it checks
 * neither types nor argument counts (INCR of a text gives null), ignores NX, XX, GT and LT on EXPIRE, and has no PFADD,
 * HPEXPIRE, COPY or BITFIELD (these fail by name). Limits of its Lua: quotients and numbers over 16 million print with
 * a fraction (`20000000.0`), products of smaller ones wrap at 32 bits; no cjson; an empty text reads as missing.
 */
export function openMemoryRedis(): RedisClient & { quit(): Promise<unknown> } {
  // ioredis-mock shares data between clients of one host: a name of its own makes this one start empty.
  const mock = new RedisMock({ host: randomUUID() });
  const commands = mock as unknown as Record<string, Command | undefined>;
  let turn: Promise<unknown> = Promise.resolve();

  function commandNamed(name: string): Command | null {
    const command = commands[name.toLowerCase()];
    return typeof command === "function" ? command : null;
  }

  async function run(name: string, args: string[]): Promise<unknown> {
    if (name.toLowerCase() === "eval") {
      const [script = "", ...rest] = args;
      return readReply(await mock.eval(wrapScript(script), ...(rest as [string])));
    }
    const command = commandNamed(name);
    if (command === null) throw new Error(`ERR unknown command '${name}'`);
    return command.apply(mock, name.toLowerCase() === "set" ? loudOptions(args) : args);
  }

  // Redis does one thing at a time; so does this, or a transaction would let others in between its commands.
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  function multi(): RedisTransaction {
    const queue: [name: string, args: string[]][] = [];
    return {
      call: (name, ...args) => queue.push([name, args]),
      exec: () =>
        inTurn(async () => {
          if (queue.some(([name]) => commandNamed(name) === null)) {
            throw new Error("EXECABORT Transaction discarded because of previous errors.");
          }
          const results: [Error | null, unknown][] = [];
          for (const [name, args] of queue) {
            results.push(
              await run(name, args).then(
                (result): [null, unknown] => [null, result],
                (error: Error): [Error, null] => [error, null],
              ),
            );
          }
          return results;
        }),
    };
  }

  return {
    call: (name, ...args) => inTurn(() => run(name, args)),
    multi,
    quit: () => mock.flushall().then(() => mock.disconnect()),
  };
}

/** ioredis-mock sees the options of SET only in capitals; @upstash/redis sends `nx` and would overwrite what is there. */
function loudOptions([key = "", value = "", ...options]: string[]): string[] {
  const loud = options.map((option) => option.toUpperCase());
  // Its option pairs are read two by two, which a GET in front of them upsets.
  return [
    key,
    value,
    ...loud.filter((option) => option !== "GET"),
    ...loud.filter((option) => option === "GET"),
  ];
}
