/*
 * Makes node_modules what package-lock.json says, and dist what the sources of the client kit and of the assets say; does
 * nothing when they are.
 * Runs before the other npm scripts, on whatever Node the machine has (20 or later), with nothing installed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODULES = join(ROOT, "node_modules");
const OLDEST_NODE = 20;
const OWN_NODE = join(MODULES, "node", "bin", process.platform === "win32" ? "node.exe" : "node");

if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
  fail(`Node ${OLDEST_NODE} or later is needed; this is ${process.version}.`);
}
if (!isInstalled()) install();
if (!isKitBuilt()) run("build-client.ts");
if (!areAssetsBuilt()) run("build-assets.ts");

/** npm keeps in node_modules/.package-lock.json what it installed; it is written last, so a broken install has none. */
function isInstalled() {
  const wanted = readPackages(join(ROOT, "package-lock.json"));
  const installed = readPackages(join(MODULES, ".package-lock.json"));
  if (wanted === null) fail("package-lock.json is missing or broken.");
  if (installed === null || !existsSync(OWN_NODE)) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional, link }]) => {
    const found = installed[path];
    if (path === "" || link) return true;
    // Packages for other platforms are in the lock file and not on the disk.
    if (found === undefined) return optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? null;
  } catch {
    return null;
  }
}

function install() {
  console.error("Installing what package-lock.json lists (npm ci); this takes a minute the first time …");
  const startedMs = Date.now();
  // npm must not run on the Node inside node_modules, which it is about to replace.
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(MODULES));
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync("npm", args, {
    cwd: ROOT,
    // Its output is kept off this one's: `npm run -s keys` prints a secret and nothing else.
    stdio: ["ignore", process.stderr, process.stderr],
    env: { ...process.env, PATH: path.join(delimiter) },
    shell: process.platform === "win32",
  });
  if (error) fail(`npm could not be started: ${error.message}`);
  if (status !== 0) {
    fail(
      `npm ci failed (exit code ${status}); its own words are above. It needs the npm registry, or a cache of it.`,
    );
  }
  if (!existsSync(OWN_NODE)) {
    fail(
      "npm ran no install scripts, and the package node needs its own: npm config set ignore-scripts false",
    );
  }
  console.error(`Installed in ${Math.round((Date.now() - startedMs) / 1000)} s.`);
}

/** The client kit is built; its build writes dist/element.js last. */
function isKitBuilt() {
  return isYounger("dist/element.js", [
    "src/client",
    "src/http/contract.ts",
    "src/http/authenticate.ts",
    "scripts/build-client.ts",
    "scripts/lib/wire-types.ts",
    "package-lock.json",
  ]);
}

/** The files that are served beside the Worker are built. */
function areAssetsBuilt() {
  return isYounger("dist/assets", [
    "dist/element.js",
    "src/assets",
    "src/http/docs",
    "src/ops/ops-page",
    "scripts/build-assets.ts",
    "package-lock.json",
  ]);
}

function isYounger(built, inputs) {
  const builtMs = statSync(join(ROOT, built), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return inputs.every((input) => newestMs(join(ROOT, input)) <= builtMs);
}

function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestMs(join(path, name))));
}

function run(script) {
  const args = [join(ROOT, "scripts", script)];
  const { status } = spawnSync(OWN_NODE, args, {
    cwd: ROOT,
    stdio: ["ignore", process.stderr, process.stderr],
  });
  if (status !== 0) fail(`scripts/${script} failed; why is above.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
