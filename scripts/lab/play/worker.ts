/** A worker thread of the lab: plays one job after another. */
import { parentPort } from "node:worker_threads";
import { type Job, runJob } from "./job.ts";
import type { Run } from "./play.ts";

/** What a worker says. */
export type WorkerMessage =
  | { kind: "progress"; share: number }
  | { kind: "done"; run: Run }
  | { kind: "failed"; message: string };

parentPort?.on("message", async (job: Job) => {
  const say = (message: WorkerMessage): void => parentPort?.postMessage(message);
  try {
    say({ kind: "done", run: await runJob(job, (share) => say({ kind: "progress", share })) });
  } catch (error) {
    say({ kind: "failed", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
