import { describe, expect, test } from "vitest";
import type { LimitPolicy } from "../../../../src/domain/admission/limits.policy.ts";
import {
  type LimitDraw,
  type LimitResult,
  type LimitSubjects,
  sendLimits,
  tightestRefusal,
  waivedLimits,
  wrongCodeLimit,
} from "../../../../src/domain/admission/limits.ts";

const rule = (max: number) => [{ max, window_seconds: 600 }];
const NUMBER = [
  { max: 1, window_seconds: 60 },
  { max: 3, window_seconds: 600 },
];
const POLICY: LimitPolicy = {
  number: rule(999),
  ip: rule(10),
  numbers_per_ip: rule(5),
  device: rule(8),
  user: rule(7),
  service_per_minute: 600,
  wrong_codes_per_ip: rule(30),
};

const takes = (more: Partial<LimitSubjects> = {}, factor = 1, policy = POLICY) =>
  sendLimits(policy, NUMBER, factor, {
    number: "number1",
    ip: "ip1",
    ownDevice: false,
    claimedDevice: "device1",
    user: "user1",
    apiKey: { id: "key1", maxPerMinute: 100 },
    ...more,
  });
const named = (all: readonly LimitDraw[], name: LimitDraw["name"]) => all.find((take) => take.name === name);
const maxima = (all: readonly LimitDraw[]) =>
  Object.fromEntries(all.map(({ name, rules }) => [name, rules.map(({ max }) => max)]));

test("a send draws on every subject it names, and only looks at the wrong codes", () => {
  expect(takes().map(({ name, subject, owner, peek }) => [name, subject, owner, peek])).toEqual([
    ["number", "number1", "destination", false],
    ["ip", "ip1", "caller", false],
    ["numbers_per_ip", "ip1", "caller", false],
    ["device", "device1", "caller", false],
    ["user", "user1", "caller", false],
    ["api_key", "key1", "caller", false],
    ["wrong_codes_per_ip", "ip1", "caller", true],
  ]);
  expect(named(takes(), "numbers_per_ip")?.member).toBe("number1");
  expect(wrongCodeLimit(POLICY, "ip1")).toMatchObject({ rules: POLICY.wrong_codes_per_ip, peek: false });
});

test("what is not named is not drawn on", () => {
  const few = takes({ claimedDevice: null, user: null, apiKey: null });
  expect(few.map(({ name }) => name)).toEqual(["number", "ip", "numbers_per_ip", "wrong_codes_per_ip"]);
});

test("users count apart from devices of the same name, by rules of their own", () => {
  const all = takes({ claimedDevice: "same", user: "same" });
  expect([named(all, "device")?.rules, named(all, "user")?.rules]).toEqual([POLICY.device, POLICY.user]);
});

test("the owner's devices count apart from strangers, and on nothing else of their own", () => {
  const [own, strangers] = [takes({ ownDevice: true }), takes()];
  expect(named(own, "number")?.subject).not.toBe(named(strangers, "number")?.subject);
  expect(own.slice(1)).toEqual(strangers.slice(1));
  expect(named(own, "number")?.rules).toEqual(NUMBER);
});

describe("in an emergency", () => {
  test.each([false, true])("a number's own rules are not halved (own device: %s)", (ownDevice) => {
    expect(named(takes({ ownDevice }, 0.5), "number")).toEqual(named(takes({ ownDevice }), "number"));
  });

  test("callers' rules are", () => {
    expect(maxima(takes({}, 0.5))).toEqual({
      number: [1, 3],
      ip: [5],
      numbers_per_ip: [2],
      device: [4],
      user: [3],
      api_key: [50],
      wrong_codes_per_ip: maxima(takes()).wrong_codes_per_ip,
    });
  });

  test("but never below one", () => {
    const ones = { ...POLICY, ip: rule(1), numbers_per_ip: rule(1), device: rule(1), user: rule(1) };
    const apiKey = { id: "key1", maxPerMinute: 1 };
    const { ip, numbers_per_ip, device, user, api_key } = maxima(takes({ apiKey }, 0.5, ones));
    expect([ip, numbers_per_ip, device, user, api_key]).toEqual([[1], [1], [1], [1], [1]]);
  });
});

test("of refused limits the one that takes longest to open counts", () => {
  const result = (name: LimitDraw["name"], retryAfterSeconds: number): LimitResult => ({
    take: named(takes(), name) as LimitDraw,
    allowed: retryAfterSeconds === 0,
    max: 5,
    remaining: 0,
    used: 5,
    retryAfterSeconds,
  });
  expect(tightestRefusal([result("ip", 30), result("user", 90), result("device", 0)])?.take.name).toBe(
    "user",
  );
  expect(tightestRefusal([result("ip", 0)])).toBeNull();
});

test.each([
  ["a stranger", {}, []],
  ["a proven address", { proven: true }, ["ip", "numbers_per_ip", "wrong_codes_per_ip"]],
  ["a known number, which anybody can name,", { numberKnown: true }, []],
  ["the owner's device", { ownDevice: true }, ["ip", "numbers_per_ip", "wrong_codes_per_ip"]],
])("%s is spared these limits of its address", (_, more, waived) => {
  expect(waivedLimits({ proven: false, ownDevice: false, ...more })).toEqual(waived);
});

test.each([
  ["no answer", 0, 11, []],
  ["one answer and thirteen requests", 1, 13, ["ip"]],
  ["one answer and fourteen requests", 1, 14, []],
  ["five answers and twenty-five requests", 5, 25, ["ip"]],
])("an address with %s is spared what its answers earned", (_, answers, used, waived) => {
  const ip = named(takes(), "ip") as LimitDraw;
  const refused = { take: ip, allowed: false, max: 10, remaining: 0, used, retryAfterSeconds: 60 };
  expect(
    waivedLimits({ proven: false, ownDevice: false, results: [refused], answers, perAnswer: 3 }),
  ).toEqual(waived);
});
