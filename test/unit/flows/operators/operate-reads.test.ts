import { expect, test } from "vitest";
import { readIncident, readIncidents } from "../../../../src/flows/operators/views/read-incidents.ts";
import { readState } from "../../../../src/flows/operators/views/read-state.ts";
import { readSubjects } from "../../../../src/flows/operators/views/read-subjects.ts";
import { reportOutcomes } from "../../../../src/flows/verification/report-outcomes.ts";
import {
  depsOver,
  document,
  HOUR,
  incident,
  makeWorld,
  memory,
  minuteTally,
  NOW,
} from "../../../support/support-operate.ts";

const MINUTE = Math.floor(NOW / 60_000);

test("the state tells posture, watch, window, money and the open incident", async () => {
  const world = makeWorld({
    cron: document(),
    memory: memory({ incident: incident() }),
    minutes: [
      minuteTally(MINUTE - 5, {
        "overall all": {
          sent: 20,
          verified: 3,
          micros: 1_200_000,
          refused: 40,
          "refused:challenge_required": 30,
          "refused:too_many_requests": 10,
          challenged: 30,
          "verified_by:2": 2,
          "verified_by:4": 1,
        },
      }),
      minuteTally(MINUTE, { "overall all": { sent: 10, micros: 600_000 } }),
    ],
  });
  const state = await readState(depsOver(world));
  expect(state.faults).toEqual([]);
  expect(state.posture).toMatchObject({ posture: "emergency", operator: null, cron: { by: "cron" } });
  expect(state.window).toMatchObject({
    sent: 30,
    verified: 3,
    due: 20,
    ratio: 0.15,
    spentMicros: 1_800_000,
    perHourMicros: 7_200_000,
    refused: 40,
    refusedBy: { challenge_required: 30, too_many_requests: 10 },
  });
  expect(state.window?.medianSeconds).toBeCloseTo(13.75);
  expect(state.window?.perMinute).toHaveLength(15);
  expect(state.spend).toEqual({ hourMicros: 1_500_000, dayMicros: 7_000_000, monthMicros: 90_000_000 });
  expect(state.monitor).toMatchObject({
    ageSeconds: 30,
    late: false,
    alertsThisHour: { sent: 3, heldBack: 2 },
  });
  expect(state.monitor?.incident?.id).toBe("inc-1");
});

test("what people set is in force over the watch, until it ends", async () => {
  const operator = document({ by: "operator", who: "ada", posture: "normal", until_ms: NOW + 1 });
  const world = makeWorld({ cron: document(), operator });
  expect((await readState(depsOver(world))).posture).toMatchObject({
    posture: "normal",
    deciding: { who: "ada" },
  });
  world.nowMs = NOW + 1;
  const after = await readState(depsOver(world));
  expect(after.posture).toMatchObject({ posture: "emergency", operator: null, deciding: { by: "cron" } });
});

test("a document that nobody can read is an emergency and a fault", async () => {
  const world = makeWorld({ faults: ["emergency-mode in KV cannot be read"] });
  const state = await readState(depsOver(world));
  expect(state.posture?.posture).toBe("emergency");
  expect(state.faults).toEqual(["emergency-mode in KV cannot be read"]);
});

test("with Upstash down the posture is still told, and each silent part is named", async () => {
  const world = makeWorld({ cron: document(), down: new Set(["counters", "watch", "budgets"]) });
  const state = await readState(depsOver(world));
  expect(state.posture?.posture).toBe("emergency");
  expect([state.window, state.monitor, state.spend]).toEqual([null, null, null]);
  expect(state.faults.map((fault) => fault.split(":")[0])).toEqual(["watch", "counters", "spend"]);
});

test("a watch that has not run for a while is late, and one that never ran too", async () => {
  const late = makeWorld({ memory: memory({ lastRunMs: NOW - 6 * 60_000 }) });
  expect((await readState(depsOver(late))).monitor).toMatchObject({ ageSeconds: 360, late: true });
  expect((await readState(depsOver(makeWorld()))).monitor).toMatchObject({ lastRunMs: null, late: true });
});

test("alerts of an hour that is over are not of this one", async () => {
  const hour = { hour: Math.floor(NOW / HOUR) - 1, sent: 9, heldBack: 9 };
  const world = makeWorld({ memory: memory({ hour }) });
  expect((await readState(depsOver(world))).monitor?.alertsThisHour).toEqual({ sent: 0, heldBack: 0 });
});

test("ranges come busiest first, with their ratio, what is usual and what is shut", async () => {
  const shut = {
    kind: "range" as const,
    subject: "+23480",
    sinceMs: NOW,
    untilMs: NOW + HOUR,
    by: "cron",
    why: "",
    times: 1,
  };
  const world = makeWorld({
    cronBlocks: [shut, { ...shut, subject: "+91987654" }],
    history: { quarter: 0, sinceMs: 0, subjects: { "prefix +2348012": { sent: 100, verified: 70 } } },
    minutes: [
      minuteTally(MINUTE - 10, {
        "overall all": { sent: 60 },
        "prefix +919876": { sent: 10, verified: 8 },
        "prefix +2348012": { sent: 40, verified: 2, micros: 4_000_000 },
        "prefix *": { sent: 5 },
        "country NG": { sent: 40 },
      }),
    ],
  });
  const found = await readSubjects(depsOver(world), { by: "prefix", span: { minutes: 30 }, limit: 2 });
  if (found.kind !== "answered") throw new Error(found.cause);
  expect(found.subjects).toBe(3);
  expect(found.rows).toEqual([
    {
      subject: "+2348012",
      sent: 40,
      verified: 2,
      ratio: 0.05,
      spentMicros: 4_000_000,
      refused: 0,
      usualRatio: 0.7,
      state: "blocked",
      untilMs: NOW + HOUR,
      challenged: false,
    },
    expect.objectContaining({ subject: "+919876", ratio: 0.8, usualRatio: null, state: "partly" }),
  ]);
});

test.each<[string, "stop" | "challenge", string, number]>([
  ["+2348", "challenge", "challenged", NOW + HOUR],
  ["+234801234", "challenge", "partly_challenged", NOW + HOUR],
  ["+2348012", "stop", "blocked", NOW + 2 * HOUR],
])("a range of which people say of %s %s is %s", async (subject, effect, state, untilMs) => {
  const said = { kind: "range" as const, sinceMs: NOW, by: "ada", why: "", times: 1 };
  const world = makeWorld({
    operatorBlocks: [
      { ...said, subject, effect, untilMs },
      // What is only challenged is told after what is shut, though it lasts longer.
      ...(effect === "stop"
        ? [{ ...said, subject: "+234", effect: "challenge" as const, untilMs: NOW + 9 * HOUR }]
        : []),
    ],
    minutes: [minuteTally(MINUTE - 10, { "prefix +2348012": { sent: 40 } })],
  });
  const found = await readSubjects(depsOver(world), { by: "prefix", span: { minutes: 30 }, limit: 2 });
  expect(found).toMatchObject({ kind: "answered", rows: [{ state, untilMs }] });
});

test("hours are read from the quarters that are over", async () => {
  const quarter = Math.floor(MINUTE / 15);
  const tally = new Map([["network AS64500", { sent: 7, verified: 1 }]]);
  const world = makeWorld({
    quarters: [
      { quarter, tally },
      { quarter: quarter - 1, tally },
      { quarter: quarter - 4, tally },
      { quarter: quarter - 5, tally },
    ],
  });
  const found = await readSubjects(depsOver(world), { by: "network", span: { hours: 1 }, limit: 10 });
  expect(found).toMatchObject({ kind: "answered", rows: [{ subject: "AS64500", sent: 14, verified: 2 }] });
});

test("ranges without their counters are unavailable, and without KV have no state", async () => {
  const question = { by: "country" as const, span: { minutes: 15 }, limit: 10 };
  const counters = makeWorld({ down: new Set(["counters"]) });
  expect((await readSubjects(depsOver(counters), question)).kind).toBe("unavailable");
  const control = makeWorld({ down: new Set(["control"]) });
  expect(await readSubjects(depsOver(control), question)).toMatchObject({
    faults: ["control: down for the test"],
  });
});

test("the open incident is listed as the watch has it now, and its story holds what people did meanwhile", async () => {
  const open = incident({ spentMicros: 9_000_000 });
  const old = incident({ id: "inc-0", openedAtMs: NOW - 9 * HOUR, closedAtMs: NOW - 8 * HOUR });
  const action = { id: "a", atMs: NOW - 1000, who: "ada", what: "posture set", why: "stop", details: {} };
  const world = makeWorld({
    memory: memory({ incident: open }),
    incidents: [incident(), old],
    actions: [action, { ...action, id: "b", atMs: NOW - 2 * HOUR }],
  });
  const listed = await readIncidents(depsOver(world));
  expect(listed.kind === "answered" && listed.incidents).toEqual([open, old]);
  expect(await readIncident(depsOver(world), "inc-1")).toEqual({ incident: open, actions: [action] });
  expect(await readIncident(depsOver(world), "inc-9")).toBeNull();
});

test("the open incident can be read while the records are down", async () => {
  const world = makeWorld({ memory: memory({ incident: incident() }), down: new Set(["records"]) });
  expect(await readIncident(depsOver(world), "inc-1")).toEqual({ incident: incident(), actions: null });
  expect((await readIncidents(depsOver(world))).kind).toBe("unavailable");
});

const proof = (n: number) => `0b8ff2b1-6a62-4b52-9c2c-00000000000${n}`;
const outcome = (n: number, type = "signup") => ({ type, proofId: proof(n), atMs: null, valueMicros: null });

test("an outcome is counted once for its proof and type, in the minute of now", async () => {
  const world = makeWorld();
  const first = await reportOutcomes(depsOver(world), [outcome(1), outcome(1), outcome(1, "payment")], "k");
  expect(first).toEqual({ kind: "reported", accepted: 2, repeated: 1 });
  expect(world.counted).toMatchObject([
    [
      {
        minute: MINUTE,
        entries: [
          { dimension: "overall", metric: "outcome:signup", how: { add: 1 } },
          { dimension: "overall", metric: "outcome:payment", how: { add: 1 } },
        ],
      },
    ],
  ]);
  const again = await reportOutcomes(depsOver(world), [outcome(1)], "k");
  expect(again).toEqual({ kind: "reported", accepted: 0, repeated: 1 });
  expect(world.counted).toHaveLength(1);
});

test("a type that policy does not name refuses the whole report, which counts nothing", async () => {
  const world = makeWorld();
  const refused = await reportOutcomes(depsOver(world), [outcome(1), outcome(2, "coffee")], "k");
  expect(refused).toEqual({
    kind: "invalid_request",
    errors: [{ field: "outcomes.1.type", reason: "is not known; known: signup, login, payment" }],
  });
  expect([world.counted, world.claimed.size]).toEqual([[], 0]);
});

test("a silent store is told with a time to return", async () => {
  const world = makeWorld({ down: new Set(["counters"]) });
  expect(await reportOutcomes(depsOver(world), [outcome(1)], "k")).toMatchObject({
    kind: "sending_paused",
    retryAfterSeconds: 30,
  });
});
