import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countFlows, type FlowCosts } from "../../../scripts/bench/cost/count-flows.ts";
import { openCountedFlows } from "../../../scripts/bench/cost/counted-flows.ts";
import { type LocalRedis, openRedis } from "../../../scripts/dev/redis.ts";

const hasServer = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasServer) console.log("no redis-server here: calls inside scripts are not counted");

/** The most that one verified flow may cost, with an idempotency key and a network, and without a device or a user. */
const BUDGET = { requests: 5, commands: 6, withInner: 45 };

describe.skipIf(!hasServer)("what a request costs on Upstash", () => {
  let redis: LocalRedis;
  let costs: FlowCosts;
  let firstMonth: FlowCosts;

  beforeAll(async () => {
    redis = await openRedis({ PATH: process.env.PATH });
    const count = async (shapeIsNew: boolean) => {
      const flows = await openCountedFlows(redis, {}, shapeIsNew);
      const counted = await countFlows(flows);
      await flows.close();
      return counted;
    };
    costs = await count(false);
    firstMonth = await count(true);
  });
  afterAll(() => redis.close());

  const callsOf = (name: string) => {
    const found = costs.others.find((other) => other.name === name)?.calls;
    if (!found) throw new Error(`no request is called "${name}"`);
    return found;
  };

  test("a verified flow stays within its budget", () => {
    const { requests, commands, withInner } = costs.verified.all;
    expect(requests).toBeLessThanOrEqual(BUDGET.requests);
    expect(commands).toBeLessThanOrEqual(BUDGET.commands);
    expect(withInner).toBeLessThanOrEqual(BUDGET.withInner);
  });

  test("while the shape of before is looked for it makes two calls more, in the same commands", () => {
    const { requests, commands, withInner } = firstMonth.verified.all;
    expect([requests, commands]).toEqual([costs.verified.all.requests, costs.verified.all.commands]);
    expect(withInner).toBe((costs.verified.all.withInner ?? 0) + 2);
  });

  test("admission, reservation, binding, receipt and verification are one command each, beside the wrong codes' limit", () => {
    const { send, receipt, verify } = costs.verified;
    expect([send, receipt, verify].map(({ requests, commands }) => [requests, commands])).toEqual([
      [3, 4],
      [1, 1],
      [1, 1],
    ]);
  });

  test("what is refused before the first hop costs no command of its own", () => {
    for (const name of ["refused by hygiene", "without a CAPTCHA token"]) {
      expect(callsOf(name)).toMatchObject({ requests: 0, commands: 0 });
    }
  });

  test("what is refused after it costs two, and one more where an idempotency key is freed", () => {
    expect(callsOf("the same, without an idempotency key")).toMatchObject({ requests: 1, commands: 2 });
    for (const name of ["refused by a number's limit", "with a CAPTCHA token that fails"]) {
      expect(callsOf(name)).toMatchObject({ requests: 2, commands: 3 });
    }
  });

  test("a repeated send and a wrong code stay within six commands", () => {
    for (const name of ["repeated send", "wrong code"]) {
      expect(callsOf(name).commands).toBeLessThanOrEqual(6);
    }
  });
});
