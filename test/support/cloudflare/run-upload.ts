/** Runs what was uploaded to the stand-in in workerd, with its bindings and secrets, as the platform would. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Miniflare, type ModuleDefinition, Response } from "miniflare";
import type { Script } from "./world.ts";

type Binding = Record<string, unknown> & { type: string; name: string };

/** The newest version, at a free port of loopback. @param stored the secrets of the account's Secrets Store, by name */
export async function runUpload(
  { versions, secrets }: Script,
  stored: ReadonlyMap<string, string> = new Map(),
): Promise<{ url: string; stop(): Promise<void> }> {
  const version = versions.at(-1);
  if (version === undefined) throw new Error("nothing was uploaded");
  const { bindings, main_module, compatibility_date } = version.metadata as {
    bindings: Binding[];
    main_module: string;
    compatibility_date: string;
  };
  const of = (type: string) => bindings.filter((binding) => binding.type === type);
  const named = (type: string, field: string) =>
    Object.fromEntries(of(type).map((binding) => [binding.name, binding[field]])) as Record<string, string>;
  const modules = [...version.modules]
    .map(
      ([path, { content, type }]): ModuleDefinition => ({
        type: type.startsWith("application/javascript") ? "ESModule" : "Text",
        path,
        contents: content.toString("utf8"),
      }),
    )
    .sort((a, b) => Number(b.path === main_module) - Number(a.path === main_module));
  const { _headers } =
    (version.metadata as { assets?: { config?: { _headers?: string } } }).assets?.config ?? {};
  const directory = await layOut(new Map([...version.assets, ["/_headers", Buffer.from(_headers ?? "")]]));
  const mf = new Miniflare({
    modules,
    assets: { directory, routerConfig: { has_user_worker: true } },
    // Nothing outside is there.
    outboundService: () => new Response(null, { status: 503 }),
    compatibilityDate: compatibility_date,
    bindings: { ...named("plain_text", "text"), ...named("json", "json"), ...Object.fromEntries(secrets) },
    kvNamespaces: named("kv_namespace", "namespace_id"),
    d1Databases: named("d1", "id"),
    secretsStoreSecrets: Object.fromEntries(
      of("secrets_store_secret").map(({ name, store_id, secret_name }) => [
        name,
        { store_id: String(store_id), secret_name: String(secret_name) },
      ]),
    ),
    queueProducers: named("queue", "queue_name"),
    durableObjects: Object.fromEntries(
      of("durable_object_namespace").map(({ name, class_name }) => [
        name,
        { className: String(class_name), useSQLite: true },
      ]),
    ),
  });
  for (const { name, secret_name } of of("secrets_store_secret")) {
    const administer = await mf.getSecretsStoreSecretAPI(name);
    await administer().create(stored.get(String(secret_name)) ?? "");
  }
  const stop = async () => {
    await mf.dispose();
    await rm(directory, { recursive: true, force: true });
  };
  return { url: (await mf.ready).href.replace(/\/$/, ""), stop };
}

async function layOut(files: ReadonlyMap<string, Buffer>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tollgate-assets-"));
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
