import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";
import { CommandError, ROOT, runCommand } from "./lib/command.ts";
import { minifiedStyles } from "./lib/minified-styles.ts";
import { wireTypes } from "./lib/wire-types.ts";

const HELP = `Builds the client kit from src/client.

  node scripts/build-client.ts

  --out FOLDER   where to, instead of dist
  --verbose      names what was written
  --help

  package/client.js, element.js, server.js, better-auth.js   ES modules for bundlers and backends; libraries stay imports
  package/types/                             their declarations, without zod
  element.js                                 the element with all it needs, as the Worker serves it
`;

const CLIENT = join(ROOT, "src", "client");
const ENTRIES = {
  client: join(CLIENT, "client.ts"),
  element: join(CLIENT, "element", "element.ts"),
  server: join(CLIENT, "server.ts"),
  "better-auth": join(CLIENT, "better-auth.ts"),
};

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(ROOT, "dist") },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);

  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  // Built beside its place and moved there, because tests and servers read the files meanwhile.
  const folder = await mkdtemp(join(out, ".building-"));
  try {
    const built = join(folder, "package");
    await Promise.all([
      bundle({ entryPoints: ENTRIES, outdir: built, packages: "external" }),
      bundle({ entryPoints: { element: ENTRIES.element }, outdir: folder, minify: true }),
      declare(folder).then((types) => cp(types, join(built, "types"), { recursive: true })),
    ]);
    await rm(join(out, "package"), { recursive: true, force: true });
    await rename(built, join(out, "package"));
    // Last: by its time one sees whether the build is younger than what it was made from.
    await rename(join(folder, "element.js"), join(out, "element.js"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (values.verbose) console.log(`Built ${join(out, "package")} and ${join(out, "element.js")}.`);
});

async function bundle(options: BuildOptions): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
    charset: "utf8",
    plugins: [minifiedStyles],
    legalComments: "none",
    logLevel: "silent",
    ...options,
  }).catch((error: Error) => {
    throw new CommandError(error.message);
  });
}

/**
 * Writes the declarations of the client and of the wire.
 *
 * @returns their folder
 */
async function declare(folder: string): Promise<string> {
  const emitted = join(folder, "emitted");
  const types = join(folder, "types");
  const flags = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly"];
  const places = ["--rootDir", join(ROOT, "src"), "--outDir", emitted];
  // Whether the types are right is for `npm run typecheck` to say.
  const args = ["-p", CLIENT, "--noCheck", ...flags, ...places];
  await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), ...args], {
    cwd: ROOT,
  }).catch((error: { stdout?: string; message: string }) => {
    throw new CommandError(error.stdout || error.message);
  });
  await cp(join(emitted, "client"), join(types, "client"), { recursive: true });
  for (const file of await readdir(types, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) await nameModules(join(file.parentPath, file.name));
  }
  await mkdir(join(types, "http"));
  await writeFile(join(types, "http", "contract.d.ts"), wireTypes());
  return types;
}

/** The compiler leaves the names of modules as they were written, and there they end in `.ts`. */
async function nameModules(file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replaceAll(/((?:from |import\()"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
}
