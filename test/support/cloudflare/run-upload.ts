/** Runs what was uploaded to the stand-in in workerd, with its bindings and secrets, as the platform would. */
import { Miniflare, type ModuleDefinition, Response } from "miniflare";
import type { Script } from "./world.ts";

type Binding = Record<string, unknown> & { type: string; name: string };

/** The newest version, at a free port of loopback. */
export async function runUpload({
  versions,
  secrets,
}: Script): Promise<{ url: string; stop(): Promise<void> }> {
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
  const mf = new Miniflare({
    modules,
    // Nothing outside is there.
    outboundService: () => new Response(null, { status: 503 }),
    compatibilityDate: compatibility_date,
    bindings: { ...named("plain_text", "text"), ...named("json", "json"), ...Object.fromEntries(secrets) },
    kvNamespaces: named("kv_namespace", "namespace_id"),
    d1Databases: named("d1", "id"),
    queueProducers: named("queue", "queue_name"),
    durableObjects: Object.fromEntries(
      of("durable_object_namespace").map(({ name, class_name }) => [
        name,
        { className: String(class_name), useSQLite: true },
      ]),
    ),
  });
  return { url: (await mf.ready).href.replace(/\/$/, ""), stop: () => mf.dispose() };
}
