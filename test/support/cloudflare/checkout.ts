/** A checkout of the project in a folder of its own, so that commands may change its files, and commands run in it. */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const PARTS = ["src", "scripts", "dist/assets", "package.json", "wrangler.toml", "tsconfig.json"];
const COMMAND_MS = 120_000;
/** Compiled code of wrangler and of the commands, kept between their starts. */
const COMPILED = join(ROOT, ".wrangler/compiled");

export interface Run {
  code: number | null;
  out: string;
  error: string;
}

export interface Checkout {
  folder: string;
  /** Runs `scripts/<name>.ts` without a terminal. */
  run(name: string, words: readonly string[], variables?: Readonly<Record<string, string>>): Promise<Run>;
  /** The same, started by another command. */
  runBy(
    by: readonly string[],
    name: string,
    words: readonly string[],
    variables?: Readonly<Record<string, string>>,
  ): Promise<Run>;
  settings(): Promise<string>;
  /** Puts the folder back as it was made. */
  reset(): Promise<void>;
  /** All that wrangler wrote into its logs. */
  logs(): Promise<string>;
  write(file: string, text: string): Promise<void>;
  remove(): Promise<void>;
}

export async function makeCheckout(): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), "tollgate-checkout-"));
  for (const part of PARTS) {
    await mkdir(join(folder, part, ".."), { recursive: true });
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const home = join(folder, "home");
  await mkdir(home);
  const runBy: Checkout["runBy"] = (by, name, words, variables = {}) =>
    new Promise((resolve, reject) => {
      const [command = "", ...rest] = [...by, process.execPath];
      const child = spawn(command, [...rest, join(folder, "scripts", `${name}.ts`), ...words], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          HOME: home,
          XDG_CONFIG_HOME: home,
          LANG: "C",
          TZ: "UTC",
          CI: "1",
          NODE_COMPILE_CACHE: COMPILED,
          ...variables,
        },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: COMMAND_MS,
      });
      let [out, error] = ["", ""];
      child.stdout.on("data", (chunk) => {
        out += chunk;
      });
      child.stderr.on("data", (chunk) => {
        error += chunk;
      });
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, out, error }));
    });
  return {
    folder,
    runBy,
    run: (name, words, variables) => runBy([], name, words, variables),
    async reset() {
      await cp(join(ROOT, "wrangler.toml"), join(folder, "wrangler.toml"));
      await rm(join(folder, ".wrangler"), { recursive: true, force: true });
      await rm(home, { recursive: true, force: true });
      await mkdir(home);
    },
    settings: () => readFile(join(folder, "wrangler.toml"), "utf8"),
    async logs() {
      const logs = join(folder, ".wrangler/logs");
      const texts = await Promise.all(
        (await readdir(logs)).map((file) => readFile(join(logs, file), "utf8")),
      );
      return texts.join("\n");
    },
    write: (file, text) => writeFile(join(folder, file), text),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
