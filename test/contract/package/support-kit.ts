import { execFile, spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const NODE = join(ROOT, "node_modules/.bin/node");
export const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

const run = promisify(execFile);

export interface FreshProject {
  /** A project that has nothing but the package and what it depends on. */
  folder: string;
  tarball: string;
  /** The package as it was installed. */
  installed: string;
}

/** Builds and packs the client kit as `npm pack` does, and installs it into a fresh project, all without a network. */
export async function freshProject(): Promise<FreshProject> {
  const folder = await mkdtemp(join(tmpdir(), "tollgate-kit-"));
  const source = join(folder, "source");
  await mkdir(source);
  for (const name of ["package.json", "README.md", "CHANGELOG.md"])
    await cp(join(ROOT, name), join(source, name));
  await run(NODE, [join(ROOT, "scripts/build-client.ts"), "--out", join(source, "dist")]);

  // Its prepack would build into the repository, under the feet of other tests.
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, { cwd: source });
  const tarball = join(folder, JSON.parse(stdout)[0].filename);

  const modules = join(folder, "node_modules");
  const installed = join(modules, "tollgate");
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
  for (const name of ["jose", "libphonenumber-js", "standardwebhooks", "@stablelib", "fast-sha256"]) {
    await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  await writeFile(join(folder, "package.json"), '{"private": true, "type": "module"}');
  return { folder, tarball, installed };
}

/** What a command printed, and whether it ended well. */
export async function outcomeOf(
  command: string,
  args: string[],
  cwd: string,
): Promise<{ ok: boolean; printed: string }> {
  try {
    const { stdout, stderr } = await run(command, args, { cwd });
    return { ok: true, printed: stdout + stderr };
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { ok: false, printed: stdout + stderr };
  }
}

/** Puts the examples into the project, with the two libraries that the backend uses beside the package. */
export async function addExamples({ folder }: FreshProject): Promise<string> {
  const examples = join(folder, "examples");
  await cp(join(ROOT, "scripts/examples"), examples, { recursive: true });
  for (const name of ["hono", "@hono"]) {
    await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  return examples;
}

export interface RunningBackend {
  url: string;
  stop(): void;
}

/** Runs the example backend on a free port, against this issuer. */
export async function startBackend(examples: string, issuer: string): Promise<RunningBackend> {
  const env = { ...process.env, PORT: "0", TOLLGATE_ISSUER: issuer };
  const child = spawn(NODE, [join(examples, "backend.ts")], { env, stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (printed) => resolve(String(printed).trim()));
    child.once("close", (code) => reject(new Error(`the backend ended with ${code}`)));
  });
  return { url, stop: () => void child.kill() };
}
