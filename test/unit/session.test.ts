import fc from "fast-check";
import { expect, test } from "vitest";
import {
  attemptCode,
  openSession,
  resendSession,
  type SessionRules,
  type SessionState,
  settleSend,
  viewSession,
} from "../../src/domain/session.ts";

const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: 600 },
  attempts: { max: 5, wait_seconds: [0, 2, 5, 10] },
  resend: { wait_seconds: [60, 120, 240] },
};
const T0 = 1_800_000_000_000;
const at = (seconds: number) => T0 + seconds * 1000;
const CODE = { digest: "right", sealed: "sealed" };
const FRESH = { digest: "fresh", sealed: "fresh sealed" };
const HOLD = { atMs: T0, weight: 100, taken: [], earns: [], meters: [] };
const RESEND = { channel: "sms" as const, fresh: FRESH, hold: HOLD };
const open = () => openSession({ correlationId: "c", channel: "sms", code: CODE, hold: HOLD }, RULES, T0);

test("a code is good until its last second and not in the next", () => {
  expect(attemptCode(open(), "right", RULES, at(179.999)).result.kind).toBe("verified");
  expect(attemptCode(open(), "right", RULES, at(180)).result).toEqual({
    kind: "gone",
    cause: "code expired",
  });
});

test("waits grow from wrong code to wrong code", () => {
  let state = open();
  const waits: number[] = [];
  let second = 0;
  for (let i = 0; i < 5; i++) {
    const next = attemptCode(state, "wrong", RULES, at(second));
    state = next.state;
    if (next.result.kind === "incorrect") {
      waits.push(next.result.retryInSeconds);
      second += next.result.retryInSeconds;
    }
  }
  expect(waits).toEqual([0, 2, 5, 10, 0]);
  expect(attemptCode(state, "right", RULES, at(second + 60)).result.kind).toBe("locked");
});

test("a resend keeps the code while it is good, lengthens its life, and keeps the attempts", () => {
  const tried = attemptCode(open(), "wrong", RULES, at(1)).state;
  const { state, result } = resendSession(tried, RESEND, RULES, at(60));
  expect(result).toMatchObject({
    kind: "send",
    code: CODE,
    sendIndex: 1,
    view: { attemptsLeft: 4, expiresInSeconds: 180 },
  });
  expect(attemptCode(state, "right", RULES, at(239)).result.kind).toBe("verified");
});

test("a resend after the code's end brings a fresh one, and the old one is worthless", () => {
  const { state, result } = resendSession(open(), RESEND, RULES, at(200));
  expect(result).toMatchObject({ kind: "send", code: FRESH });
  expect(attemptCode(state, "right", RULES, at(201)).result.kind).toBe("incorrect");
  expect(attemptCode(state, "fresh", RULES, at(201)).result.kind).toBe("verified");
});

test("resends wait 60, 120 and 240 s, and there is no fourth", () => {
  let state = open();
  let second = 0;
  for (const wait of [60, 120, 240]) {
    expect(resendSession(state, RESEND, RULES, at(second + wait - 1)).result).toEqual({
      kind: "wait",
      retryAfterSeconds: 1,
    });
    second += wait;
    const next = resendSession(state, RESEND, RULES, at(second));
    expect(next.result.kind).toBe("send");
    state = next.state;
  }
  expect(viewSession(state, RULES, at(second)).resendInSeconds).toBeNull();
  expect(resendSession(state, RESEND, RULES, at(599)).result.kind).toBe("wait");
});

test("a session whose only message was refused is closed", () => {
  const state = settleSend(open(), 0, { status: "refused", provider: "p", messageId: null });
  expect(state.sends[0]?.hold, "what it took was given back").toBeNull();
  expect(attemptCode(state, "right", RULES, at(1)).result).toEqual({ kind: "gone", cause: "session closed" });
});

type Step = { kind: "attempt"; digest: string; gap: number } | { kind: "resend"; gap: number };
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("attempt" as const),
      digest: fc.constantFrom("right", "fresh", "wrong"),
      gap: fc.integer({ min: 0, max: 90 }),
    }),
    fc.record({ kind: fc.constant("resend" as const), gap: fc.integer({ min: 0, max: 260 }) }),
  ),
  { maxLength: 40 },
);

test("whatever happens: at most five evaluations, at most one success, and nothing after ten minutes", () => {
  fc.assert(
    fc.property(steps, (story: Step[]) => {
      let state: SessionState = open();
      let second = 0;
      let evaluated = 0;
      let verified = 0;
      for (const step of story) {
        second += step.gap;
        if (step.kind === "resend") {
          const next = resendSession(state, RESEND, RULES, at(second));
          state = next.state;
          if (second >= 600) expect(next.result.kind).toBe("gone");
          continue;
        }
        const next = attemptCode(state, step.digest, RULES, at(second));
        state = next.state;
        if (next.result.kind === "verified") verified++;
        if (next.result.kind === "verified" || next.result.kind === "incorrect") evaluated++;
        if (second >= 600) expect(next.result.kind).toBe("gone");
      }
      expect(evaluated).toBeLessThanOrEqual(5);
      expect(verified).toBeLessThanOrEqual(1);
      expect(state.codeExpiresAtMs).toBeLessThanOrEqual(at(600));
      expect(state.sends.length).toBeLessThanOrEqual(4);
    }),
  );
});
