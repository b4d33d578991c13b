import type { Deps } from "../../../src/ports/deps.ts";

/** Nobody reads the lab's ledger, so nothing is written. */
export const noLedger: Pick<Deps, "events" | "ledger"> = {
  events: { put: async () => undefined, samples: () => false },
  ledger: {
    write: async () => ({ kind: "done" }),
    page: async () => ({ kind: "answered", rows: [], cursor: null }),
    story: async () => ({ kind: "answered", rows: [] }),
    byNumber: async () => ({ kind: "answered", rows: [] }),
    volumes: async () => ({ kind: "answered", volumes: [] }),
    refusals: async () => ({ kind: "answered", counts: [] }),
    countRefusals: async () => ({ kind: "done" }),
    erase: async () => ({ kind: "erased", rows: 0, sealed: 0, letters: 0 }),
    sealedByKey: async () => ({ kind: "answered", keys: [] }),
    boundary: async () => ({ kind: "answered", atMs: null }),
    sweep: async () => ({
      kind: "swept",
      numbers: 0,
      addresses: 0,
      events: 0,
      refusals: 0,
      letters: 0,
      more: false,
    }),
    storage: async () => ({
      kind: "answered",
      storage: { rows: 0, rowsLastDay: 0, olderEvents: 0, bytes: 0 },
    }),
    carryOver: async () => ({ kind: "moved", events: 0, more: false }),
    upkeep: async () => null,
    keepUpkeep: async () => ({ kind: "done" }),
  },
};
