/** Plays jobs side by side, one thread a core; results come back in the order of the jobs. */
import { Worker } from "node:worker_threads";
import { type Job, runJob } from "./job.ts";
import type { Run } from "./play.ts";
import type { WorkerMessage } from "./worker.ts";

export interface PoolProgress {
  done: number;
  total: number;
  /** The job that has just moved on, and how far it is. */
  job: Job;
  share: number;
}

/**
 * @param threads 1 plays in this thread
 * @param onRun called once for every job, in order, as soon as all before it are done
 */
export async function runJobs(
  jobs: readonly Job[],
  threads: number,
  onRun: (job: Job, run: Run) => void,
  onProgress: (progress: PoolProgress) => void,
): Promise<void> {
  const runs = new Map<number, Run>();
  let nextJob = 0;
  let nextToReport = 0;
  let done = 0;

  const finish = (index: number, run: Run): void => {
    runs.set(index, run);
    done++;
    for (let ready = runs.get(nextToReport); ready; ready = runs.get(nextToReport)) {
      onRun(jobs[nextToReport] as Job, ready);
      runs.delete(nextToReport++);
    }
  };
  const lane = async (playJob: PlayJob): Promise<void> => {
    while (nextJob < jobs.length) {
      const index = nextJob++;
      const job = jobs[index] as Job;
      const report = (share: number): void => onProgress({ done, total: jobs.length, job, share });
      report(0);
      finish(index, await playJob(job, report));
    }
  };

  if (threads <= 1 || jobs.length === 1) return lane(runJob);
  const workers = Array.from({ length: Math.min(threads, jobs.length) }, newWorker);
  try {
    await Promise.all(workers.map((worker) => lane((job, report) => playIn(worker, job, report))));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

type PlayJob = (job: Job, report: (share: number) => void) => Promise<Run>;

const newWorker = (): Worker => new Worker(new URL("./worker.ts", import.meta.url));

function playIn(worker: Worker, job: Job, report: (share: number) => void): Promise<Run> {
  return new Promise((resolve, reject) => {
    const listen = (message: WorkerMessage): void => {
      if (message.kind === "progress") {
        report(message.share);
        return;
      }
      worker.off("message", listen);
      worker.off("error", reject);
      if (message.kind === "done") resolve(message.run);
      else reject(new Error(message.message));
    };
    worker.on("message", listen);
    worker.on("error", reject);
    worker.postMessage(job);
  });
}
