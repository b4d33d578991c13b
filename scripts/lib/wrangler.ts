import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ROOT } from "./command.ts";

export const WRANGLER = fileURLToPath(
  new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);

/** Where a local service keeps its storage, in a folder named after its port; gone when the service stops. */
export const LOCAL_STATE = ".wrangler/dev-state";

/**
 * Settings that keep wrangler's files in the repository's own `.wrangler`, its advertisements off the screen, and the bodies of
 * its requests, which hold secrets, out of its log.
 */
export const QUIET_WRANGLER = {
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_LOG_SANITIZE: "true",
  WRANGLER_LOG_PATH: `${ROOT}.wrangler/logs`,
} as const;

/**
 * Runs wrangler in the repository, with this process's Node.
 *
 * @param shown whether its output goes to the screen as it comes, or is only collected.
 * @param variables more of its environment, such as the account.
 * @returns its exit code and, when not shown, what it printed.
 */
export function wrangler(
  args: string[],
  shown = false,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      cwd: ROOT,
      env: { ...process.env, ...QUIET_WRANGLER, ...variables },
      stdio: shown ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}
