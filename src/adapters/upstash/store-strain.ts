/** An answer that took as long is near the deadline: with a little more load there would be none. */
const NEAR_DEADLINE_MS = 800;

/** So many such answers in a row are no accident. */
const STRAINED_AT = 3;

/** Under long strain so many quick answers are needed before all requests ask again. */
const MOST_STRAIN = 6;

/** While the store is strained one request asks in so long, to see whether it still is. */
const PROBE_MS = 2000;

/** How near to their deadline a store's answers come, as one isolate sees it. */
export interface StoreStrain {
  /** Takes in how long an answer took, or was waited for. */
  answered(tookMs: number): void;
  /** True unless the store is strained; then true for one request every two seconds. */
  mayAsk(): boolean;
}

/** Makes a measure that has seen nothing. */
export function storeStrain(nowMs: () => number): StoreStrain {
  let strain = 0;
  let nextProbeMs = 0;
  return {
    answered(tookMs) {
      strain = tookMs >= NEAR_DEADLINE_MS ? Math.min(MOST_STRAIN, strain + 1) : Math.max(0, strain - 1);
    },
    mayAsk() {
      if (strain < STRAINED_AT) return true;
      if (nowMs() < nextProbeMs) return false;
      nextProbeMs = nowMs() + PROBE_MS;
      return true;
    },
  };
}
