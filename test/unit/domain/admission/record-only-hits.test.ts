import { expect, test } from "vitest";
import { rulesLines } from "../../../../scripts/ops/rules.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { readRecordOnlyHits } from "../../../../src/flows/operators/views/read-record-only-hits.ts";
import { type RulesAnswer, rulesApi } from "../../../../src/http/admin/rules.ts";
import { recordOnlyLine } from "../../../../src/ops/views/record-only-lines.ts";
import { formatsFor } from "../../../../src/ops/words.ts";
import {
  depsOver,
  makeWorld,
  memory,
  minuteTally,
  NOW,
  POLICY,
  type World,
} from "../../../support/support-operate.ts";

const MINUTE = NOW / 60_000;
const QUARTER = Math.floor(MINUTE / 15);
const DAY_MS = 86_400_000;
const words = formatsFor("en-IN", "INR");
const FILE = { name: "wrangler.toml", lines: new Map([["env.staging.vars.POLICY.flows.login.risk", 12]]) };
const HOSTING = "rule hosting_network/signup";
const COUNTS: Counts = {
  met: 300,
  "would:challenge": 250,
  "would:deny": 2,
  sent: 240,
  verified: 12,
  micros: 60_000_000,
};

/** Hosting networks and Tor are recorded everywhere but at login, where many numbers are. */
const RISK = { ...POLICY.risk, record_only: ["hosting_network" as const, "tor" as const] };
const LOGIN = { step_up: [], risk: { ...RISK, record_only: ["many_numbers" as const] } };

function depsOf(world: World) {
  return { ...depsOver(world), policy: { ...POLICY, risk: RISK, flows: { ...POLICY.flows, login: LOGIN } } };
}

async function rowsOf(world: World, span: "day" | "window" = "window") {
  const found = await readRecordOnlyHits(depsOf(world), span);
  if (found.kind !== "answered") throw new Error(found.cause);
  return found;
}

const inWindow = (counts: Record<string, Counts>) =>
  makeWorld({ minutes: [minuteTally(MINUTE - 4, counts)] });

test("a rule's figures stand by flow, and what met nothing stands with zeros", async () => {
  const { rows } = await rowsOf(inWindow({ [HOSTING]: COUNTS, "overall all": { sent: 900 } }));
  const figures = {
    met: 300,
    wouldChallenge: 250,
    wouldStepUp: 0,
    wouldDeny: 2,
    left: 240,
    leftVerified: 12,
  };
  expect(rows[0]).toEqual({
    rule: "hosting_network",
    flow: "signup",
    recordOnly: true,
    ...figures,
    unansweredMicros: 57_000_000,
  });
  expect(rows.slice(1).map(({ rule, flow, met, recordOnly }) => [rule, flow, met, recordOnly])).toEqual([
    ["tor", null, 0, true],
    ["many_numbers", "login", 0, true],
  ]);
});

test("a rule that counts by now keeps its figures and says so; what found no room has no setting", async () => {
  const counts = { "rule posture/signup": COUNTS, "rule tor/login": COUNTS, "rule *": COUNTS };
  const { rows } = await rowsOf(inWindow(counts));
  const states = new Map(rows.map(({ rule, flow, recordOnly }) => [`${rule} ${flow}`, recordOnly]));
  expect(states.get("posture signup")).toBe(false);
  expect(states.get("tor login"), "login has rules of its own").toBe(false);
  expect(states.get("* null")).toBe(true);
  expect(states.get("tor null"), "recorded elsewhere, and met nothing there").toBe(true);
});

test("who met the most comes first", async () => {
  const { rows } = await rowsOf(inWindow({ "rule tor/signup": { met: 4 }, [HOSTING]: { met: 5 } }));
  expect(rows.slice(0, 2).map(({ rule }) => rule)).toEqual(["hosting_network", "tor"]);
});

test("a day is summed from the quarters that are over", async () => {
  const tally = new Map([[HOSTING, COUNTS]]);
  const foldedTo = QUARTER - 2;
  const world = makeWorld({
    memory: memory({ foldedTo }),
    quarters: [
      { quarter: foldedTo, tally },
      { quarter: foldedTo - 95, tally },
      { quarter: foldedTo - 96, tally },
    ],
  });
  const found = await rowsOf(world, "day");
  expect(found.rows[0]).toMatchObject({
    met: 600,
    left: 480,
    leftVerified: 24,
    unansweredMicros: 114_000_000,
  });
  expect([found.fromMs, found.toMs]).toEqual([(foldedTo + 1) * 900_000 - DAY_MS, (foldedTo + 1) * 900_000]);
});

test.each([
  ["window", "counters"],
  ["day", "watch"],
] as const)("a %s without its %s is no row of zeros", async (span, part) => {
  const world = makeWorld({ down: new Set([part]) });
  expect(await readRecordOnlyHits(depsOf(world), span)).toMatchObject({
    kind: "unavailable",
    cause: expect.stringContaining("down for the test"),
  });
});

test("a line reads as people do, and says where the rule is set", async () => {
  const counts = { "rule many_numbers/login": COUNTS, "rule posture/signup": { met: 1 } };
  const { rows } = await rowsOf(inWindow(counts));
  const lines = rows.map((row) => recordOnlyLine(row, depsOf(makeWorld()).policy, FILE, "staging", words));
  expect(lines[0]).toEqual({
    rule: "many numbers",
    flow: "login",
    met: "300",
    wouldChallenge: "250",
    wouldStepUp: "0",
    wouldDeny: "2",
    left: "240",
    leftVerified: "12",
    unanswered: "₹57.00",
    place: { file: "wrangler.toml", table: "[env.staging.vars.POLICY.flows.login.risk]", line: 12 },
    countsNow: false,
    says: "Would have stopped 240 messages, of which 12 were verified by the people who asked; the other 228 cost ₹57.00.",
  });
  expect(lines[1]).toMatchObject({ rule: "posture", place: null, countsNow: true });
  expect(lines[2]).toMatchObject({
    rule: "tor",
    flow: "every flow",
    says: "",
    place: { table: "[env.staging.vars.POLICY.risk]" },
  });
});

/** What the API answers over a world. */
async function answered(world: World): Promise<RulesAnswer> {
  const problem = () => {
    throw new Error("refused");
  };
  return (await rulesApi(depsOf(world), { problem }).request("/?span=window")).json();
}

test("the command prints the table and the sentences of what was met", async () => {
  const lines = rulesLines(
    await answered(inWindow({ [HOSTING]: COUNTS, "rule posture/signup": { met: 1 } })),
  );
  expect(lines.join("\n")).toMatch(/hosting_network +signup +300 +250 +0 +2 +240 +12 +€57\.00$/m);
  expect(lines.join("\n")).toMatch(/posture +signup +1 .*counts now$/m);
  expect(lines.join("\n")).toMatch(/tor +every flow +0 +0/);
  expect(lines.slice(-2)).toEqual([
    "hosting_network in signup: Would have stopped 240 messages, of which 12 were verified by the people who asked; the other 228 cost €57.00.",
    "posture in signup: Would have stopped nothing that it met.",
  ]);
});

test("before the first quarter is over the day is empty, and the command points at the window", async () => {
  const world = inWindow({ [HOSTING]: COUNTS });
  const { fromMs, toMs, rows } = await rowsOf(world, "day");
  expect([fromMs, toMs, rows[0]?.met]).toEqual([NOW, NOW, 0]);
  const answer = await answered(world);
  expect(rulesLines({ ...answer, from: answer.to })[0]).toContain("--span window");
  expect(rulesLines(answer)[0]).toMatch(/^Would have done, /);
});

test("the command says where no rule is in record-only mode", () => {
  const empty = { from: "2026-07-01T00:00:00Z", to: "2026-07-02T00:00:00Z", currency: "EUR", rules: [] };
  expect(rulesLines(empty)).toEqual(["No rule is in record-only mode."]);
});
