/**
 * A stand-in of Cloudflare's API (https://developers.cloudflare.com/api/) as strict as its description: a path, method or
 * field that the description does not have is refused and noted, so that a test can say that nothing of the kind was asked.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { failure, page, read, success } from "./answers.ts";
import { ASSET_UPLOAD, assetsApi, sessionOf } from "./assets.ts";
import { workersApi } from "./workers.ts";
import { type Fault, makeDatabase, uuid, type World } from "./world.ts";

export interface CloudflareStandIn {
  url: string;
  close(): Promise<void>;
}

export async function serveCloudflare(world: World): Promise<CloudflareStandIn> {
  const app = new Hono().route("/client/v4", cloudflareApi(world));
  app.notFound((c) => {
    world.unknown.push(`${c.req.method} ${c.req.path}`);
    return failure(c, 404, 7000, "No route for that URI");
  });
  const listener = getRequestListener(app.fetch);
  const server: Server = createServer(async (request, response) => {
    const path = (request.url ?? "").replace("/client/v4", "");
    world.requests.push(`${request.method} ${path}`);
    const fault = takeFault(world, request.method ?? "", path);
    if (fault?.kind === "break before") return void request.socket.destroy();
    if (fault?.kind === "break after") {
      response.end = () => response.destroy() as never;
      response.writeHead = () => response;
    } else if (fault !== undefined && typeof fault.kind === "object") {
      const { status, code, message, retryAfter } = fault.kind;
      const headers = {
        "content-type": "application/json",
        ...(retryAfter && { "retry-after": retryAfter }),
      };
      request.resume();
      return void response
        .writeHead(status, headers)
        .end(JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null }));
    }
    await listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function takeFault(world: World, method: string, path: string): Fault | undefined {
  const fault = world.faults.find(
    (one) => one.times > 0 && (one.method ?? method) === method && one.path.test(path),
  );
  if (fault === undefined) return undefined;
  if (fault.passes !== undefined && fault.passes > 0) {
    fault.passes -= 1;
    return undefined;
  }
  fault.times -= 1;
  return fault;
}

const kvBody = z.strictObject({ title: z.string().min(1).max(512) });
const d1Body = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-_]*$/i),
  primary_location_hint: z.string().optional(),
  jurisdiction: z.string().optional(),
});
const queueBody = z.strictObject({ queue_name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/) });
const bucketBody = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/),
  locationHint: z.string().optional(),
  storageClass: z.string().optional(),
});
const widgetBody = z.strictObject({
  name: z.string().min(1).max(254),
  domains: z.array(z.string().regex(/^[a-z0-9.-]+$/)).max(10),
  mode: z.enum(["non-interactive", "invisible", "managed"]),
  bot_fight_mode: z.boolean().optional(),
  clearance_level: z.string().optional(),
  ephemeral_id: z.boolean().optional(),
  offlabel: z.boolean().optional(),
  region: z.string().optional(),
});

function cloudflareApi(world: World): Hono {
  const api = new Hono();
  api.use(async (c, next) => {
    // The upload of files has a token of its own, which knows its session and nothing else.
    if (c.req.path.endsWith(ASSET_UPLOAD) && sessionOf(c, world) !== undefined) return next();
    const given = c.req.header("authorization");
    if (given !== `Bearer ${world.token}`) {
      return given === undefined
        ? failure(c, 400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        : failure(c, 401, 10000, "Authentication error");
    }
    if (world.denied.some((path) => path.test(c.req.path)))
      return failure(c, 403, 10000, "Authentication error");
    await next();
  });
  api.use("/accounts/:account/*", async (c, next) => {
    if (c.req.param("account") !== world.account.id) return failure(c, 403, 10000, "Authentication error");
    await next();
  });

  api.get("/user", (c) => success(c, { id: "u", email: "ada@acme.test" }));
  api.get("/user/tokens/verify", (c) => success(c, { id: "t", status: "active" }));
  api.get("/memberships", (c) => page(c, [{ id: "m", account: world.account }]));
  api.get("/accounts", (c) => page(c, [world.account]));
  api.get("/zones", (c) =>
    page(
      c,
      world.zones
        .filter(({ name }) => name === (c.req.query("name") ?? name))
        .map(({ records: _, ...zone }) => zone),
    ),
  );
  api.get("/zones/:zone/dns_records", (c) => {
    const zone = world.zones.find(({ id }) => id === c.req.param("zone"));
    if (zone === undefined) return failure(c, 403, 9109, "Invalid zone identifier");
    return page(
      c,
      zone.records.filter(({ name }) => name === (c.req.query("name") ?? name)),
    );
  });
  api.get("/zones/:zone/workers/routes", (c) => success(c, []));

  const account = new Hono();
  storage(account, world);
  widgets(account, world);
  workersApi(account, world);
  assetsApi(account, world);
  api.route("/accounts/:account", account);
  return api;
}

function storage(account: Hono, world: World): void {
  account.get("/storage/kv/namespaces", (c) => page(c, world.namespaces));
  account.post("/storage/kv/namespaces", (c) =>
    read(c, kvBody, ({ title }) => {
      if (world.namespaces.some((one) => one.title === title)) {
        return failure(
          c,
          400,
          10014,
          "create namespace: 'a namespace with this account ID and title already exists'",
        );
      }
      const made = { id: world.nextId(), title, supports_url_encoding: true };
      world.namespaces.push(made);
      return success(c, made);
    }),
  );
  account.get("/storage/kv/namespaces/:id", (c) => {
    const found = world.namespaces.find(({ id }) => id === c.req.param("id"));
    return found ? success(c, found) : failure(c, 404, 10013, "namespace not found");
  });

  account.get("/d1/database", (c) =>
    page(c, world.databases.filter(({ name }) => name === (c.req.query("name") ?? name)).map(databaseToWire)),
  );
  account.post("/d1/database", (c) =>
    read(c, d1Body, ({ name }) => {
      if (world.databases.some((one) => one.name === name)) {
        return failure(c, 400, 7502, `Database with name '${name}' already exists`);
      }
      const made = { uuid: uuid(world.nextId()), name, sqlite: makeDatabase() };
      world.databases.push(made);
      return success(c, databaseToWire(made));
    }),
  );
  account.get("/d1/database/:id", (c) => {
    const found = world.databases.find(({ uuid: id }) => id === c.req.param("id"));
    return found
      ? success(c, databaseToWire(found))
      : failure(c, 404, 7404, "The database could not be found");
  });
  account.post("/d1/database/:id/query", async (c) => {
    const found = world.databases.find(({ uuid: id }) => id === c.req.param("id"));
    if (found === undefined) return failure(c, 404, 7404, "The database could not be found");
    const { sql, params } = z
      .object({ sql: z.string(), params: z.array(z.any()).optional() })
      .parse(await c.req.json());
    try {
      const isRead = /^\s*(select|pragma)/i.test(sql);
      const rows = isRead ? found.sqlite.prepare(sql).all(...(params ?? [])) : [];
      if (!isRead) found.sqlite.exec(sql);
      return success(c, [{ success: true, results: rows, meta: { duration: 1, changes: 0 } }]);
    } catch (error) {
      return failure(c, 400, 7500, (error as Error).message);
    }
  });

  account.get("/queues", (c) => {
    const names = c.req.queries("name");
    return page(
      c,
      world.queues
        .filter(({ queue_name }) => names?.includes(queue_name) ?? true)
        .map((queue) => ({
          ...queue,
          consumers_total_count: queue.consumers.length,
          producers_total_count: 0,
        })),
    );
  });
  account.post("/queues", (c) =>
    read(c, queueBody, ({ queue_name }) => {
      if (world.queues.some((one) => one.queue_name === queue_name)) {
        return failure(
          c,
          409,
          11009,
          `Queue name '${queue_name}' is already taken. Please use a different name and try again.`,
        );
      }
      const made = { queue_id: world.nextId(), queue_name, consumers: [], producers: [] };
      world.queues.push(made);
      return success(c, made);
    }),
  );
  const consumerBody = z.strictObject({
    type: z.literal("worker"),
    script_name: z.string(),
    dead_letter_queue: z.string().optional(),
    environment_name: z.string().optional(),
    settings: z.strictObject({
      batch_size: z.int().min(1).max(100).optional(),
      max_retries: z.int().min(0).max(100).optional(),
      max_wait_time_ms: z.int().min(0).max(60_000).optional(),
      max_concurrency: z.int().optional(),
      retry_delay: z.int().optional(),
    }),
  });
  const consume = (c: Context) =>
    read(c, consumerBody, ({ script_name, dead_letter_queue, settings }) => {
      const queue = world.queues.find(({ queue_id }) => queue_id === c.req.param("queue"));
      if (queue === undefined) return failure(c, 404, 11000, "Queue does not exist");
      const other = queue.consumers.find(({ script }) => script !== script_name);
      if (other || (c.req.method === "POST" && queue.consumers.length > 0)) {
        return failure(c, 409, 11004, `Queue ${queue.queue_name} already has a consumer`);
      }
      const consumer = {
        consumer_id: queue.consumers[0]?.consumer_id ?? world.nextId(),
        script: script_name,
        type: "worker" as const,
        ...(dead_letter_queue !== undefined && { dead_letter_queue }),
        settings,
      };
      queue.consumers = [consumer];
      return success(c, consumer);
    });
  account.post("/queues/:queue/consumers", consume);
  account.put("/queues/:queue/consumers/:consumer", consume);

  account.get("/secrets_store/stores/:store/secrets", (c) => {
    if (c.req.param("store") !== world.store.id) return failure(c, 404, 1001, "store_not_found");
    const search = c.req.query("search") ?? "";
    return page(
      c,
      [...world.store.secrets.keys()]
        .filter((name) => name.includes(search))
        .map((name) => ({ id: name, name, store_id: world.store.id, status: "active", scopes: ["workers"] })),
    );
  });

  account.get("/r2/buckets", (c) => success(c, { buckets: world.buckets }));
  account.post("/r2/buckets", (c) =>
    read(c, bucketBody, ({ name }) => {
      if (world.buckets.some((one) => one.name === name)) {
        return failure(c, 409, 10004, "The bucket you tried to create already exists, and you own it.");
      }
      world.buckets.push({ name });
      return success(c, { name });
    }),
  );
}

const databaseToWire = ({ uuid: id, name }: World["databases"][number]) => ({
  uuid: id,
  name,
  version: "production",
  num_tables: 0,
  file_size: 12_288,
  created_at: "2026-11-21T00:00:00Z",
});

function widgets(account: Hono, world: World): void {
  account.get("/challenges/widgets", (c) =>
    page(
      c,
      world.widgets.map(({ secret: _, ...widget }) => widget),
    ),
  );
  account.post("/challenges/widgets", (c) =>
    read(c, widgetBody, ({ name, domains, mode }) => {
      const id = world.nextId().slice(-20);
      const made = { sitekey: `0x4A${id}`, name, domains, mode, secret: `0x4secret-of-${id}` };
      world.widgets.push(made);
      return success(c, made);
    }),
  );
  account.get("/challenges/widgets/:sitekey", (c) => {
    const found = world.widgets.find(({ sitekey }) => sitekey === c.req.param("sitekey"));
    return found ? success(c, found) : failure(c, 404, 10404, "Widget not found");
  });
}
