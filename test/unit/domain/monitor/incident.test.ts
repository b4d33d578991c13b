import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Posture } from "../../../../src/domain/kernel/posture.ts";
import type { Ban } from "../../../../src/domain/monitor/ban.ts";
import type { Finding } from "../../../../src/domain/monitor/finding.ts";
import {
  type IncidentMemory,
  type MonitorRun,
  NO_INCIDENT_SUMS,
  nextIncident,
} from "../../../../src/domain/monitor/incident.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { OVERALL_TALLY_KEY } from "../../../../src/domain/monitor/tally.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { MINUTE, T0, windowOf } from "../../../support/watch-tables.ts";

const POLICY = policySchema.shape.monitor.parse({});
const NONE: IncidentMemory = { incident: null, countedTo: 0, settled: NO_INCIDENT_SUMS };
const finding = (over: Partial<Finding> = {}): Finding => ({
  kind: "conversion_collapse",
  subject: "country IN",
  severity: "elevated",
  says: "nobody answers in IN",
  evidence: { since_ms: T0 - 4 * MINUTE },
  block: false,
  ...over,
});
const seen = (over: Partial<MonitorRun> = {}): MonitorRun => ({
  nowMs: T0,
  findings: [],
  posture: { now: "normal", before: "normal", by: "cron", why: "" },
  blocks: { blocked: [], lifted: [], extended: [] },
  minutes: [],
  curve: POLICY.answer_curve,
  ...over,
});
const posture = (now: Posture, by = "cron", before = now) => ({ now, before, by, why: "because" });
const next = (state: IncidentMemory, minute: Partial<MonitorRun>, nowMs = T0) =>
  nextIncident(state, seen({ nowMs, ...minute }), POLICY, () => `incident at ${nowMs}`);

describe("opening", () => {
  test("a finding that asks for a posture opens it at its first sign; a notice does not", () => {
    expect(next(NONE, { findings: [finding({ severity: "notice" })] }).incident).toBeNull();
    expect(
      next(NONE, { findings: [finding()], posture: posture("elevated", "cron", "normal") }).incident,
    ).toEqual({
      id: `incident at ${T0}`,
      openedAtMs: T0 - 4 * MINUTE,
      lastSeenAtMs: T0,
      closedAtMs: null,
      severity: "elevated",
      posture: "elevated",
      findings: [finding()],
      timeline: [
        { atMs: T0, by: "cron", what: "elevated: nobody answers in IN" },
        { atMs: T0, by: "cron", what: "posture normal -> elevated: because" },
      ],
      ...NO_INCIDENT_SUMS,
    });
  });

  test.each<[Posture, string, boolean]>([
    ["emergency", "ann", true],
    ["shutdown", "ann", true],
    ["elevated", "ann", false],
    ["emergency", "cron", false],
  ])("%s by %s without a finding opens one: %s", (now, by, opens) => {
    const { incident } = next(NONE, { posture: posture(now, by, "normal") });
    expect(incident?.timeline[0]?.by ?? null).toBe(opens ? by : null);
  });
});

describe("following", () => {
  const open = next(NONE, { findings: [finding()], posture: posture("elevated") });

  test("the strongest of each finding stays, and what is known already is not told again", () => {
    const worse = finding({ severity: "emergency", says: "worse" });
    const other = finding({ subject: "network AS1", says: "and there" });
    const { incident } = [[finding()], [worse, other], [finding(), other]].reduce(
      (state, findings, i) => next(state, { findings, posture: posture("emergency") }, T0 + i * MINUTE),
      open,
    );
    expect(incident?.findings).toEqual([worse, other]);
    expect(incident?.timeline.map(({ what }) => what)).toEqual([
      "elevated: nobody answers in IN",
      "emergency: worse",
      "elevated: and there",
    ]);
    expect(incident).toMatchObject({
      severity: "emergency",
      posture: "emergency",
      lastSeenAtMs: T0 + 2 * MINUTE,
    });
  });

  test("what was shut and opened is told", () => {
    const block: Ban = {
      kind: "range",
      subject: "+91987",
      sinceMs: T0,
      untilMs: T0 + 60 * MINUTE,
      by: "cron",
      why: "silent",
      times: 1,
    };
    const blocks = { blocked: [block], lifted: [{ block, why: "a probe" }], extended: [block] };
    expect(
      next(open, { blocks })
        .incident?.timeline.slice(1)
        .map(({ what }) => what),
    ).toEqual([
      "shut range +91987 for 60 min: silent",
      "range +91987 stays shut for 60 min more",
      "opened range +91987: a probe",
    ]);
  });

  test("findings and the timeline are bounded, and the end is told all the same", () => {
    let state = open;
    for (let i = 1; i <= 300; i++) {
      const one = finding({ subject: `block +91${i}`, says: `finding ${i}` });
      state = next(state, { findings: [one], posture: posture("elevated") }, T0 + i * MINUTE);
    }
    expect(state.incident?.timeline).toHaveLength(199);
    expect(state.incident?.findings).toHaveLength(50);
    const closed = next(state, {}, T0 + 330 * MINUTE).incident;
    expect(closed?.timeline).toHaveLength(200);
    expect(closed?.timeline.at(-1)?.what).toContain("over");
  });
});

describe("closing", () => {
  const open = next(NONE, { findings: [finding()], posture: posture("elevated") });

  test("comes when the posture is normal again and nothing asked for one for fifteen minutes", () => {
    const at = (minutes: number, now: Posture) =>
      next(open, { posture: posture(now) }, T0 + minutes * MINUTE);
    expect(at(14, "normal").incident?.closedAtMs).toBeNull();
    expect(at(20, "elevated").incident?.closedAtMs).toBeNull();
    expect(at(15, "normal").incident?.closedAtMs).toBe(T0 + 15 * MINUTE);
  });

  test("a closed one is gone with the next run, and the next finding opens another", () => {
    const closed = next(open, {}, T0 + 15 * MINUTE);
    expect(next(closed, {}, T0 + 16 * MINUTE).incident).toBeNull();
    const another = next(closed, { findings: [finding()] }, T0 + 16 * MINUTE).incident;
    expect(another).toMatchObject({ id: `incident at ${T0 + 16 * MINUTE}`, sent: 0 });
  });
});

describe("its sums", () => {
  const perMinute: Counts = { sent: 10, verified: 3, micros: 1000, refused: 5 };
  const steady = (nowMs: number) =>
    windowOf(nowMs, (ago) => (ago === 0 ? {} : { [OVERALL_TALLY_KEY]: perMinute }));

  test("are of all messages since the first sign, each once, over a long incident", () => {
    let state = NONE;
    for (let minute = 0; minute <= 60; minute++) {
      const nowMs = T0 + minute * MINUTE;
      state = next(state, { findings: [finding()], minutes: steady(nowMs) }, nowMs);
    }
    const { sent, verified, spentMicros, refused, unansweredMicros } = state.incident ?? NO_INCIDENT_SUMS;
    expect({ sent, verified, spentMicros, refused }).toEqual({
      sent: 640,
      verified: 192,
      spentMicros: 64_000,
      refused: 320,
    });
    // The last minutes' messages may still be answered.
    expect(unansweredMicros).toBeLessThan(64 * 700);
    expect(unansweredMicros).toBeGreaterThan(62 * 700);
  });

  test("are right now and right later: answers that come late are counted, and no longer as leaked", () => {
    const counts = (verified: number): Counts => ({ sent: 10, verified, micros: 1000, refused: 0 });
    const at = (ago: number, verified: number) =>
      windowOf(T0 + ago * MINUTE, (past) => (past === ago ? { [OVERALL_TALLY_KEY]: counts(verified) } : {}));
    const findings = [finding({ evidence: { since_ms: T0 } })];
    const early = next(NONE, { findings, minutes: at(5, 2) }, T0 + 5 * MINUTE);
    expect(early.incident).toMatchObject({ sent: 10, verified: 2, unansweredMicros: 800 });
    const later = next(early, { findings, minutes: at(11, 6) }, T0 + 11 * MINUTE);
    expect(later.incident).toMatchObject({ sent: 10, verified: 6, unansweredMicros: 400 });
    expect(later.countedTo).toBe(T0 / MINUTE);
    const gone = next(later, { findings, minutes: [] }, T0 + 20 * MINUTE);
    expect(gone.incident).toMatchObject({ sent: 10, verified: 6, unansweredMicros: 400 });
  });

  test("come to the same whichever minutes' runs were missed, as long as the window reaches", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 }), (gaps) => {
        let [state, minute] = [NONE, 0];
        for (const gap of [0, ...gaps]) {
          minute += gap;
          const nowMs = T0 + minute * MINUTE;
          state = next(state, { findings: [finding()], minutes: steady(nowMs) }, nowMs);
        }
        expect(state.incident?.sent).toBe(10 * (minute + 4));
      }),
    );
  });
});
