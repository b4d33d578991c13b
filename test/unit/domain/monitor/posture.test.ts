import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { POSTURES } from "../../../../src/domain/kernel/posture.ts";
import type { RatioReading } from "../../../../src/domain/monitor/cohorts.ts";
import type { Finding, Severity } from "../../../../src/domain/monitor/finding.ts";
import {
  type ControlDecision,
  nextPosture,
  type PostureControls,
  postureRules,
} from "../../../../src/domain/monitor/posture.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { MINUTE, T0 } from "../../../support/watch-tables.ts";

const POLICY = policySchema.shape.monitor.parse({});
const ANSWERED: RatioReading = { sent: 100, verified: 70, due: 100, ratio: 0.7 };
const NOTHING: RatioReading = { sent: 0, verified: 0, due: 0, ratio: null };
const found = (...severities: Severity[]): Finding[] =>
  severities.map((severity) => ({
    kind: "conversion_collapse",
    subject: "country IN",
    severity,
    says: `it is ${severity}`,
    evidence: {},
    block: false,
  }));
const flag = (over: Partial<PostureControls> = {}): PostureControls => ({
  posture: "emergency",
  since_ms: T0,
  until_ms: T0 + 60 * MINUTE,
  by: "cron",
  why: "test",
  healthy_since_ms: null,
  ...over,
});
const written = (decision: ControlDecision): PostureControls => {
  if (decision.kind !== "write") throw new Error(`${decision.kind} and not written`);
  return decision.document;
};

test("a finding raises the posture at once for an hour; a notice raises nothing", () => {
  expect(nextPosture(null, { findings: found("notice"), reading: ANSWERED }, POLICY, T0)).toEqual({
    kind: "keep",
  });
  expect(
    written(nextPosture(null, { findings: found("elevated", "emergency"), reading: ANSWERED }, POLICY, T0)),
  ).toEqual({
    posture: "emergency",
    since_ms: T0,
    until_ms: T0 + 60 * MINUTE,
    by: "cron",
    why: "it is emergency",
    healthy_since_ms: null,
  });
});

test("a lasting attack extends the flag and keeps its beginning; a worse one begins anew", () => {
  const at = T0 + 20 * MINUTE;
  expect(
    written(nextPosture(flag(), { findings: found("emergency"), reading: ANSWERED }, POLICY, at)),
  ).toMatchObject({
    since_ms: T0,
    until_ms: at + 60 * MINUTE,
  });
  const elevated = flag({ posture: "elevated" });
  expect(
    written(nextPosture(elevated, { findings: found("emergency"), reading: ANSWERED }, POLICY, at)),
  ).toMatchObject({
    posture: "emergency",
    since_ms: at,
  });
});

test("it is lowered by one step after fifteen healthy minutes, and by the next after fifteen more", () => {
  let document: PostureControls | null = flag();
  const seen: string[] = [];
  for (let minute = 1; minute <= 32 && document !== null; minute++) {
    const decision = nextPosture(document, { findings: [], reading: ANSWERED }, POLICY, T0 + minute * MINUTE);
    if (decision.kind === "write") document = decision.document;
    if (decision.kind === "clear") document = null;
    seen.push(document?.posture ?? "normal");
  }
  expect(seen.indexOf("elevated")).toBe(15);
  expect(seen.indexOf("normal")).toBe(30);
});

test("one bad minute starts the healthy ones again", () => {
  const healthy = flag({ healthy_since_ms: T0 });
  expect(
    written(
      nextPosture(healthy, { findings: found("emergency"), reading: ANSWERED }, POLICY, T0 + 14 * MINUTE),
    ),
  ).toMatchObject({
    healthy_since_ms: null,
  });
});

test("an elevated finding never lowers an emergency early, and holds it at elevated afterwards", () => {
  const first = written(
    nextPosture(flag(), { findings: found("elevated"), reading: ANSWERED }, POLICY, T0 + MINUTE),
  );
  expect(first).toMatchObject({ posture: "emergency", until_ms: T0 + 60 * MINUTE });
  expect(
    nextPosture(first, { findings: found("elevated"), reading: ANSWERED }, POLICY, T0 + 10 * MINUTE).kind,
  ).toBe("keep");
  const lower = written(
    nextPosture(first, { findings: found("elevated"), reading: ANSWERED }, POLICY, T0 + 16 * MINUTE),
  );
  expect(lower).toMatchObject({ posture: "elevated", healthy_since_ms: null });
  const later = nextPosture(
    lower,
    { findings: found("elevated"), reading: ANSWERED },
    POLICY,
    T0 + 40 * MINUTE,
  );
  expect(written(later)).toMatchObject({ posture: "elevated", until_ms: T0 + 100 * MINUTE });
});

describe("without traffic", () => {
  test("nothing is raised, nothing lowered and nothing extended: the flag ends with its hour", () => {
    expect(nextPosture(null, { findings: [], reading: NOTHING }, POLICY, T0).kind).toBe("keep");
    for (let minute = 1; minute < 60; minute++) {
      expect(nextPosture(flag(), { findings: [], reading: NOTHING }, POLICY, T0 + minute * MINUTE).kind).toBe(
        "keep",
      );
    }
    expect(nextPosture(flag(), { findings: [], reading: ANSWERED }, POLICY, T0 + 60 * MINUTE).kind).toBe(
      "keep",
    );
  });

  test("healthy time does not pass, and messages that nobody answered are no health either", () => {
    const healthy = flag({ healthy_since_ms: T0 });
    const few: RatioReading = { sent: 8, verified: 0, due: 8, ratio: 0 };
    for (const reading of [NOTHING, few]) {
      expect(
        written(nextPosture(healthy, { findings: [], reading }, POLICY, T0 + 20 * MINUTE)),
      ).toMatchObject({
        posture: "emergency",
        until_ms: T0 + 60 * MINUTE,
        healthy_since_ms: null,
      });
    }
  });
});

test("what a person set stays whatever the cron sees, until it has ended", () => {
  for (const posture of POSTURES) {
    const theirs = flag({ by: "operator", posture });
    expect(nextPosture(theirs, { findings: found("emergency"), reading: NOTHING }, POLICY, T0).kind).toBe(
      "keep",
    );
    expect(nextPosture(theirs, { findings: [], reading: ANSWERED }, POLICY, T0 + 30 * MINUTE).kind).toBe(
      "keep",
    );
    expect(
      nextPosture(theirs, { findings: found("emergency"), reading: NOTHING }, POLICY, T0 + 61 * MINUTE).kind,
    ).toBe("write");
  }
});

test("whatever happens, the cron never goes down by more than a step, nor lower than was asked for in that minute", () => {
  const step = fc.record({
    severity: fc.constantFrom<Severity | null>(null, null, null, "notice", "elevated", "emergency"),
    reading: fc.constantFrom(ANSWERED, ANSWERED, ANSWERED, NOTHING),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 90 }), (steps) => {
      let document: PostureControls | null = null;
      for (const [minute, { severity, reading }] of steps.entries()) {
        const nowMs = T0 + minute * MINUTE;
        const inForce = (one: PostureControls | null) =>
          POSTURES.indexOf(one !== null && nowMs < one.until_ms ? one.posture : "normal");
        const before = inForce(document);
        const decision = nextPosture(
          document,
          { findings: severity === null ? [] : found(severity), reading },
          POLICY,
          nowMs,
        );
        if (decision.kind === "write") document = decision.document;
        if (decision.kind === "clear") document = null;
        const asked = severity === null || severity === "notice" ? "normal" : severity;
        expect(inForce(document)).toBeGreaterThanOrEqual(Math.max(before - 1, POSTURES.indexOf(asked)));
        if (document) expect(document.until_ms - nowMs).toBeLessThanOrEqual(POLICY.flag_seconds * 1000);
      }
    }),
  );
});

test("a posture's rules are the policy's; a shutdown is no looser than an emergency", () => {
  const postures = policySchema.shape.postures.parse({});
  expect(POSTURES.map((posture) => postureRules(posture, postures))).toEqual([
    null,
    postures.elevated,
    postures.emergency,
    postures.emergency,
  ]);
});
