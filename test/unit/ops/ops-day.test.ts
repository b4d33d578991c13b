import { beforeEach, expect, test } from "vitest";
import type { QuarterPoint } from "../../../src/domain/monitor/history.ts";
import { DAY_QUARTERS } from "../../../src/domain/monitor/history.ts";
import type { MinuteTally } from "../../../src/domain/monitor/tally.ts";
import { readDayPlot } from "../../../src/ops/day.ts";
import type { Deps } from "../../../src/ports/deps.ts";

const RUNNING = 1_983_000;
/** Five minutes into the running quarter. */
const NOW_MINUTE = RUNNING * 15 + 5;
const LONG_AGO_MS = (RUNNING - 5000) * 900_000;
const PER_MINUTE = 10;

let now: number;
let asked: number[];
let service: object;
let verifiedOf: (minute: number) => number;
let watch: Awaited<ReturnType<Deps["monitorState"]["look"]>>;

beforeEach(() => {
  now = NOW_MINUTE;
  asked = [];
  service = {};
  verifiedOf = () => 8;
  watch = remembered(RUNNING - 1);
});

const pointAt = (quarter: number): QuarterPoint => ({
  quarter,
  sent: 15 * PER_MINUTE,
  verified: 120,
  refused: 0,
  challenged: 0,
});

/** A watch that has folded a day up to this quarter. */
function remembered(last: number, day?: QuarterPoint[] | null): typeof watch {
  const whole = Array.from({ length: DAY_QUARTERS }, (_, i) => pointAt(last - DAY_QUARTERS + 1 + i));
  return {
    kind: "answered",
    memory: { foldedTo: last, ...(day === null ? {} : { day: day ?? whole }) },
    history: { quarter: last, sinceMs: LONG_AGO_MS, subjects: {} },
  } as unknown as typeof watch;
}

function look() {
  const deps = {
    monitorState: { look: async () => watch },
    counters: {
      async window(last: number, count: number) {
        asked.push(count);
        const minutes = Array.from({ length: count }, (_, i): MinuteTally => {
          const minute = last - count + 1 + i;
          const counts = { sent: PER_MINUTE, verified: verifiedOf(minute) };
          return { minute, tally: new Map([["overall all", counts]]) };
        });
        return { kind: "answered", minutes };
      },
    },
  } as unknown as Pick<Deps, "monitorState" | "counters">;
  return readDayPlot(service, deps, 15, now * 60_000);
}

const sentOf = ({ quarters }: Awaited<ReturnType<typeof look>>) =>
  quarters.map(({ point }) => point?.sent ?? null);

test("a day is what the watch folded, and the running quarter by its minutes", async () => {
  const day = await look();
  expect(sentOf(day)).toEqual([...Array(DAY_QUARTERS - 1).fill(150), 6 * PER_MINUTE]);
  expect(day.faults).toEqual([]);
});

test("a minute seen young is read again when its answers have come, however long nobody looked", async () => {
  watch = remembered(RUNNING - 3);
  verifiedOf = (minute) => (minute > NOW_MINUTE - 5 ? 0 : 8);
  await look();
  now += 15;
  verifiedOf = () => 8;
  const seen = await look();
  service = {};
  expect(seen).toEqual(await look());
});

test("a page that stays open asks for the window alone", async () => {
  await look();
  for (let i = 0; i < 20; i++) {
    now += 1;
    await look();
  }
  expect(asked).toEqual([60, ...Array(20).fill(15)]);
});

test.each<[string, () => typeof watch, number]>([
  ["of an older version", () => remembered(RUNNING - 1, null), 4],
  ["that was lost", () => ({ ...remembered(RUNNING - 1), memory: null }) as typeof watch, 4],
  ["of a watch that died three hours ago", () => remembered(RUNNING - 12), DAY_QUARTERS - 12 + 4 + 1],
])("with a memory %s, what nobody knows is a gap, and no zero", async (_, memory, most) => {
  watch = memory();
  const day = await look();
  const known = sentOf(day).filter((sent) => sent !== null);
  expect(known.slice(0, -1).every((sent) => sent === 150)).toBe(true);
  expect(known.length).toBeLessThanOrEqual(most);
  expect(known.length).toBeGreaterThan(3);
  expect(day.gaps).toBe(DAY_QUARTERS - known.length);
  expect(day.faults).toEqual([]);
});

test("a service that has just begun had nothing before, and that is no fault", async () => {
  watch = { kind: "answered", memory: null, history: null };
  const day = await look();
  expect([day.gaps, day.faults]).toEqual([0, []]);
  expect(sentOf(day).slice(0, DAY_QUARTERS - 4)).toEqual(Array(DAY_QUARTERS - 4).fill(0));
});

test("a watch that does not answer costs the day, and its cause is told", async () => {
  watch = { kind: "unavailable", cause: "no answer in 1000 ms" };
  const day = await look();
  expect(day.faults).toEqual(["the past day: no answer in 1000 ms"]);
  expect(sentOf(day)[0]).toBeNull();
});
