import { isBusy, setBusy } from "./dom.ts";

/** What buttons have started and is not over. */
export interface Work {
  /** Does a button's task, one at a time, and shows that it is under way. */
  run(button: HTMLElement, task: () => Promise<void>): Promise<void>;
  isUnderWay(): boolean;
}

/** @param onIdle called whenever the last task has ended */
export function makeButtonTasks(onIdle: () => void): Work {
  let underWay = 0;
  return {
    async run(button, task) {
      if (isBusy(button)) return;
      setBusy(button, true);
      underWay++;
      try {
        await task();
      } finally {
        setBusy(button, false);
        if (--underWay === 0) onIdle();
      }
    },
    isUnderWay: () => underWay > 0,
  };
}
