import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../scripts/dev/serve.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NODE = join(ROOT, "node_modules/.bin/node");
const STARTING_MS = 90_000;

export interface RunningService {
  url: string;
  inboxUrl: string;
  /** Ends everything that was started, and returns when it has ended. */
  stop(): Promise<void>;
}

/**
 * Runs Tollgate as `npm start` does, on free ports.
 *
 * @param policy laid over the development policy
 * @throws Error with what it printed, when it does not get well
 */
export async function startService(policy: object): Promise<RunningService> {
  const folder = await mkdtemp(join(tmpdir(), "tollgate-browser-"));
  const policyFile = join(folder, "policy.json");
  await writeFile(policyFile, JSON.stringify(policy));
  const [port, inboxPort] = await freePorts(2);

  const child = spawn(NODE, ["scripts/start.ts", "--policy", policyFile], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port), INBOX_PORT: String(inboxPort) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      printed += chunk;
    });
  }
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const done = () => {
      ended = true;
      resolve();
    };
    child.once("error", done);
    child.once("close", done);
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await end;
    await rm(folder, { recursive: true, force: true });
  };

  const url = `http://localhost:${port}`;
  const deadlineMs = Date.now() + STARTING_MS;
  while (!(await isWell(url))) {
    if (ended || Date.now() > deadlineMs) {
      await stop();
      throw new Error(`scripts/start.ts does not get well; it printed:\n${printed}`);
    }
    await wait(200);
  }
  return { url, inboxUrl: `http://localhost:${inboxPort}`, stop };
}

async function isWell(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}
