import { type Request as OutboundRequest, Response as OutboundResponse } from "miniflare";
import { makeInbox } from "../../scripts/dev/inbox.ts";
import { openMemoryRedis } from "../../scripts/dev/memory-redis.ts";
import { makeSiteverify } from "../../scripts/dev/siteverify.ts";
import { makeUpstash } from "../../scripts/dev/upstash.ts";
import { OUTSIDE, UPSTASH_TOKEN } from "./addresses.ts";

const host = (url: string) => new URL(url).host;

/**
 * The world outside the Worker, as Miniflare's outbound service: the same stand-ins that `npm start` runs, in memory. A
 * request that nobody expects is written down and fails the test that made it (`no-surprises.ts`). Tests steer it at
 * `OUTSIDE.control`: GET /state, POST /reset, PATCH /faults.
 */
export async function makeOutside() {
  const redis = openMemoryRedis();
  // The first scripts of a process take longest, and the Worker's time limit is real.
  for (let i = 0; i < 3; i++) await redis.call("EVAL", 'return redis.call("SET", KEYS[1], "1")', "1", "warm");
  await redis.call("FLUSHALL");
  const upstash = makeUpstash({ redis, token: UPSTASH_TOKEN });
  const siteverify = makeSiteverify();
  const inbox = makeInbox();
  let unexpected: string[] = [];

  async function control(request: Request, path: string): Promise<Response> {
    switch (`${request.method} ${path}`) {
      case "GET /state":
        return Response.json({ unexpected, upstash: upstash.stats, siteverify: siteverify.stats });
      case "POST /reset":
        unexpected = [];
        await redis.call("FLUSHALL");
        inbox.reset();
        for (const service of [upstash, siteverify])
          Object.assign(service.faults, { delayMs: 0, down: false });
        Object.assign(upstash.stats, { requests: 0, commands: 0, byName: {} });
        siteverify.stats.requests = 0;
        return new Response(null, { status: 204 });
      case "PATCH /faults": {
        const faults = (await request.json()) as Record<"upstash" | "siteverify" | "inbox", object>;
        Object.assign(upstash.faults, faults.upstash);
        Object.assign(siteverify.faults, faults.siteverify);
        Object.assign(inbox.faults, faults.inbox);
        return new Response(null, { status: 204 });
      }
      default:
        return new Response(null, { status: 404 });
    }
  }

  async function route(request: Request): Promise<Response> {
    const url = new URL(request.url);
    switch (url.host) {
      case host(OUTSIDE.control):
        return control(request, url.pathname);
      case host(OUTSIDE.upstash):
        return upstash.handle(request);
      case host(OUTSIDE.siteverify):
        return siteverify.handle(request);
      case host(OUTSIDE.inbox):
      case host(OUTSIDE.alerts):
        return inbox.app.fetch(request);
      default:
        unexpected.push(`${request.method} ${url.host}${url.pathname}`);
        return new Response("nobody expected this request", { status: 599 });
    }
  }

  return async (outbound: OutboundRequest): Promise<OutboundResponse> => {
    const body = ["GET", "HEAD"].includes(outbound.method) ? null : await outbound.arrayBuffer();
    const headers = [...outbound.headers] as [string, string][];
    const response = await route(new Request(outbound.url, { method: outbound.method, headers, body }));
    return new OutboundResponse(response.status === 204 ? null : await response.arrayBuffer(), {
      status: response.status,
      headers: [...response.headers] as [string, string][],
    });
  };
}
