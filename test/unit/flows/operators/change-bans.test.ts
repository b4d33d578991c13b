import { expect, test } from "vitest";
import type { Ban } from "../../../../src/domain/monitor/ban.ts";
import { listBans } from "../../../../src/domain/monitor/effective-control.ts";
import {
  ban,
  challengeSubject,
  liftBan,
  liftChallenge,
  OPERATOR_BANS_MOST,
  parseBanSubject,
} from "../../../../src/flows/operators/change-bans.ts";
import { depsOver, HOUR, makeWorld, NOW } from "../../../support/support-operate.ts";

const ADA = { who: "ada", why: "pumped" };
const cronBlock = (over: Partial<Ban> = {}): Ban => ({
  kind: "range",
  subject: "+2348012",
  sinceMs: NOW - HOUR,
  untilMs: NOW + 24 * HOUR,
  by: "cron",
  why: "nobody of 14 answered",
  times: 2,
  ...over,
});

test.each([
  ["+23480", { kind: "range", subject: "+23480" }],
  ["AS64500", { kind: "network", subject: "AS64500" }],
  ["as64500", { kind: "network", subject: "AS64500" }],
  ["AS4294967295", null],
  ["+0234", null],
  ["23480", null],
  ["+2348012345678901", null],
  ["192.0.2", null],
  ["", null],
])("%j is read as %j", async (text, subject) => {
  expect(await parseBanSubject(depsOver(makeWorld()).vault, text)).toEqual(subject);
});

test("an address is stored as its keyed hash, an IPv6 one by its /64", async () => {
  const world = makeWorld();
  await ban(depsOver(world), ADA, { subject: "2001:db8:1:2:3:4:5:6", forSeconds: 3600 });
  await ban(depsOver(world), ADA, { subject: "192.0.2.1", forSeconds: 3600 });
  expect(world.operatorBlocks.map(({ kind }) => kind)).toEqual(["address", "address"]);
  const kept = JSON.stringify([world.operatorBlocks, world.actions, world.logged]);
  expect(kept).not.toContain("192.0.2.1");
  expect(kept).not.toContain("2001:db8");
  const unit = await depsOver(world).vault.tag("ip", "2001:db8:1:2::/64");
  expect(world.operatorBlocks[0]?.subject).toBe(unit);
  const opened = await liftBan(depsOver(world), ADA, {
    subject: "2001:db8:1:2::9",
    exemptForSeconds: undefined,
  });
  expect(opened.kind).toBe("done");
  expect(world.operatorBlocks).toHaveLength(1);
});

test("blocking the same subject again replaces what was said of it, and says so", async () => {
  const world = makeWorld();
  await ban(depsOver(world), ADA, { subject: "+23480", forSeconds: 3600 });
  const again = await ban(
    depsOver(world),
    { who: "bob", why: "longer" },
    { subject: "+23480", forSeconds: 7200 },
  );
  expect(again).toMatchObject({ kind: "done", replaced: { by: "ada" } });
  expect(world.operatorBlocks).toMatchObject([{ by: "bob", untilMs: NOW + 2 * HOUR, effect: "stop" }]);
});

test("lifting a block of the watch takes it from its list and exempts it for an hour", async () => {
  const other = cronBlock({ subject: "+91987" });
  const world = makeWorld({ cronBlocks: [cronBlock(), other] });
  const done = await liftBan(depsOver(world), ADA, { subject: "+2348012", exemptForSeconds: undefined });
  expect(done.kind).toBe("done");
  expect(world.cronBlocks).toEqual([other]);
  expect(world.operatorBlocks).toMatchObject([
    { subject: "+2348012", effect: "exempt", untilMs: NOW + HOUR },
  ]);
});

test("lifting needs a record, blocking does not", async () => {
  const world = makeWorld({ cronBlocks: [cronBlock()], down: new Set(["records"]) });
  const lifted = await liftBan(depsOver(world), ADA, { subject: "+2348012", exemptForSeconds: undefined });
  expect(lifted.kind).toBe("not_recorded");
  expect(world.cronBlocks).toHaveLength(1);
  const shut = await ban(depsOver(world), ADA, { subject: "+23490", forSeconds: 60 });
  expect(shut).toMatchObject({ kind: "done", recorded: false });
});

test("whoever asks to open a part of a block learns what it is called", async () => {
  const world = makeWorld({ cronBlocks: [cronBlock()] });
  const part = await liftBan(depsOver(world), ADA, { subject: "+23480123", exemptForSeconds: undefined });
  expect(part).toEqual({
    kind: "not_found",
    reason: "It is neither blocked nor challenged itself. Look at +2348012.",
  });
  const none = await liftBan(depsOver(world), ADA, { subject: "+4917", exemptForSeconds: undefined });
  expect(none).toEqual({ kind: "not_found", reason: "It is neither blocked nor challenged." });
});

test("an exemption of a wider range lifts what the watch shut within it, and nothing that people shut", async () => {
  const world = makeWorld({ cronBlocks: [cronBlock()] });
  await ban(depsOver(world), ADA, { subject: "+23481", forSeconds: 3600 });
  await liftBan(depsOver(world), ADA, { subject: "+234", exemptForSeconds: 7200 });
  const listed = listBans(world, NOW);
  expect(listed.find(({ subject }) => subject === "+2348012")).toMatchObject({
    set: "cron",
    effective: false,
  });
  expect(listed.find(({ subject }) => subject === "+23481")).toMatchObject({
    set: "operator",
    effective: true,
  });
  expect(listed.find(({ subject }) => subject === "+234")).toMatchObject({
    effect: "exempt",
    effective: false,
  });
});

test("what is over is not listed, and makes room", async () => {
  const old = { ...cronBlock({ untilMs: NOW - 1, by: "bob" }), effect: "stop" as const };
  const many = Array.from({ length: OPERATOR_BANS_MOST }, (_, i) => ({ ...old, subject: `+1${i}` }));
  const world = makeWorld({ operatorBlocks: many });
  expect(listBans(world, NOW)).toEqual([]);
  expect((await ban(depsOver(world), ADA, { subject: "+23480", forSeconds: 60 })).kind).toBe("done");
  world.operatorBlocks = many.map((one) => ({ ...one, untilMs: NOW + 1 }));
  expect((await ban(depsOver(world), ADA, { subject: "+23480", forSeconds: 60 })).kind).toBe("invalid");
});

test("a KV that does not answer is told, and nothing is on record as done", async () => {
  const world = makeWorld({ down: new Set(["control"]) });
  expect((await ban(depsOver(world), ADA, { subject: "+23480", forSeconds: 60 })).kind).toBe("unavailable");
  expect(world.actions).toEqual([]);
});

test("a challenge is written down, replaces what was said of its subject, and is taken back", async () => {
  const world = makeWorld();
  await liftBan(depsOver(world), ADA, { subject: "AS64500", exemptForSeconds: 7200 });
  const made = await challengeSubject(depsOver(world), ADA, { subject: "AS64500", forSeconds: 3600 });
  expect(made).toMatchObject({ kind: "done", replaced: { effect: "exempt", by: "ada" } });
  expect(world.operatorBlocks).toMatchObject([
    { kind: "network", subject: "AS64500", effect: "challenge", by: "ada", untilMs: NOW + HOUR },
  ]);
  expect(listBans(world, NOW)).toMatchObject([{ effect: "challenge", set: "operator", effective: true }]);
  const ended = await liftChallenge(depsOver(world), ADA, { subject: "AS64500" });
  expect(ended).toMatchObject({ kind: "done", ban: null, replaced: { effect: "challenge" } });
  expect(world.operatorBlocks).toEqual([]);
  expect(world.actions.map(({ what, why }) => [what, why]).slice(0, 2)).toEqual([
    ["network challenge ended", "pumped"],
    ["network challenged", "pumped"],
  ]);
});

test("what the watch shut stays shut when a challenge of it ends, and opens with an unblock", async () => {
  const world = makeWorld({ cronBlocks: [cronBlock()] });
  const subject = "+2348012";
  await challengeSubject(depsOver(world), ADA, { subject, forSeconds: 3600 });
  await liftChallenge(depsOver(world), ADA, { subject });
  expect(listBans(world, NOW)).toMatchObject([{ set: "cron", effect: "stop", effective: true }]);
  await challengeSubject(depsOver(world), ADA, { subject, forSeconds: 3600 });
  const opened = await liftBan(depsOver(world), ADA, { subject, exemptForSeconds: undefined });
  expect(opened).toMatchObject({ kind: "done", replaced: { effect: "challenge" } });
  expect(listBans(world, NOW)).toMatchObject([{ effect: "exempt" }]);
});

test("only a challenge is ended as one", async () => {
  const world = makeWorld();
  await ban(depsOver(world), ADA, { subject: "+23480", forSeconds: 3600 });
  for (const subject of ["+23480", "+2348012"]) {
    expect((await liftChallenge(depsOver(world), ADA, { subject })).kind).toBe("not_found");
  }
  expect((await liftChallenge(depsOver(world), ADA, { subject: "23480" })).kind).toBe("invalid");
  expect(world.operatorBlocks).toHaveLength(1);
});

test("without a record a challenge is made and not ended, and softens nothing that people shut", async () => {
  const world = makeWorld();
  await ban(depsOver(world), ADA, { subject: "+23480", forSeconds: 3600 });
  world.down = new Set(["records"]);
  const softened = await challengeSubject(depsOver(world), ADA, { subject: "+23480", forSeconds: 3600 });
  expect(softened.kind).toBe("not_recorded");
  const made = await challengeSubject(depsOver(world), ADA, { subject: "+91", forSeconds: 3600 });
  expect(made).toMatchObject({ kind: "done", recorded: false });
  expect((await liftChallenge(depsOver(world), ADA, { subject: "+91" })).kind).toBe("not_recorded");
  expect(world.operatorBlocks.map(({ subject, effect }) => [subject, effect])).toEqual([
    ["+23480", "stop"],
    ["+91", "challenge"],
  ]);
});
