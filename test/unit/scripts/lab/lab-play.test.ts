import { describe, expect, test } from "vitest";
import { play, START_MS } from "../../../../scripts/lab/play/play.ts";
import { timeline } from "../../../../scripts/lab/play/timeline.ts";
import type { Readings, Rule, SendOutcome } from "../../../../scripts/lab/rule.ts";
import type { TraceEvent } from "../../../../scripts/lab/trace.ts";

const LEFT: SendOutcome = { kind: "left", ref: "m", costMicros: 1000 };
const REFUSED: SendOutcome = { kind: "refused", reason: "limit" };
const CHALLENGE: SendOutcome = { kind: "challenge" };
const STEP_UP: SendOutcome = { kind: "step_up" };
const PHONE = "+919876543210";
const OTHER_PHONE = "+6591234567";

const event = (t: number, id: string, more: Partial<TraceEvent> = {}): TraceEvent => ({
  t,
  id,
  label: "honest",
  phone: PHONE,
  ip: "192.0.2.7",
  asn: 55836,
  ip_country: "IN",
  device: null,
  user: null,
  flow: "signup",
  captcha: "pass",
  step_up: "pass",
  verify_after: null,
  wrong_first: 0,
  retry_of: null,
  ...more,
});

interface Script {
  /** What the rule answers: by event id, "id!" for the second call with a fresh CAPTCHA; else the message leaves. */
  answers?: Record<string, SendOutcome>;
  accepts?: (id: string) => boolean;
  readings?: (minute: number) => Partial<Readings>;
}

/** A rule that answers from a script and writes down what happened to it, with seconds. */
function scripted({ answers = {}, accepts = () => true, readings = () => ({}) }: Script = {}) {
  const calls: string[] = [];
  const secondsOf = (nowMs: number): number => (nowMs - START_MS) / 1000;
  let minutes = 0;
  const rule: Rule = {
    name: "scripted",
    async send({ id }, { freshCaptcha }, nowMs) {
      const key = freshCaptcha ? `${id}!` : id;
      calls.push(`send ${key} ${secondsOf(nowMs)}`);
      return answers[key] ?? LEFT;
    },
    async verified({ id }, ref, nowMs) {
      calls.push(`verified ${id} ${ref} ${secondsOf(nowMs)}`);
      return accepts(id);
    },
    async wrongCode({ id }, _ref, nowMs) {
      calls.push(`wrong ${id} ${secondsOf(nowMs)}`);
    },
    async minute(nowMs) {
      minutes = secondsOf(nowMs) / 60;
    },
    readings: () => ({ posture: "normal", alerts: 0, blockedRanges: [], ...readings(minutes) }),
  };
  return { rule, calls };
}

async function playThrough(events: TraceEvent[], script: Script = {}, fromSeconds = 0) {
  const { rule, calls } = scripted(script);
  const run = await play(events, rule, { fromSeconds, toSeconds: 86_400 });
  return { ...run, calls };
}

describe("the ladder", () => {
  test("a message leaves, wrong codes come first, then the right one", async () => {
    const { calls, report } = await playThrough([event(10, "e1", { verify_after: 30, wrong_first: 2 })]);
    expect(calls).toEqual(["send e1 10", "wrong e1 20", "wrong e1 30", "verified e1 m 40"]);
    expect(report.honest).toMatchObject({ people: 1, lost: 0, left: 1, answered: 1, cost_micros: 1000 });
  });

  test("someone who passes the challenge asks again with it and gets the message", async () => {
    const { calls, report } = await playThrough([event(0, "e1")], { answers: { e1: CHALLENGE } });
    expect(calls).toEqual(["send e1 0", "send e1! 0"]);
    expect(report.honest).toMatchObject({ challenged: 1, stepped_up: 0, lost: 0, left: 1 });
  });

  test("someone who fails the challenge is lost for now, and no message is answered", async () => {
    const events = [event(0, "e1", { captcha: "fail", verify_after: 20 })];
    const { calls, report } = await playThrough(events, { answers: { e1: CHALLENGE } });
    expect(calls).toEqual(["send e1 0"]);
    expect(report.honest).toMatchObject({ challenged: 1, lost: 1, left: 0 });
    expect(report.refusals.honest).toEqual({ challenge_failed: 1 });
  });

  test("someone with another factor is in without a message, and asks no more", async () => {
    const events = [event(0, "e1", { verify_after: 20 }), event(70, "e2", { retry_of: "e1" })];
    const { calls, report } = await playThrough(events, { answers: { e1: CHALLENGE, "e1!": STEP_UP } });
    expect(calls).toEqual(["send e1 0", "send e1! 0"]);
    expect(report.honest).toMatchObject({ challenged: 1, stepped_up: 1, lost: 0, left: 0, cost_micros: 0 });
  });

  test("someone without another factor is refused", async () => {
    const { report } = await playThrough([event(0, "e1", { step_up: "fail" })], { answers: { e1: STEP_UP } });
    expect(report.honest).toMatchObject({ stepped_up: 1, lost: 1 });
    expect(report.refusals.honest).toEqual({ step_up_failed: 1 });
  });

  test("a second challenge is a refusal", async () => {
    const answers = { e1: CHALLENGE, "e1!": CHALLENGE };
    const { report, series } = await playThrough([event(0, "e1")], { answers });
    expect(report.honest.lost).toBe(1);
    expect(series.honest.challenge_failed[0]).toBe(1);
  });
});

describe("retries", () => {
  test("do not happen when the person has verified", async () => {
    const events = [event(0, "e1", { verify_after: 20 }), event(60, "e2", { retry_of: "e1" })];
    expect((await playThrough(events)).calls).not.toContain("send e2 60");
  });

  test("happen when the code is late, and the person verifies once", async () => {
    const events = [
      event(0, "e1", { verify_after: 90 }),
      event(60, "e2", { retry_of: "e1", verify_after: 40 }),
      event(300, "e3", { retry_of: "e2" }),
    ];
    const { calls, report } = await playThrough(events);
    expect(calls).toEqual(["send e1 0", "send e2 60", "verified e1 m 90"]);
    expect(report.honest).toMatchObject({ people: 1, requests: 2, left: 2, answered: 1 });
  });

  test("happen when the code was not accepted", async () => {
    const events = [
      event(0, "e1", { verify_after: 20 }),
      event(60, "e2", { retry_of: "e1", verify_after: 20 }),
    ];
    const { calls, report } = await playThrough(events, { accepts: (id) => id === "e2" });
    expect(calls).toEqual(["send e1 0", "verified e1 m 20", "send e2 60", "verified e2 m 80"]);
    expect(report.honest.answered).toBe(1);
  });

  test("that get a message within ten minutes of first asking save the person", async () => {
    const story = (secondAt: number) => [event(0, "e1"), event(secondAt, "e2", { retry_of: "e1" })];
    const answers = { e1: REFUSED };
    expect((await playThrough(story(599), { answers })).report.honest).toMatchObject({ people: 1, lost: 0 });
    expect((await playThrough(story(601), { answers })).report.honest).toMatchObject({ people: 1, lost: 1 });
  });

  test("are recognised by number within ten minutes where a trace does not say", async () => {
    const events = [event(0, "e1"), event(100, "e2"), event(2000, "e3")];
    const { report } = await playThrough(events, { answers: { e1: REFUSED } });
    expect(report.honest).toMatchObject({ people: 2, lost: 0 });
  });
});

describe("the clock", () => {
  test("the cron runs every virtual minute, before what is due at the same second", async () => {
    const { rule, calls } = scripted();
    const minute = async (nowMs: number): Promise<void> =>
      void calls.push(`minute ${(nowMs - START_MS) / 60_000}`);
    const events = [event(10, "e1", { verify_after: 50 }), event(185, "e2", { phone: OTHER_PHONE })];
    await play(events, { ...rule, minute }, { fromSeconds: 0, toSeconds: 300 });
    expect(calls).toEqual([
      "send e1 10",
      "minute 1",
      "verified e1 m 60",
      "minute 2",
      "minute 3",
      "send e2 185",
    ]);
  });

  test("things due at the same time keep the order in which they were planned", () => {
    const due = timeline<number>();
    const times = [5, 3, 5, 1, 3, 5, 2];
    for (const [index, at] of times.entries()) due.add(at, index);
    const taken: (number | undefined)[] = [];
    while (Number.isFinite(due.nextAt())) taken.push(due.take());
    expect(taken).toEqual([3, 6, 1, 4, 0, 2, 5]);
    expect(due.take()).toBeUndefined();
  });
});

describe("the report", () => {
  test("counts only what happens from the given second on, and knows whom it learned before", async () => {
    const events = [
      event(0, "e1", { verify_after: 20, device: "d1" }),
      event(1000, "e2"),
      event(1010, "e3", { phone: OTHER_PHONE, device: "d1" }),
      event(1020, "e4", { phone: "+6591234568" }),
      event(1030, "a1", { label: "attack", phone: "+254712345678" }),
    ];
    const { report } = await playThrough(events, { answers: { e3: REFUSED } }, 1000);
    expect(report.honest).toMatchObject({ people: 3, requests: 3, known: 2, known_lost: 1, lost: 1 });
    expect(report.honest.by_country).toEqual({
      IN: { people: 1, lost: 0, known: 1, known_lost: 0 },
      SG: { people: 2, lost: 1, known: 1, known_lost: 1 },
    });
    expect(report.attack).toMatchObject({ requests: 1, left: 1, cost_micros: 1000, leak_percent: 100 });
    expect(report.attack.started_seconds).toBe(1030);
  });

  test("says when the rule noticed and what had left by then", async () => {
    const bots = Array.from({ length: 10 }, (_, at) =>
      event(600 + at * 60, `a${at}`, { label: "attack", phone: `+25471234567${at}` }),
    );
    const readings = (minute: number): Partial<Readings> => ({
      alerts: minute >= 12 ? 2 : 1,
      posture: minute >= 14 ? "emergency" : "normal",
      blockedRanges: minute >= 13 ? ["+25471234"] : [],
    });
    const { report } = await playThrough(bots, { readings }, 300);
    expect(report.detection).toEqual({
      first_alert_seconds: 720,
      left_before_alert: 2,
      emergency_seconds: 840,
      left_before_emergency: 4,
      blocked_ranges: [{ range: "+25471234", seconds: 780, left_before: 3 }],
      posture: [
        { seconds: 300, posture: "normal" },
        { seconds: 840, posture: "emergency" },
      ],
    });
  });

  test("draws requests, answers and money over time", async () => {
    const events = [event(100, "e1", { verify_after: 20 }), event(700, "e2", { phone: OTHER_PHONE })];
    const { series } = await playThrough(events, { answers: { e2: REFUSED } });
    expect(series.bucket_seconds).toBe(600);
    expect(series.honest.left.slice(0, 2)).toEqual([1, 0]);
    expect(series.honest.answered.slice(0, 2)).toEqual([1, 0]);
    expect(series.honest.refused.slice(0, 2)).toEqual([0, 1]);
    expect(series.spend_micros.honest[0]).toBe(1000);
  });
});

describe("stranded people", () => {
  const lost = { arrives: false };
  test.each<[string, Partial<TraceEvent>, SendOutcome, Partial<TraceEvent>, number]>([
    ["whose only message was lost and who were refused another", lost, REFUSED, {}, 1],
    ["whose message arrived are not", {}, REFUSED, {}, 0],
    ["who got another message are not", lost, LEFT, {}, 0],
    ["who found another way in are not", lost, STEP_UP, {}, 0],
    ["who asked again after their patience are not", lost, REFUSED, { t: 700 }, 0],
  ])("%s", async (_, first, answer, second, stranded) => {
    const events = [event(0, "e1", first), event(90, "e2", { retry_of: "e1", ...second })];
    const { report } = await playThrough(events, { answers: { e2: answer } });
    expect(report.honest).toMatchObject({ people: 1, lost: 0, stranded });
    expect(report.honest.stopped_by).toEqual(stranded ? { limit: 1 } : {});
  });
});
