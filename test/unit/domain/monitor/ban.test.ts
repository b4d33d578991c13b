import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BAN_EFFECTS,
  type Ban,
  type BanEffect,
  type BanMemory,
  type EffectiveBan,
  findBan,
  nextBans,
  type OperatorBan,
} from "../../../../src/domain/monitor/ban.ts";
import type { Finding } from "../../../../src/domain/monitor/finding.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { MINUTE, T0, windowOf } from "../../../support/watch-tables.ts";

const POLICY = policySchema.shape.monitor.parse({});
const HOUR = 60 * MINUTE;
const block = (over: Partial<Ban> = {}): Ban => ({
  kind: "range",
  subject: "+91987654",
  sinceMs: T0,
  untilMs: T0 + HOUR,
  by: "cron",
  why: "test",
  times: 1,
  ...over,
});
const said = (effect: BanEffect, over: Partial<Ban> = {}): OperatorBan => ({
  ...block({ by: "ann", ...over }),
  effect,
});
const stop = (over: Partial<Ban> = {}): EffectiveBan => ({ ...block(over), effect: "stop" });
const challenge = (over: Partial<Ban> = {}): EffectiveBan => ({
  ...block({ by: "ann", ...over }),
  effect: "challenge",
});
const finding = (subject: string, over: Partial<Finding> = {}): Finding => ({
  kind: "conversion_collapse",
  subject,
  severity: "elevated",
  says: `${subject} is silent`,
  evidence: {},
  block: true,
  ...over,
});
const sentTo = (nowMs: number, subjects: Record<string, Counts>) =>
  windowOf(nowMs, (ago) => (ago === 2 ? subjects : {}));

interface World {
  blocks?: readonly Ban[];
  memory?: BanMemory;
  window?: Record<string, Counts>;
  theirs?: readonly OperatorBan[];
  nowMs?: number;
}
const next = (findings: readonly Finding[], world: World = {}) => {
  const { blocks = [], memory = {}, window = {}, theirs = [], nowMs = T0 } = world;
  return nextBans(
    { bans: blocks, findings, memory, minutes: sentTo(nowMs, window), operatorBans: theirs },
    POLICY,
    nowMs,
  );
};
const subjects = (blocks: readonly Ban[]) => blocks.map(({ kind, subject }) => `${kind} ${subject}`);

describe("shutting", () => {
  test.each([
    ["block +91987654", ["range +91987654"]],
    ["network AS64500", ["network AS64500"]],
    ["address abc", ["address abc"]],
    ["country IN", []],
    ["flow signup", []],
    ["block *", []],
  ])("a finding about %s shuts %j", (subject, shut) => {
    const { blocks, changes } = next([finding(subject)]);
    expect(subjects(blocks)).toEqual(shut);
    expect(subjects(changes.blocked)).toEqual(shut);
    for (const one of blocks) expect(one).toMatchObject({ untilMs: T0 + HOUR, by: "cron", times: 1 });
  });

  test("a finding that does not ask for it shuts nothing", () => {
    expect(next([finding("block +91987654", { block: false })]).blocks).toEqual([]);
  });

  test("each return within a week is for longer, up to the longest; after a week it is new", () => {
    const lengths = [1, 2, 3, 4, 5, 9].map((times) => {
      const memory = { "range +91987654": { times, lastMs: T0 - 24 * HOUR } };
      const [shut] = next([finding("block +91987654")], { memory }).blocks;
      return ((shut?.untilMs ?? 0) - T0) / HOUR;
    });
    expect(lengths).toEqual([4, 16, 64, 168, 168, 168]);
    const old = { "range +91987654": { times: 3, lastMs: T0 - 8 * 24 * HOUR } };
    expect(next([finding("block +91987654")], { memory: old }).blocks[0]?.times).toBe(1);
  });

  test("the same messages do not extend it; silence that goes on near its end does", () => {
    const first = next([finding("block +91987654")]);
    const again = (nowMs: number) =>
      next([finding("block +91987654")], { blocks: first.blocks, memory: first.blocked, nowMs });
    expect(again(T0 + 5 * MINUTE).blocks).toEqual(first.blocks);
    expect(again(T0 + 20 * MINUTE).changes.extended).toEqual([]);
    expect(again(T0 + 40 * MINUTE).changes.extended).toMatchObject([
      { sinceMs: T0, untilMs: T0 + 40 * MINUTE + HOUR, times: 1 },
    ]);
  });

  test("a range inside one that is shut is not shut for itself", () => {
    const blocks = [block({ subject: "+91987" })];
    expect(subjects(next([finding("block +91987654")], { blocks }).blocks)).toEqual(["range +91987"]);
  });

  test.each(BAN_EFFECTS)("of a subject of which people say %s, only an exemption keeps it open", (effect) => {
    const theirs = [said(effect)];
    expect(next([finding("block +91987654")], { theirs }).blocks).toHaveLength(effect === "exempt" ? 0 : 1);
    expect(next([], { blocks: [block()], theirs }).blocks).toHaveLength(effect === "exempt" ? 0 : 1);
  });

  test("there are never more than the policy has room for, and those that would end first make it", () => {
    const blocks = Array.from({ length: POLICY.blocks.most }, (_, i) =>
      block({ subject: `+44${7_000_000 + i}`, untilMs: T0 + HOUR + (i - 1) * MINUTE }),
    );
    const { blocks: after, changes } = next([finding("network AS1")], { blocks });
    expect(after).toHaveLength(POLICY.blocks.most);
    expect(changes.lifted.map(({ block: one }) => one.subject)).toEqual(["+447000000"]);
  });
});

describe("a prefix", () => {
  const silent = (sends: readonly number[]): Record<string, Counts> =>
    Object.fromEntries(sends.map((sent, i) => [`block +91987${600 + i}`, { sent }]));

  test.each([
    [[5, 5, 5], ["+91987"]],
    [[2, 2, 2, 2, 1], ["+91987"]],
    [[12], ["+91987600"]],
    [
      [6, 6],
      ["+91987600", "+91987601"],
    ],
    // One block is meant; the others are people who did not answer.
    [
      [30, 1, 1],
      ["+91987600", "+91987601"],
    ],
  ])("with silent blocks of %j messages shuts %j", (sends, shut) => {
    const { blocks } = next([finding("prefix +91987")], { window: silent(sends) });
    expect(blocks.map(({ subject }) => subject)).toEqual(shut);
  });

  test("leaves blocks alone in which somebody answered", () => {
    const window = { ...silent([12]), "block +91987700": { sent: 9, verified: 4 } };
    const { blocks } = next([finding("prefix +91987")], { window });
    expect(blocks.map(({ subject }) => subject)).toEqual(["+91987600"]);
  });

  test("with an exempted range in it is not shut as a whole", () => {
    const theirs = [said("exempt", { subject: "+91987600" })];
    const { blocks } = next([finding("prefix +91987")], { window: silent([5, 4, 4]), theirs });
    expect(blocks.map(({ subject }) => subject)).toEqual(["+91987601"]);
  });
});

/** What a probe leaves behind whose code came back; people we know verify all the while, which says nothing. */
const PROBED = { verified: 1, probe_verified: 1 };

describe("lifting", () => {
  test.each<[string, Partial<Ban>, Record<string, Counts>, boolean]>([
    ["a range", {}, { "block +91987654": { sent: 1, ...PROBED } }, true],
    ["a range", {}, { "block +91987654": { sent: 3 } }, false],
    ["a range", {}, { "block +91987654": { sent: 3, verified: 2 } }, false],
    ["a range", {}, { "block +91987655": { sent: 1, ...PROBED } }, false],
    ["a prefix", { subject: "+91987" }, { "prefix +91987": { sent: 1, ...PROBED } }, true],
    ["a network", { kind: "network", subject: "AS1" }, { "network AS1": { sent: 1, ...PROBED } }, true],
    ["a network", { kind: "network", subject: "AS1" }, { "network AS2": { sent: 1, ...PROBED } }, false],
    ["an address", { kind: "address", subject: "abc" }, { "address abc": PROBED }, true],
  ])("%s (%j) with a probe that came to %j: %s", (_, over, window, lifted) => {
    const { blocks, changes } = next([], { blocks: [block(over)], window, nowMs: T0 + 10 * MINUTE });
    expect(changes.lifted).toHaveLength(lifted ? 1 : 0);
    expect(blocks).toHaveLength(lifted ? 0 : 1);
  });

  test("an answer to a message from before the shutting says nothing", () => {
    const window = { "block +91987654": { sent: 20, ...PROBED } };
    expect(next([], { blocks: [block()], window, nowMs: T0 + MINUTE }).changes.lifted).toEqual([]);
  });

  test("what was lifted is not shut again by the messages that shut it, and is by new ones, for longer", () => {
    const nowMs = T0 + 10 * MINUTE;
    const window = { "block +91987654": { sent: 1, ...PROBED } };
    const memory = { "range +91987654": { times: 1, lastMs: T0 } };
    const lifted = next([finding("block +91987654")], { blocks: [block()], memory, window, nowMs });
    expect(lifted.blocks).toEqual([]);
    const later = (minutes: number) =>
      next([finding("block +91987654")], { memory: lifted.blocked, nowMs: nowMs + minutes * MINUTE });
    expect(later(14).blocks).toEqual([]);
    expect(later(15).blocks).toMatchObject([{ times: 2 }]);
  });

  test("its time ends it, and an operator's exemption does", () => {
    expect(next([], { blocks: [block()], nowMs: T0 + HOUR }).changes.lifted).toHaveLength(1);
    const theirs = [said("exempt", { subject: "+9198" })];
    const { blocks, changes } = next([finding("block +91987654")], { blocks: [block()], theirs });
    expect([blocks, changes.blocked]).toEqual([[], []]);
    const over = next([finding("block +91987654")], { theirs, nowMs: T0 + HOUR });
    expect(over.blocks).toHaveLength(1);
  });
});

describe("at the edge", () => {
  const caller = { e164: "+919876543210", asn: 64_500, addressTags: ["abc", "older"] };
  const prefix = stop({ subject: "+91987" });
  const network = stop({ kind: "network", subject: "AS64500" });
  const address = stop({ kind: "address", subject: "abc" });

  test("the longest range that fits comes first, then the network, then the address", () => {
    expect(findBan([address, network, prefix, stop()], "stop", caller, T0)).toEqual(stop());
    expect(findBan([address, network, stop({ subject: "+44" })], "stop", caller, T0)).toBe(network);
    expect(findBan([address], "stop", caller, T0)).toBe(address);
    expect(findBan([stop({ subject: "+91987655" })], "stop", caller, T0)).toBeNull();
  });

  test("a block counts until it ends", () => {
    expect(findBan([prefix], "stop", caller, T0 + HOUR - 1)).toBe(prefix);
    expect(findBan([prefix], "stop", caller, T0 + HOUR)).toBeNull();
  });

  test("who is unknown is not shut by network or address", () => {
    expect(findBan([network, address], "stop", { ...caller, asn: null, addressTags: [] }, T0)).toBeNull();
  });

  const shut = (over: Partial<Ban> = {}) => stop({ by: "ann", ...over });
  const NETWORK = { kind: "network", subject: "AS64500" } as const;
  test.each<[string, EffectiveBan, EffectiveBan]>([
    ["the watch's stop of a longer range, people's stop of a shorter", stop(), shut({ subject: "+91" })],
    ["the watch's stop of a range, people's stop of the network", stop(), shut(NETWORK)],
    ["the watch's and people's stop of the same", stop(), shut()],
    ["people's challenge of the network, of a range", challenge(NETWORK), challenge()],
  ])("of %s the second holds, in whatever order they were said", (_, first, second) => {
    const find = (blocks: EffectiveBan[]) => findBan(blocks, first.effect, caller, T0);
    expect(find([first, second])).toBe(second);
    expect(find([second, first])).toBe(second);
    expect(find([first, { ...second, untilMs: T0 }]), "once it has ended").toBe(first);
  });

  test.each<[string, EffectiveBan]>([
    ["a longer range than people's stop", shut({ subject: "+91" })],
    ["a range where people shut the network", shut(NETWORK)],
    ["a range where the address is shut under its older key", stop({ kind: "address", subject: "older" })],
    ["the very range that the watch shut", stop()],
  ])("people's challenge of %s is found beside it, and changes nothing about it", (_, stopped) => {
    const both = [challenge(), stopped];
    expect(findBan(both, "stop", caller, T0)).toBe(stopped);
    expect(findBan(both, "challenge", caller, T0)).toEqual(challenge());
    expect(findBan([stopped], "challenge", caller, T0)).toBeNull();
  });

  const digits = fc.stringMatching(/^\+[1-9]\d{3,13}$/);

  test("a range that fits is always found, and only one that fits", () => {
    fc.assert(
      fc.property(digits, fc.array(digits, { maxLength: 8 }), fc.nat(12), (e164, others, cut) => {
        const own = e164.slice(0, 2 + cut);
        const all = [own, ...others].map((subject) => stop({ subject }));
        const answer = findBan(all, "stop", { e164, asn: null, addressTags: [] }, T0);
        expect(e164.startsWith(answer?.subject ?? "none")).toBe(true);
        expect(answer?.subject.length).toBeGreaterThanOrEqual(own.length);
      }),
    );
  });

  test("where people shut, nobody is let through as a probe, whatever else is shut there", () => {
    const subject = fc.oneof(
      fc.nat(9).map((cut) => ({ kind: "range" as const, subject: caller.e164.slice(0, 2 + cut) })),
      fc.constantFrom("AS64500", "AS1").map((asn) => ({ kind: "network" as const, subject: asn })),
      fc.constantFrom("abc", "older", "other").map((tag) => ({ kind: "address" as const, subject: tag })),
    );
    const stopped = fc
      .tuple(subject, fc.constantFrom("cron", "ann"))
      .map(([what, by]) => stop({ ...what, by }));
    fc.assert(
      fc.property(fc.array(stopped, { maxLength: 6 }), (stops) => {
        const theirs = stops.filter(({ by }) => by === "ann");
        const byPeople = findBan(theirs, "stop", caller, T0);
        if (byPeople !== null) expect(findBan(stops, "stop", caller, T0)).toBe(byPeople);
      }),
    );
  });
});
