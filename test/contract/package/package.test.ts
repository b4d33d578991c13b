import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FreshProject, freshProject, NODE, outcomeOf, ROOT, TSC } from "./support-kit.ts";

const CONSUMER = `
import { createTollgate, type Refusal, type Sent } from "tollgate/client";
import { TollgateForm } from "tollgate/element";
import { createServerClient, verifyProof, verifyWebhook } from "tollgate/server";

export async function use(signal: AbortSignal): Promise<string> {
  const sent: Sent | Refusal = await createTollgate({ baseUrl: "" }).start({ phone: "+919876543210" }, { signal });
  if (sent.kind !== "sent") return sent.kind;

  const checked = await verifyProof(sent.session, { issuer: "i", audience: "a", once: async () => true });
  if (!checked.ok) {
    // @ts-expect-error there is no such reason
    if (checked.reason === "no_such_reason") return "";
    return checked.reason;
  }
  const hook = await verifyWebhook(new Request("https://x"), ["whsec_"]);
  if (!hook.ok) return hook.reason;

  const server = createServerClient({ baseUrl: "", apiKey: "" });
  // @ts-expect-error a server states its end user
  await server.send({ phone: "+919876543210" });
  const outcome = await server.send({ phone: "+919876543210", channel: "sms", client: { ip: "192.0.2.1" } });
  if (!outcome.ok) return outcome.code === "too_many_requests" ? String(outcome.problem.retry_after) : outcome.code;
  const seconds: number | null = outcome.answer.resend_in_seconds;

  const form: TollgateForm | null = document.querySelector("tollgate-form");
  form?.reset();
  return checked.claims.phone_number + seconds;
}
`;

let project: FreshProject;
beforeAll(async () => {
  project = await freshProject();
}, 60_000);
afterAll(() => rm(project.folder, { recursive: true, force: true }));

async function compile(moduleResolution: "bundler" | "nodenext") {
  const compilerOptions = {
    module: moduleResolution === "bundler" ? "esnext" : "nodenext",
    moduleResolution,
    target: "es2022",
    lib: ["es2023", "dom", "dom.iterable"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  const file = join(project.folder, `tsconfig.${moduleResolution}.json`);
  await writeFile(join(project.folder, "consumer.ts"), CONSUMER);
  await writeFile(file, JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
  return outcomeOf(NODE, [TSC, "-p", file], project.folder);
}

test.each(["bundler", "nodenext"] as const)(
  "a fresh project type-checks against it (%s)",
  async (resolution) => {
    expect(await compile(resolution)).toEqual({ ok: true, printed: "" });
  },
);

test("publint finds nothing to say", async () => {
  const { messages } = await publint({ pkgDir: project.installed, pack: false, strict: true });
  const manifest = JSON.parse(await readFile(join(project.installed, "package.json"), "utf8"));
  expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
});

test("the types are right for every kind of importer of ES modules", async () => {
  const attw = join(ROOT, "node_modules/.bin/attw");
  const args = [attw, project.tarball, "--profile", "esm-only", "--no-emoji", "--no-color"];
  const { ok, printed } = await outcomeOf(NODE, args, project.folder);
  expect(ok, printed).toBe(true);
  for (const name of ["client", "element", "server"]) {
    expect(printed).toMatch(new RegExp(`"tollgate/${name}" +│ OK \\(ESM\\) +│ OK `));
  }
});

test("it holds the kit and nothing of the service", async () => {
  const files = await readdir(project.installed, { recursive: true, withFileTypes: true });
  const names = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(project.installed.length + 1));
  const rest = names.filter((name) => !name.startsWith("dist/package/types/client/"));
  expect(rest.toSorted()).toEqual([
    "CHANGELOG.md",
    "README.md",
    "dist/package/better-auth.js",
    "dist/package/client.js",
    "dist/package/element.js",
    "dist/package/server.js",
    "dist/package/types/http/contract.d.ts",
    "package.json",
  ]);
  for (const name of names.filter((name) => name.endsWith(".d.ts"))) {
    const text = await readFile(join(project.installed, name), "utf8");
    expect(text, name).not.toMatch(/from "(?!\.{1,2}\/[^"]+\.js"|jose"|libphonenumber-js|better-auth)/);
  }
});

test("it imports only what it names as its dependencies", async () => {
  const { dependencies } = JSON.parse(await readFile(join(project.installed, "package.json"), "utf8"));
  const imports = async (name: string) => {
    const text = await readFile(join(project.installed, "dist/package", name), "utf8");
    return [...new Set([...text.matchAll(/from "([^"./]+)[^"]*"/g)].map(([, module]) => module))];
  };
  expect(await imports("client.js")).toEqual([]);
  expect(await imports("element.js")).toEqual(["libphonenumber-js"]);
  expect(await imports("better-auth.js")).toEqual(["better-auth"]);
  expect((await imports("server.js")).toSorted()).toEqual(["jose", "standardwebhooks"]);
  expect(Object.keys(dependencies)).toEqual(
    expect.arrayContaining(["jose", "libphonenumber-js", "standardwebhooks"]),
  );
});

test("all of it loads where there is no browser", async () => {
  const script = `
    const modules = await Promise.all(["client", "element", "server"].map((name) => import("tollgate/" + name)));
    console.log(modules.map((module) => Object.keys(module)).flat().sort().join(" "));`;
  const { ok, printed } = await outcomeOf(NODE, ["--input-type=module", "--eval", script], project.folder);
  expect(ok, printed).toBe(true);
  const names = ["TollgateForm", "createServerClient", "createTollgate", "verifyProof", "verifyWebhook"];
  expect(printed.trim().split(" ")).toEqual(expect.arrayContaining(names));
});

test("the client stays under 6 kB and the element, with the numbers of the world, under 45 kB", async () => {
  const source = join(project.folder, "source/dist");
  const bytes = async (name: string) => gzipSync(await readFile(join(source, name)), { level: 9 }).length;
  expect(await bytes("package/client.js")).toBeLessThan(6_000);
  expect(await bytes("element.js")).toBeLessThan(45_000);
});

test("two builds are the same, byte for byte", async () => {
  const again = join(project.folder, "again");
  await outcomeOf(NODE, [join(ROOT, "scripts/build-client.ts"), "--out", again], project.folder);
  const read = async (folder: string) => {
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    return Promise.all(
      paths.toSorted().map(async (path) => [path.slice(folder.length), await readFile(path, "utf8")]),
    );
  };
  expect(await read(again)).toEqual(await read(join(project.folder, "source/dist")));
});
