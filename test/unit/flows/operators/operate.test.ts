import { expect, test } from "vitest";
import { meanPerMinute } from "../../../../src/flows/monitor/measure-usual-rate.ts";
import {
  clearPosture,
  clearThrottle,
  setPosture,
  setThrottle,
} from "../../../../src/flows/operators/change-posture.ts";
import { replayDeadLetter } from "../../../../src/flows/operators/replay-dead-letter.ts";
import { depsOver, document, HOUR, makeWorld, NOW } from "../../../support/support-operate.ts";

const ADA = { who: "ada", why: "pumped from Lagos" };
const raise = { posture: "emergency" as const, forSeconds: 3600, liftCaps: false };
const quarterOf = (ms: number) => Math.floor(ms / (15 * 60_000));
const DAY_QUARTERS = 96;
const pastDays = (sent: number[]) =>
  sent.map((count, day) => ({
    quarter: quarterOf(NOW) - (day + 1) * DAY_QUARTERS,
    tally: new Map([["overall all", { sent: count }]]),
  }));

test("a posture that people set has an end, their name and their reason, and is written down", async () => {
  const world = makeWorld();
  const done = await setPosture(depsOver(world), ADA, raise);
  expect(done).toMatchObject({ kind: "done", recorded: true, replaced: null });
  expect(world.operator).toEqual({
    posture: "emergency",
    since_ms: NOW,
    until_ms: NOW + HOUR,
    by: "operator",
    who: "ada",
    why: "pumped from Lagos",
    healthy_since_ms: null,
  });
  expect(world.actions).toHaveLength(1);
  expect(world.actions[0]).toMatchObject({
    who: "ada",
    why: "pumped from Lagos",
    what: "posture set",
    atMs: NOW,
  });
});

test.each([
  { name: "raising", before: null, posture: "emergency" as const, liftCaps: false, done: true },
  { name: "holding what is", before: document(), posture: "emergency" as const, liftCaps: false, done: true },
  { name: "lowering", before: document(), posture: "normal" as const, liftCaps: false, done: false },
  { name: "lifting the caps", before: null, posture: "emergency" as const, liftCaps: true, done: false },
])("without a record, $name is done: $done", async ({ before, posture, liftCaps, done }) => {
  const world = makeWorld({ cron: before, down: new Set(["records"]) });
  const outcome = await setPosture(depsOver(world), ADA, { posture, forSeconds: 3600, liftCaps });
  expect(outcome.kind).toBe(done ? "done" : "not_recorded");
  expect(world.operator !== null).toBe(done);
  if (outcome.kind === "done") {
    expect(outcome.recorded).toBe(false);
    expect(outcome.notes[0]).toContain("could not be written down");
  }
});

test("documents that nobody can read count as an emergency: normal is then a step down", async () => {
  const world = makeWorld({ down: new Set(["control", "records"]) });
  const normal = { posture: "normal" as const, forSeconds: 3600, liftCaps: false };
  expect((await setPosture(depsOver(world), ADA, normal)).kind).toBe("not_recorded");
  expect((await setPosture(depsOver(world), ADA, raise)).kind).toBe("done");
});

test("the second of two operators wins, and learns what the first had set", async () => {
  const world = makeWorld();
  await setPosture(depsOver(world), ADA, raise);
  const bob = { who: "bob", why: "one country is enough" };
  const done = await setPosture(depsOver(world), bob, { ...raise, posture: "elevated" });
  expect(done).toMatchObject({ kind: "done", replaced: { who: "ada", posture: "emergency" } });
  expect(done.kind === "done" && done.notes.join(" ")).toContain("ada");
  expect(world.operator).toMatchObject({ who: "bob", posture: "elevated" });
});

test("a write that KV refuses is told, and the attempt is on record with its failure", async () => {
  const world = makeWorld({ down: new Set(["writes"]) });
  expect((await setPosture(depsOver(world), ADA, raise)).kind).toBe("unavailable");
  expect(world.actions.map(({ what }) => what)).toEqual(["posture set failed", "posture set"]);
});

test("clearing takes down people's document and the watch's, and says up to when people have judged", async () => {
  const world = makeWorld({ cron: document(), operator: document({ by: "operator", who: "bob" }) });
  const done = await clearPosture(depsOver(world), ADA);
  expect(done).toMatchObject({ kind: "done", replaced: { who: "bob" }, document: null, cron: null });
  expect(world.cron).toBeNull();
  // A note for the watch alone: what was sent before has been judged.
  expect(world.operator).toMatchObject({ posture: "normal", holds_posture: false, judged_ms: NOW });
});

test("ten percent of normal is taken of the median of this time of day, so that yesterday's attack is not normal", async () => {
  const world = makeWorld({ quarters: pastDays([9000, 300, 310, 290, 300, 305, 295]) });
  const done = await setThrottle(depsOver(world), ADA, { percent: 10, forSeconds: 3600 });
  expect(done).toMatchObject({ kind: "done", maxPerMinute: 2, normal: { perMinute: 20, from: "same_time" } });
  expect(world.operator).toMatchObject({ posture: "normal", max_per_minute: 2 });
});

test("without past days the history's mean is normal, and without a history a throttle is one a minute", async () => {
  const sinceMs = NOW - 30 * 24 * HOUR;
  const history = { quarter: 0, sinceMs, subjects: { "overall all": { sent: 62_330 } } };
  const known = makeWorld({ history });
  const done = await setThrottle(depsOver(known), ADA, { percent: 50, forSeconds: 3600 });
  expect(done).toMatchObject({ kind: "done", maxPerMinute: 5, normal: { from: "history" } });
  const unknown = makeWorld();
  const least = await setThrottle(depsOver(unknown), ADA, { percent: 100, forSeconds: 3600 });
  expect(least).toMatchObject({ kind: "done", maxPerMinute: 1, normal: { from: "nothing" } });
});

test("a steady rate is found again in the fading sum it leaves", () => {
  const [rate, minutes] = [7, 2 * 1440];
  let sent = 0;
  for (let minute = 0; minute < minutes; minute++) sent = sent * 2 ** (-1 / 4320) + rate;
  const history = { quarter: 0, sinceMs: NOW - minutes * 60_000, subjects: { "overall all": { sent } } };
  expect(meanPerMinute(history, NOW)).toBeCloseTo(rate, 1);
});

test("a throttle keeps the posture in force, and a posture keeps a throttle to the later end", async () => {
  const world = makeWorld({ cron: document() });
  await setThrottle(depsOver(world), ADA, { maxPerMinute: 5, forSeconds: 7200 });
  expect(world.operator).toMatchObject({ posture: "emergency", max_per_minute: 5, until_ms: NOW + 2 * HOUR });
  await setPosture(depsOver(world), ADA, { posture: "shutdown", forSeconds: 3600, liftCaps: false });
  expect(world.operator).toMatchObject({ posture: "shutdown", max_per_minute: 5, until_ms: NOW + 2 * HOUR });
});

test("lifted caps never last longer than they were asked for", async () => {
  const world = makeWorld();
  await setThrottle(depsOver(world), ADA, { maxPerMinute: 5, forSeconds: 7200 });
  await setPosture(depsOver(world), ADA, { posture: "normal", forSeconds: 3600, liftCaps: true });
  expect(world.operator).toMatchObject({ caps_lifted: true, max_per_minute: 5, until_ms: NOW + HOUR });
  await setThrottle(depsOver(world), ADA, { maxPerMinute: 3, forSeconds: 7200 });
  expect(world.operator).toMatchObject({ caps_lifted: true, max_per_minute: 3, until_ms: NOW + HOUR });
});

test("a looser throttle needs a record, a tighter one does not", async () => {
  const operator = document({ by: "operator", posture: "normal", max_per_minute: 10 });
  const loose = makeWorld({ operator, down: new Set(["records"]) });
  expect((await setThrottle(depsOver(loose), ADA, { maxPerMinute: 20, forSeconds: 60 })).kind).toBe(
    "not_recorded",
  );
  expect((await setThrottle(depsOver(loose), ADA, { maxPerMinute: 5, forSeconds: 60 })).kind).toBe("done");
});

test("taking a throttle off leaves a posture that people set, and nothing that only the watch says", async () => {
  const held = document({ by: "operator", posture: "shutdown", max_per_minute: 5 });
  const people = makeWorld({ operator: held });
  await clearThrottle(depsOver(people), ADA);
  expect(people.operator).toMatchObject({ posture: "shutdown" });
  expect(people.operator?.max_per_minute).toBeUndefined();

  const watch = makeWorld({ cron: document(), operator: { ...held, posture: "emergency" } });
  await clearThrottle(depsOver(watch), ADA);
  expect(watch.operator).toBeNull();

  expect((await clearThrottle(depsOver(makeWorld()), ADA)).kind).toBe("not_found");
});

const LETTER = { id: "l-1", atMs: NOW, queue: "alerts", cause: "HTTP 500", body: '{"title":"x"}' };

test("a dead letter goes back to its queue as it was, once", async () => {
  const world = makeWorld({ letters: [LETTER] });
  expect(await replayDeadLetter(depsOver(world), ADA, "l-1")).toMatchObject({ kind: "done", letter: LETTER });
  expect(world.queued).toEqual([{ queue: "alerts", body: LETTER.body }]);
  expect((await replayDeadLetter(depsOver(world), ADA, "l-1")).kind).toBe("not_found");
  expect(world.queued).toHaveLength(1);
});

test("a letter that its queue does not take stays among the dead letters", async () => {
  const world = makeWorld({ letters: [LETTER], down: new Set(["queues"]) });
  expect((await replayDeadLetter(depsOver(world), ADA, "l-1")).kind).toBe("unavailable");
  expect(world.letters).toEqual([LETTER]);
});

test("a history without messages is none: nothing is normal yet", async () => {
  const history = { quarter: 0, sinceMs: NOW - HOUR, subjects: {} };
  const done = await setThrottle(depsOver(makeWorld({ history })), ADA, { percent: 10, forSeconds: 60 });
  expect(done).toMatchObject({ maxPerMinute: 1, normal: { from: "nothing" } });
});

test("nobody is told that they replaced themselves", async () => {
  const world = makeWorld();
  await setPosture(depsOver(world), ADA, raise);
  const again = await setPosture(depsOver(world), ADA, raise);
  expect(again).toMatchObject({ replaced: { who: "ada" } });
  expect(again.kind === "done" && again.notes.join(" ")).not.toContain("replaces");
});
