/** The part of the stand-in that keeps Workers: uploads, secrets, versions, deployments, addresses. */
import type { Context, Hono } from "hono";
import { z } from "zod";
import { failure, read, success } from "./answers.ts";
import { uploadedAssets } from "./assets.ts";
import { makeScript, type Script, uuid, type Version, type World } from "./world.ts";

const NOT_FOUND = [404, 10007, "This Worker does not exist on your account."] as const;
const secretsBody = z.strictObject({
  secrets: z.record(
    z.string().regex(/^[A-Z_][A-Z0-9_]*$/),
    z.strictObject({ name: z.string(), text: z.string(), type: z.literal("secret_text") }).nullable(),
  ),
});
const deploymentBody = z.strictObject({
  strategy: z.literal("percentage"),
  versions: z
    .array(z.strictObject({ version_id: z.string(), percentage: z.number().min(0).max(100) }))
    .min(1)
    .max(2),
  annotations: z.record(z.string(), z.string()).optional(),
});

export function workersApi(account: Hono, world: World): void {
  const withScript = (c: Context, act: (script: Script, name: string) => Response | Promise<Response>) => {
    const name = c.req.param("name") ?? "";
    const script = world.scripts.get(name);
    return script === undefined ? failure(c, ...NOT_FOUND) : act(script, name);
  };
  const at = "/workers/scripts/:name";

  account.get("/workers/subdomain", (c) => success(c, { subdomain: world.subdomain }));
  account.get("/workers/services/:name", (c) =>
    withScript(c, (script, name) =>
      success(c, {
        id: name,
        default_environment: {
          environment: "production",
          script: {
            id: name,
            last_deployed_from: "wrangler",
            ...(script.migrationTag !== null && { migration_tag: script.migrationTag }),
          },
        },
      }),
    ),
  );
  account.get("/workers/scripts", (c) =>
    success(
      c,
      [...world.scripts].map(([id, { migrationTag }]) => ({
        id,
        ...(migrationTag !== null && { migration_tag: migrationTag }),
      })),
    ),
  );
  account.get(`${at}/secrets`, (c) =>
    withScript(c, (script) =>
      success(
        c,
        [...script.secrets.keys()].map((name) => ({ name, type: "secret_text" })),
      ),
    ),
  );
  account.patch(`${at}/secrets-bulk`, (c) =>
    withScript(c, (script) =>
      read(c, secretsBody, ({ secrets }) => {
        for (const [name, secret] of Object.entries(secrets)) {
          if (secret === null) script.secrets.delete(name);
          else script.secrets.set(name, secret.text);
        }
        return success(c, Object.keys(secrets));
      }),
    ),
  );
  account.put(at, async (c) => {
    const name = c.req.param("name");
    const version = await readVersion(c, world);
    if (typeof version === "string") return failure(c, 400, 10021, version);
    const script = world.scripts.get(name) ?? makeScript();
    world.scripts.set(name, script);
    addVersion(script, version);
    deploy(world, script, [{ version_id: version.id, percentage: 100 }]);
    return success(c, {
      id: name,
      etag: version.id,
      deployment_id: version.id,
      startup_time_ms: 1,
      entry_point: "worker.js",
      available_on_subdomain: script.workersDev,
    });
  });
  account.post(`${at}/versions`, (c) =>
    withScript(c, async (script) => {
      const version = await readVersion(c, world);
      if (typeof version === "string") return failure(c, 400, 10021, version);
      if (version.metadata.migrations !== undefined) {
        return failure(c, 400, 10211, "migrations must be fully applied before uploading a version");
      }
      addVersion(script, version);
      return success(c, { ...versionToWire(version), startup_time_ms: 1 });
    }),
  );
  account.get(`${at}/versions`, (c) =>
    withScript(c, (script) => success(c, { items: script.versions.toReversed().map(versionToWire) })),
  );
  account.get(`${at}/versions/:version`, (c) =>
    withScript(c, (script) => {
      const found = script.versions.find(({ id }) => id === c.req.param("version"));
      return found ? success(c, versionToWire(found)) : failure(c, 404, 10009, "Version not found");
    }),
  );
  account.get(`${at}/deployments`, (c) =>
    withScript(c, (script) =>
      success(c, {
        deployments: script.deployments.toReversed().map((deployment) => ({
          ...deployment,
          source: "wrangler",
          strategy: "percentage",
          annotations: {},
        })),
      }),
    ),
  );
  account.post(`${at}/deployments`, (c) =>
    withScript(c, (script) =>
      read(c, deploymentBody, ({ versions }) => {
        const sum = versions.reduce((total, { percentage }) => total + percentage, 0);
        const isKnown = versions.every(({ version_id }) =>
          script.versions.some(({ id }) => id === version_id),
        );
        if (sum !== 100 || !isKnown)
          return failure(c, 400, 10001, "the versions are unknown or are not 100 % together");
        return success(c, { id: deploy(world, script, versions) });
      }),
    ),
  );
  account.get(`${at}/settings`, (c) =>
    withScript(c, (script) => success(c, { bindings: script.versions.at(-1)?.metadata.bindings ?? [] })),
  );
  account.patch(`${at}/script-settings`, (c) => withScript(c, () => success(c, {})));
  account.get(`${at}/subdomain`, (c) =>
    withScript(c, (script) => success(c, { enabled: script.workersDev, previews_enabled: false })),
  );
  account.post(`${at}/subdomain`, (c) =>
    withScript(c, (script) =>
      read(
        c,
        z.strictObject({ enabled: z.boolean(), previews_enabled: z.boolean().optional() }),
        ({ enabled }) => {
          script.workersDev = enabled;
          return success(c, { enabled, previews_enabled: false });
        },
      ),
    ),
  );
  account.get(`${at}/schedules`, (c) =>
    withScript(c, (script) => success(c, { schedules: script.schedules.map((cron) => ({ cron })) })),
  );
  account.put(`${at}/schedules`, (c) =>
    withScript(c, (script) =>
      read(c, z.array(z.strictObject({ cron: z.string() })), (crons) => {
        script.schedules = crons.map(({ cron }) => cron);
        return success(c, { schedules: crons });
      }),
    ),
  );
  const domainsBody = z.strictObject({
    override_scope: z.boolean(),
    override_existing_origin: z.boolean(),
    override_existing_dns_record: z.boolean(),
    origins: z.array(
      z.strictObject({
        hostname: z.string(),
        zone_id: z.string().optional(),
        zone_name: z.string().optional(),
        enabled: z.boolean().optional(),
        previews_enabled: z.boolean().optional(),
      }),
    ),
  });
  account.put(`${at}/domains/records`, (c) =>
    withScript(c, (_script, name) =>
      read(c, domainsBody, ({ origins }) => {
        for (const { hostname } of origins) {
          const zone = world.zones.find((one) => hostname === one.name || hostname.endsWith(`.${one.name}`));
          if (zone === undefined) return failure(c, 400, 10082, "Could not find zone for the hostname");
          world.domains = world.domains.filter((one) => one.hostname !== hostname);
          world.domains.push({
            id: world.nextId(),
            hostname,
            service: name,
            zone_id: zone.id,
            zone_name: zone.name,
          });
        }
        return success(c, origins);
      }),
    ),
  );
  account.get("/workers/domains", (c) =>
    success(
      c,
      world.domains
        .filter(({ hostname }) => hostname === (c.req.query("hostname") ?? hostname))
        .map((domain) => ({ ...domain, environment: "production" })),
    ),
  );
}

function addVersion(script: Script, version: Version): void {
  version.number = script.versions.length + 1;
  script.versions.push(version);
  const migrations = version.metadata.migrations as { new_tag?: string } | undefined;
  script.migrationTag = migrations?.new_tag ?? script.migrationTag;
}

function deploy(
  world: World,
  script: Script,
  versions: { version_id: string; percentage: number }[],
): string {
  const id = uuid(world.nextId());
  const created_on = new Date(Date.UTC(2026, 10, 21, 0, 0, script.deployments.length)).toISOString();
  script.deployments.push({ id, created_on, versions });
  return id;
}

const versionToWire = ({ id, number, metadata }: Version) => ({
  id,
  number,
  metadata: {
    has_preview: false,
    created_on: "2026-11-21T00:00:00Z",
    source: "wrangler",
    author_email: "ada@acme.test",
  },
  annotations: {},
  resources: {
    bindings: metadata.bindings ?? [],
    script: { etag: id, handlers: ["fetch", "queue", "scheduled"], last_deployed_from: "wrangler" },
    script_runtime: { usage_model: "standard" },
  },
});

/** Reads an upload: its metadata and modules; a text says why it is refused. */
async function readVersion(c: Context, world: World): Promise<Version | string> {
  const form = await c.req.formData();
  const metadata = JSON.parse(String(form.get("metadata") ?? "null"));
  if (metadata === null) return "the metadata are missing";
  const fault = (metadata.bindings ?? []).flatMap((binding: Record<string, string>) =>
    bindingFault(binding, world),
  )[0];
  if (fault !== undefined) return fault;
  const given = metadata.assets as { jwt: string } | undefined;
  const assets = given === undefined ? new Map<string, Buffer>() : uploadedAssets(given.jwt, world);
  if (typeof assets === "string") return assets;
  const modules = new Map<string, { content: Buffer; type: string }>();
  for (const [name, part] of form.entries()) {
    if (typeof part === "string") continue;
    modules.set(name, { content: Buffer.from(await part.arrayBuffer()), type: part.type });
  }
  return { id: uuid(world.nextId()), number: 0, metadata, modules, assets };
}

/** A binding must lead to something that is there. */
function bindingFault(binding: Record<string, string>, world: World): string[] {
  switch (binding.type) {
    case "kv_namespace":
      return world.namespaces.some(({ id }) => id === binding.namespace_id) ? [] : ["KV namespace not found"];
    case "d1":
      return world.databases.some(({ uuid: id }) => id === binding.id) ? [] : ["D1 database not found"];
    case "queue":
      return world.queues.some(({ queue_name }) => queue_name === binding.queue_name)
        ? []
        : ["Queue not found"];
    case "r2_bucket":
      return world.buckets.some(({ name }) => name === binding.bucket_name) ? [] : ["R2 bucket not found"];
    case "secrets_store_secret":
      return binding.store_id === world.store.id && world.store.secrets.has(String(binding.secret_name))
        ? []
        : ["secret not found in store"];
    case "plain_text":
    case "json":
    case "durable_object_namespace":
    case "inherit":
      return [];
    default:
      return [`no binding of type ${binding.type}`];
  }
}
