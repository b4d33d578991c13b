import { rmSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { unstable_DevEnv as DevEnv } from "wrangler";
import { CommandError, ROOT } from "../lib/command.ts";
import { LOCAL_STATE, QUIET_WRANGLER, wrangler } from "../lib/wrangler.ts";

/** As it stands in wrangler.toml's triggers. */
const EVERY_MINUTE = "* * * * *";
const MINUTE_MS = 60_000;
const STARTING_MS = 30_000;

/**
 * Runs the Worker in workerd on 127.0.0.1, with storage that starts empty, and its cron each minute. All of it ends with
 * this process, and the storage is removed.
 *
 * @param cron false leaves the cron out
 * @param secrets bindings that are text; they stand above wrangler.toml's and .dev.vars'.
 * @throws CommandError when it cannot be built or started, or refuses its configuration.
 */
export async function startLocalWorker(options: {
  port: number;
  policy: unknown;
  secrets: Record<string, string>;
  cron?: boolean;
}): Promise<void> {
  const { port, policy, secrets, cron = true } = options;
  const url = `http://127.0.0.1:${port}`;
  const state = `${ROOT}${LOCAL_STATE}/${port}`;
  const removeState = () => rmSync(state, { recursive: true, force: true });
  removeState();
  // Without the second one workerd's stand-in for the platform first asks the network what the client's address is.
  Object.assign(process.env, QUIET_WRANGLER, { CLOUDFLARE_CF_FETCH_ENABLED: "false" });

  await prepareDatabase(state);
  const bindings = Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => [name, { type: "secret_text", value }]),
  );
  const dev = new DevEnv();
  const failed = new Promise<never>((_, reject) => {
    dev.on("error", (event: { cause?: Error; reason?: string; message?: string }) => {
      reject(notStarting(event.cause?.message ?? event.reason ?? event.message));
    });
  });
  failed.catch(() => undefined);

  const starting = dev.startWorker({
    config: `${ROOT}wrangler.toml`,
    entrypoint: `${ROOT}scripts/dev/entry.ts`,
    bindings: { ...bindings, POLICY: { type: "json", value: policy } },
    sendMetrics: false,
    dev: {
      remote: false,
      watch: false,
      inspector: false,
      logLevel: "warn",
      persist: state,
      server: { hostname: "127.0.0.1", port },
      structuredLogsHandler: ({ level, message }: { level: string; message: string }) => {
        (level === "error" || level === "warn" ? console.error : console.log)(message);
      },
    },
  });
  const worker = await starting.catch((error: Error) => {
    throw notStarting(error.cause instanceof Error ? error.cause.message : error.message);
  });
  await Promise.race([worker.ready, failed]);
  // Miniflare ends workerd in an exit hook of its own, which must come before this one.
  process.once("exit", removeState);
  await Promise.race([answering(url), failed]);
  if (cron) void runCron(url);
}

/** Lays the tables out, as `wrangler d1 migrations apply` does for a deployed database. */
async function prepareDatabase(state: string): Promise<void> {
  const run = await wrangler(["d1", "migrations", "apply", "DB", "--local", "--persist-to", state]);
  if (run.code !== 0) throw notStarting(`its database has no tables\n${run.stderr || run.stdout}`);
}

function notStarting(why: string | undefined): CommandError {
  return new CommandError(`The Worker does not start: ${why ?? "wrangler does not say why"}`);
}

/**
 * Waits until the Worker says that it is well.
 *
 * @throws CommandError with the faults it names when its configuration is refused, or when it stays unwell.
 */
async function answering(url: string): Promise<void> {
  const deadlineMs = Date.now() + STARTING_MS;
  let last = "nothing";
  while (Date.now() < deadlineMs) {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(STARTING_MS) }).catch(
      () => null,
    );
    if (response?.ok) return;
    const problem = (await response?.json().catch(() => null)) as Problem | null | undefined;
    if (problem?.code === "misconfigured") {
      const faults = problem.errors?.map(({ reason }) => reason) ?? ["it does not say what"];
      throw new CommandError(
        `The Worker refuses its configuration:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
      );
    }
    if (response) last = `${response.status} ${JSON.stringify(problem)}`;
    await wait(100);
  }
  throw new CommandError(`The Worker does not get well: /healthz answers ${last}.`);
}

interface Problem {
  code?: string;
  errors?: { reason: string }[];
}

/** Runs the Worker's cron at every full minute, as the platform does in production, until this process ends. */
async function runCron(url: string): Promise<never> {
  const query = new URLSearchParams({ cron: EVERY_MINUTE });
  for (;;) {
    await wait(MINUTE_MS - (Date.now() % MINUTE_MS));
    const outcome = await fetch(`${url}/cdn-cgi/handler/scheduled?${query}`).then(
      (response) => response.text(),
      (error: Error) => error.message,
    );
    if (outcome !== "ok") console.error(`The cron failed: ${outcome}`);
  }
}
