/** Secrets on their way from memory to the platform: never on the screen, in a file or in an argument. */
import { spawn } from "node:child_process";
import { secretNamesOf } from "../../src/config/keyrings.ts";
import { ApiError, type Cloudflare } from "../lib/cloudflare.ts";
import { CommandError, ROOT } from "../lib/command.ts";
import type { Settings } from "../lib/configuration.ts";
import { mintKeyring, mintProofKeys } from "../lib/mint.ts";
import { QUIET_WRANGLER, WRANGLER } from "../lib/wrangler.ts";

/** Cloudflare's code for a Worker that is not there. */
const NO_SUCH_WORKER = 10_007;

/** The names of the secrets that a Worker has; none where there is no such Worker yet. */
export async function heldSecrets(api: Cloudflare, accountId: string, worker: string): Promise<string[]> {
  try {
    const secrets = await api.get<{ name: string }[]>(
      `/accounts/${accountId}/workers/scripts/${worker}/secrets`,
    );
    return secrets.map(({ name }) => name);
  } catch (error) {
    if (error instanceof ApiError && (error.codes.includes(NO_SUCH_WORKER) || error.status === 404))
      return [];
    throw error;
  }
}

/** Mints the keyrings that are required and not there. A ring with any key at all is left alone. */
export async function mintMissing(
  held: readonly string[],
  required: readonly string[],
  nowMs: number,
): Promise<Settings> {
  const minted: [string, string][] = [];
  for (const [ring, setting] of [
    ["session", "SESSION_KEYS"],
    ["pepper", "PEPPER_KEYS"],
    ["encryption", "ENCRYPTION_KEYS"],
    ["proof", "PROOF_KEYS"],
  ] as const) {
    if (!required.includes(setting) || secretNamesOf(ring, held).length > 0) continue;
    minted.push([setting, ring === "proof" ? await mintProofKeys(nowMs) : mintKeyring(nowMs)]);
  }
  return Object.fromEntries(minted);
}

/**
 * Puts secrets by wrangler, all at once: they travel by its standard input.
 *
 * @throws CommandError in wrangler's words, which hold names and no values
 */
export function putSecrets(environment: string, accountId: string, secrets: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, "secret", "bulk", "--env", environment], {
      cwd: ROOT,
      env: { ...process.env, ...QUIET_WRANGLER, CLOUDFLARE_ACCOUNT_ID: accountId },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        said += chunk;
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve();
      const shown = Object.values(secrets).reduce(
        (text, value) => text.replaceAll(value, "(secret)"),
        said.trim(),
      );
      reject(new CommandError(`The secrets were not put; run again.\n${shown}`));
    });
    // A wrangler that ends early says why itself.
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(secrets));
  });
}
