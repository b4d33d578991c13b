import { describe, expect, test } from "vitest";
import { storageFinding } from "../../../../scripts/doctor/storage.ts";
import { storageLines } from "../../../../scripts/ops/storage.ts";
import type { LedgerStorage } from "../../../../src/domain/ledger/storage.ts";
import { D1_BYTES, forecastStorage } from "../../../../src/domain/ledger/storage.ts";
import { readStorage } from "../../../../src/flows/operators/views/read-storage.ts";
import { storageToWire } from "../../../../src/http/admin/evidence-contract.ts";
import { roomyPolicy } from "../../../support/delivery-world.ts";

const NOW = Date.UTC(2026, 11, 1);
const DAY = 86_400_000;
const RETENTION = { max_rows: 7_000_000, events_days: 400 };

describe("The database's future", () => {
  test.each([
    [
      "few come: their age bounds them",
      { rows: 40_000, rowsLastDay: 1000, bytes: 48e6 },
      RETENTION,
      400_000,
      "events_days",
      null,
    ],
    [
      "many come: their number bounds them",
      { rows: 2e6, rowsLastDay: 1e6, bytes: 2.4e9 },
      RETENTION,
      7e6,
      "max_rows",
      null,
    ],
    ["nothing comes", { rows: 2e6, rowsLastDay: 0, bytes: 2.4e9 }, RETENTION, 0, "events_days", null],
    [
      "more may be kept than fit: 7.6 GB are left at 1.2 GB a day",
      { rows: 2e6, rowsLastDay: 1e6, bytes: 2.4e9 },
      { ...RETENTION, max_rows: 20e6 },
      20e6,
      "max_rows",
      NOW + (7.6 / 1.2) * DAY,
    ],
    [
      "it is over full already",
      { rows: 10e6, rowsLastDay: 1e6, bytes: 12e9 },
      { ...RETENTION, max_rows: 20e6 },
      20e6,
      "max_rows",
      NOW,
    ],
    // Of a nearly empty database the pages tell nothing.
    ["it is new", { rows: 10, rowsLastDay: 10, bytes: 90_000 }, RETENTION, 4000, "events_days", null],
  ] as const)("when %s", (_, held, retention, steadyRows, heldBy, fullAtMs) => {
    const forecast = forecastStorage(held, retention, NOW);
    expect(forecast).toMatchObject({ steadyRows, heldBy, share: held.bytes / D1_BYTES });
    if (fullAtMs === null) expect(forecast.fullAtMs).toBeNull();
    else expect(forecast.fullAtMs).toBeCloseTo(fullAtMs, -1);
    expect(forecast.rowBytes).toBeCloseTo(1200);
  });
});

async function linesOf(storage: LedgerStorage | null, max_rows = 7_000_000) {
  const away = { kind: "unavailable" as const, cause: "no answer in 1000 ms" };
  const view = await readStorage({
    ledger: { storage: async () => (storage ? { kind: "answered", storage } : away) } as never,
    redisKeys: { count: async () => (storage ? { kind: "answered", count: 12_345 } : away) },
    policy: roomyPolicy({}, { retention: { max_rows } }),
    nowMs: () => NOW,
  });
  return storageLines(storageToWire(view)).join("\n");
}

describe("What npm run ops -- storage prints", () => {
  test("says how full each store is, and what holds it there", async () => {
    const lines = await linesOf({ rows: 2e6, rowsLastDay: 1e6, olderEvents: 5000, bytes: 2.4e9 });
    expect(lines).toContain(
      "2,400 MB, 24.0 % of 10,000 MB: 2,000,000 verifications, 1,000,000 of the last day, 1,200 bytes each",
    );
    expect(lines).toContain("5,000 events of the older tables are still to be moved");
    expect(lines).toContain(
      "at this rate it stays at 7,000,000 verifications, 8,400 MB: retention.max_rows holds it there",
    );
    expect(lines).toContain("12,345 keys");
  });

  test("says on which day a database is full that retention does not hold, and what to lower", async () => {
    const lines = await linesOf({ rows: 2e6, rowsLastDay: 1e6, olderEvents: 0, bytes: 2.4e9 }, 20_000_000);
    expect(lines).toMatch(/full on 2026-12-07 .* lower retention.max_rows or retention.events_days/);
  });

  test("names a store that does not answer", async () => {
    expect(await linesOf(null)).toBe("ledger: no answer in 1000 ms\nUpstash: no answer in 1000 ms");
  });
});

describe("The doctor's line about the database", () => {
  const counts = { rows: 2e6, rowsLastDay: 1e6, retention: RETENTION };
  test.each([
    [
      "is held by its retention",
      2.4e9,
      counts,
      "ok",
      "fills 24.0 % of D1's 10 GB; at the last day's rate retention.max_rows holds it at 84.0 %",
    ],
    [
      "will be full",
      2.4e9,
      { ...counts, retention: { ...RETENTION, max_rows: 20e6 } },
      "warning",
      "is full on 2026-12-07",
    ],
    ["has no ledger yet", 12_288, null, "ok", "fills 0.0 %"],
    ["is nearly full, nobody knows why", 9e9, null, "warning", "fills 90.0 %"],
    ["rests", 2.4e9, { ...counts, rowsLastDay: 0 }, "ok", "fills 24.0 % of D1's 10 GB"],
  ] as const)("when it %s", (_, bytes, held, severity, what) => {
    const finding = storageFinding(bytes, held, NOW);
    expect(finding.severity).toBe(severity);
    expect(finding.what).toContain(what);
  });
});
