/** Writes down everything others rely on, so that a change that must change none of it can be checked. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, matchesGlob } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs, promisify } from "node:util";
import { build } from "esbuild";
import { parse } from "smol-toml";
import { CommandError, ROOT, runCommand } from "../lib/command.ts";
import { environmentOf, mergeTables, policyOf, readSettings, type Table } from "../lib/settings.ts";
import { factsOf } from "./frozen/facts.ts";
import { playJourney } from "./frozen/journey.ts";
import type { ObjectClass } from "./frozen/platform.ts";
import { makeWorld, type WorkerModule } from "./frozen/world.ts";

/** Where everything lies and by what name it is exported: the one place to edit when files move. */
const PLACES = {
  worker: { file: "scripts/dev/entry.ts", name: "default" },
  sessionObject: { file: "scripts/dev/entry.ts", name: "SessionObject" },
  policySchema: { file: "src/domain/policy.ts", name: "policySchema" },
  parsePolicy: { file: "src/config/config.ts", name: "parsePolicy" },
  parseConfig: { file: "src/config/config.ts", name: "parseConfig" },
  openApiDocument: { file: "src/http/openapi.ts", name: "openApiDocument" },
  problemCodes: { file: "src/http/contract.ts", name: "PROBLEM_CODES" },
  toJsonSchema: { file: "node_modules/zod/index.js", name: "toJSONSchema" },
} as const;
const MIGRATIONS = "src/data/migrations";
const STRICT_POLICY = "scripts/policies/strict.json";
const SOURCES = "src";
/** Not part of the service: their console is a browser's. */
const CLIENT_SOURCES = "src/client";
const COMMANDS = {
  start: "scripts/start.ts",
  keys: "scripts/keys.ts",
  posture: "scripts/posture.ts",
  deploy: "scripts/deploy.ts",
  "api-keys": "scripts/api-keys.ts",
  lab: "scripts/lab/main.ts",
  ops: "scripts/ops.ts",
  "simulate-attack": "scripts/simulate-attack.ts",
  "build-client": "scripts/build-client.ts",
  bench: "scripts/bench.ts",
  "bench-watch": "scripts/bench-watch.ts",
  "bench-ops": "scripts/bench-ops.ts",
};

/** What the platform's own module gives. */
const PLATFORM_MODULE = `
export const waitUntil = (work) => globalThis.frozenWaitUntil(work);
export class DurableObject {
  constructor(ctx, env) { this.ctx = ctx; this.env = env; }
}`;

const HELP = `Writes down everything others rely on, or compares it with what was written down before.

  node scripts/dev/frozen.ts --record FILE
  node scripts/dev/frozen.ts --check FILE

  --record FILE   writes it as JSON; the same code gives the same bytes
  --check FILE    prints each difference in one line (- was there, + is new), and exits with 1 when there is one
  --no-lab        leaves the attack lab out, which takes minutes; --check then compares without it
  --help

In it: the API document, the policy's schema and parsed policies, settings, problem codes, help texts, npm scripts, facts
of the log as the sources spell them, the lab's short report; and of one scripted journey through the whole Worker every
stored shape (Redis, KV, D1, the session object, queues), answer, request to others, told fact and metric.
`;

interface Service {
  worker: WorkerModule;
  sessionObject: ObjectClass;
  policySchema: unknown;
  parsePolicy(input: unknown): unknown;
  parseConfig(input: unknown): { ok: boolean; faults?: string[] };
  openApiDocument(issuer: string): object;
  problemCodes: readonly string[];
  toJsonSchema(schema: unknown, options: object): object;
}

const run = promisify(execFile);
const say = console.log;

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      record: { type: "string" },
      check: { type: "string" },
      "no-lab": { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return say(HELP);
  if ((values.record === undefined) === (values.check === undefined)) {
    throw new CommandError("Give one of --record FILE and --check FILE. Try --help.");
  }
  const frozen = await freeze(!values["no-lab"]);
  const text = `${JSON.stringify(frozen, null, 1)}\n`;
  if (values.record !== undefined) {
    await writeFile(values.record, text);
    return say(`${values.record}: ${text.length} bytes`);
  }
  const before = JSON.parse(await readFile(values.check ?? "", "utf8")) as Table;
  const isCompared = (section: string) => section !== "lab" || frozen.lab !== undefined;
  const differences = compare(
    linesOf(Object.fromEntries(Object.entries(before).filter(([section]) => isCompared(section)))),
    linesOf(before.lab === undefined ? { ...JSON.parse(text), lab: undefined } : JSON.parse(text)),
  );
  for (const line of differences) say(line);
  console.error(differences.length === 0 ? "Nothing differs." : `${differences.length} differences.`);
  process.exitCode = differences.length === 0 ? 0 : 1;
});

async function freeze(withLab: boolean): Promise<Table> {
  const helps = await helpTexts();
  const lab = withLab ? await labReport() : undefined;
  const service = await loadService();
  const settings = await readSettings();
  const strict = JSON.parse(await readFile(join(ROOT, STRICT_POLICY), "utf8")) as Table;
  const development = policyOf(settings);
  const policies = {
    development,
    staging: policyOf(environmentOf(settings, "staging")),
    production: policyOf(environmentOf(settings, "production")),
    strict: mergeTables(development, strict),
  };
  const sources = await readSources();
  const schema = (io: string) => service.toJsonSchema(service.policySchema, { io, unrepresentable: "any" });
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  return {
    openapi: service.openApiDocument("https://verify.example.com"),
    policy: {
      input: schema("input"),
      output: schema("output"),
      parsed: Object.fromEntries(
        Object.entries(policies).map(([name, policy]) => [name, service.parsePolicy(policy)]),
      ),
      refused: service.parsePolicy({}),
    },
    settings: settingsOf(service, sources),
    problemCodes: service.problemCodes,
    facts: factsOf(sources),
    npmScripts: Object.keys(scripts).sort(),
    helps,
    journey: await journeyOf(service, development),
    lab,
  };
}

/** The Worker and the rest of the table as one module, with text files as its configuration says. */
async function loadService(): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "frozen-"));
  const outfile = join(folder, "service.mjs");
  const entry = Object.entries(PLACES).map(
    ([as, { file, name }]) => `export { ${name} as ${as} } from "./${file}";`,
  );
  const { rules = [] } = parse(await readFile(join(ROOT, "wrangler.toml"), "utf8")) as {
    rules?: { globs: string[] }[];
  };
  const globs = rules.flatMap((rule) => rule.globs);
  try {
    await build({
      stdin: { contents: entry.join("\n"), resolveDir: ROOT, loader: "ts" },
      bundle: true,
      outfile,
      format: "esm",
      platform: "browser",
      conditions: ["workerd", "worker"],
      target: "es2024",
      jsx: "automatic",
      jsxImportSource: "hono/jsx",
      logLevel: "error",
      plugins: [
        {
          name: "platform",
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /^cloudflare:workers$/ }, () => ({ path: "workers", namespace: "platform" }));
            onLoad({ filter: /.*/, namespace: "platform" }, () => ({ contents: PLATFORM_MODULE }));
            onLoad({ filter: /\.(js|css|csv|html|toml)$/ }, async ({ path }) =>
              globs.some((glob) => matchesGlob(path, glob))
                ? { contents: await readFile(path, "utf8"), loader: "text" }
                : undefined,
            );
          },
        },
      ],
    });
    return (await import(pathToFileURL(outfile).href)) as Service;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readSources(): Promise<string[]> {
  const files = await readdir(join(ROOT, SOURCES), { recursive: true });
  const wanted = files
    .map((file) => `${SOURCES}/${file}`)
    .filter((file) => /^\.tsx?$/.test(extname(file)) && !file.startsWith(`${CLIENT_SOURCES}/`));
  return Promise.all(wanted.sort().map((file) => readFile(join(ROOT, file), "utf8")));
}

/** A wrong value under every name the sources spell in capitals: what is read is refused, and so known by its name. */
function settingsOf({ parseConfig }: Service, sources: readonly string[]): Table {
  const names = new Set(sources.flatMap((source) => source.match(/\b[A-Z][A-Z0-9_]{3,}\b/g) ?? []));
  const faultsOf = (env: object) => [...(parseConfig(env).faults ?? [])].sort();
  const wrong = (value: unknown) => Object.fromEntries([...names].map((name) => [name, value]));
  return { required: faultsOf({}), accepted: faultsOf(wrong(1)), shapes: faultsOf(wrong("\n")) };
}

async function helpTexts(): Promise<Table> {
  const helps: Table = {};
  const ask = async (name: string, file: string, words: readonly string[]) => {
    const { stdout } = await run(process.execPath, [join(ROOT, file), ...words, "--help"], { cwd: ROOT });
    helps[name] = stdout.split("\n");
    return stdout;
  };
  await Promise.all(Object.entries(COMMANDS).map(([name, file]) => ask(name, file, [])));
  const usages = (helps.ops as string[]).flatMap((line) => /^ {2}npm run ops -- (.*)$/.exec(line)?.[1] ?? []);
  for (const usage of usages) {
    // Its own words come before what it takes.
    const words = usage.split(" ");
    const taken = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
    const own = taken === -1 ? words : words.slice(0, taken);
    await ask(`ops ${own.join(" ")}`, COMMANDS.ops, own);
  }
  return Object.fromEntries(Object.entries(helps).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The report, and a digest of its bytes. */
async function labReport(): Promise<Table> {
  const args = [join(ROOT, COMMANDS.lab), "--short", "--seed", "1", "--json"];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  const reports = stdout.trim().split("\n");
  return {
    sha256: createHash("sha256").update(stdout).digest("hex"),
    reports: reports.map((line) => JSON.parse(line)),
  };
}

async function journeyOf({ worker, sessionObject }: Service, development: Table): Promise<Table> {
  const files = (await readdir(join(ROOT, MIGRATIONS))).sort();
  const migrations = await Promise.all(files.map((file) => readFile(join(ROOT, MIGRATIONS, file), "utf8")));
  const types = ["sent", "delivered", "undelivered", "attempt_failed", "locked", "approved", "expired"];
  const policy = mergeTables(development, {
    delivery: { channels: ["sms", "voice"], resend_undelivered: true },
    events: {
      types: [...types.map((type) => `verification.${type}`), "fraud.suspected", "posture.changed"],
    },
  });
  const world = makeWorld({ worker, sessionObject, policy, migrations });
  const metrics = await playJourney(world);
  return {
    ...world.record,
    d1Schema: world.schema(),
    metrics: [...new Set(metrics.split("\n").map((line) => line.replace(/ [\d.e+-]+$/, "")))],
  };
}

/** A record as lines, each a place and what is there; the order of a list of texts does not count. */
function linesOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.map((item) => `${path}: ${item}`);
  }
  if (typeof value !== "object" || value === null) {
    return value === undefined ? [] : [`${path}: ${JSON.stringify(value)}`];
  }
  return Object.entries(value).flatMap(([key, item]) =>
    linesOf(item, path === "" ? key : `${path} / ${key}`),
  );
}

/** What only one of them has; a line that stands twice counts twice. */
function compare(before: readonly string[], now: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of before) counts.set(line, (counts.get(line) ?? 0) - 1);
  for (const line of now) counts.set(line, (counts.get(line) ?? 0) + 1);
  return [...counts]
    .flatMap(([line, count]) => (count === 0 ? [] : [`${count < 0 ? "-" : "+"} ${line}`]))
    .sort();
}
