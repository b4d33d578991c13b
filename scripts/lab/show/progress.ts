/** The progress line: only where somebody watches. */
import type { PoolProgress } from "../play/pool.ts";

export interface ProgressLine {
  show(progress: PoolProgress): void;
  clear(): void;
}

const BAR_CELLS = 24;
/** Screens need no more. */
const LEAST_PAUSE_MS = 100;

/** A line that redraws itself on a terminal, and is silent anywhere else. */
export function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  if (stream.isTTY !== true) return { show: () => {}, clear: () => {} };
  let shownAtMs = 0;
  return {
    show({ done, total, job, share }) {
      const nowMs = performance.now();
      if (nowMs - shownAtMs < LEAST_PAUSE_MS) return;
      shownAtMs = nowMs;
      const cells = Math.round(((done + share) / total) * BAR_CELLS);
      const bar = "█".repeat(cells) + "░".repeat(Math.max(0, BAR_CELLS - cells));
      const what = `${job.source.id} ${job.label} ${Math.round(share * 100)} %`;
      stream.write(`\r\u001b[K${bar} ${done} of ${total}  ${what}`);
    },
    clear: () => void stream.write("\r\u001b[K"),
  };
}
