import fc from "fast-check";
import { expect, test } from "vitest";
import { attemptCode } from "../../../../src/domain/session/attempt.ts";
import { resendMessage } from "../../../../src/domain/session/resend.ts";
import { openSession, type SessionRules, type SessionState } from "../../../../src/domain/session/session.ts";
import { settleSend } from "../../../../src/domain/session/settle.ts";
import { viewSession } from "../../../../src/domain/session/view.ts";

const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: 600 },
  attempts: { max: 5, wait_seconds: [0, 2, 5, 10] },
  resend: { wait_seconds: [60, 120, 240], undelivered_wait_seconds: 60 },
  delivery: { channels: ["sms", "voice"], voice_after_messages: 3 },
};
const T0 = 1_800_000_000_000;
const at = (seconds: number) => T0 + seconds * 1000;
const CODE = { digest: "right", sealed: "sealed" };
const FRESH = { digest: "fresh", sealed: "fresh sealed" };
const HOLD = { id: "hold", atMs: T0, weight: 100, taken: [], earns: [], meters: [] };
const RESEND = { channel: "sms" as const, fresh: FRESH, hold: HOLD, asn: null };
const OPEN = {
  correlationId: "c",
  channel: "sms" as const,
  code: CODE,
  hold: HOLD,
  asn: null,
  landline: false,
};
const open = () => openSession(OPEN, RULES, T0);

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
  const { state, result } = resendMessage(tried, RESEND, RULES, at(60));
  expect(result).toMatchObject({
    kind: "send",
    code: CODE,
    sendIndex: 1,
    view: { attemptsLeft: 4, expiresInSeconds: 180 },
  });
  expect(attemptCode(state, "right", RULES, at(239)).result.kind).toBe("verified");
});

test("a resend after the code's end brings a fresh one, and the old one is worthless", () => {
  const { state, result } = resendMessage(open(), RESEND, RULES, at(200));
  expect(result).toMatchObject({ kind: "send", code: FRESH });
  expect(attemptCode(state, "right", RULES, at(201)).result.kind).toBe("incorrect");
  expect(attemptCode(state, "fresh", RULES, at(201)).result.kind).toBe("verified");
});

test("resends wait 60, 120 and 240 s, and there is no fourth", () => {
  let state = open();
  let second = 0;
  for (const wait of [60, 120, 240]) {
    expect(resendMessage(state, RESEND, RULES, at(second + wait - 1)).result).toEqual({
      kind: "wait",
      retryAfterSeconds: 1,
    });
    second += wait;
    const next = resendMessage(state, RESEND, RULES, at(second));
    expect(next.result.kind).toBe("send");
    state = next.state;
  }
  expect(viewSession(state, RULES, at(second)).resendInSeconds).toBeNull();
  expect(resendMessage(state, RESEND, RULES, at(599)).result.kind).toBe("wait");
});

test("a session whose only message was refused is closed", () => {
  const state = settleSend(open(), 0, { status: "refused", provider: "p", messageId: null });
  expect(state.sends[0]?.hold, "what it took was given back").toBeNull();
  expect(attemptCode(state, "right", RULES, at(1)).result).toEqual({ kind: "gone", cause: "session closed" });
});

const REFUSED = { status: "refused" as const, provider: "p", messageId: null };
const ACCEPTED = { status: "accepted" as const, provider: "p", messageId: "m" };

/** A session whose first message left, and whose resend so long after the start did or did not. */
function resent(second: number, outcome: Parameters<typeof settleSend>[2], channel: "sms" | "voice" = "sms") {
  const first = settleSend(open(), 0, ACCEPTED);
  const { state, result } = resendMessage(first, { ...RESEND, channel }, RULES, at(second));
  expect(result.kind).toBe("send");
  return settleSend(state, 1, outcome);
}

test.each([60, 100, 179.999])(
  "a resend after %d s that never left does not lengthen the code's life, and one that left does",
  (second) => {
    const [refused, accepted] = [resent(second, REFUSED), resent(second, ACCEPTED)];
    expect(attemptCode(refused, "right", RULES, at(179.999)).result.kind).toBe("verified");
    expect(attemptCode(refused, "right", RULES, at(180)).result).toEqual({
      kind: "gone",
      cause: "code expired",
    });
    expect(viewSession(refused, RULES, at(179)).expiresInSeconds).toBe(1);
    expect(attemptCode(accepted, "right", RULES, at(second + 179.999)).result.kind).toBe("verified");
    expect(attemptCode(accepted, "right", RULES, at(second + 180)).result.kind).toBe("gone");
  },
);

test("the life that a resend which never left leaves is the one of the message before it", () => {
  const second = resent(60, ACCEPTED);
  const { state } = resendMessage(second, RESEND, RULES, at(180));
  const refused = settleSend(state, 2, REFUSED);
  expect(refused.codeExpiresAtMs).toBe(at(240));
  expect(refused.sends.map(({ codeExpiredAtMs }) => codeExpiredAtMs)).toEqual([T0, at(180), at(240)]);
});

test("a fresh code that never left opens nothing, and neither does the one before it", () => {
  const refused = resent(200, REFUSED);
  for (const digest of ["right", "fresh"]) {
    expect(attemptCode(refused, digest, RULES, at(201)).result).toEqual({
      kind: "gone",
      cause: "code expired",
    });
  }
  const { state, result } = resendMessage(refused, RESEND, RULES, at(202));
  expect(result).toMatchObject({ kind: "send", code: FRESH });
  expect(attemptCode(state, "fresh", RULES, at(203)).result.kind).toBe("verified");
});

test("a resend that never left uses up no resend, and waits for nothing more", () => {
  let state = settleSend(open(), 0, ACCEPTED);
  let second = 0;
  for (const wait of [60, 120, 240]) {
    second += wait;
    for (let i = 0; i < 3; i++) {
      const failed = resendMessage(state, RESEND, RULES, at(second));
      expect(failed.result.kind).toBe("send");
      state = settleSend(failed.state, failed.state.sends.length - 1, REFUSED);
      expect(state.sends.at(-1)?.hold).toBeNull();
      expect(viewSession(state, RULES, at(second)).resendInSeconds, "at once, where nothing left").toBe(0);
    }
    const left = resendMessage(state, RESEND, RULES, at(second));
    state = settleSend(left.state, left.state.sends.length - 1, ACCEPTED);
    expect(resendMessage(state, RESEND, RULES, at(second)).result.kind).toBe("wait");
  }
  expect(viewSession(state, RULES, at(second)).resendInSeconds).toBeNull();
  expect(attemptCode(state, "fresh", RULES, at(second)).result).toMatchObject({
    kind: "verified",
    sends: [T0, at(60), at(180), at(420)].map((atMs) => expect.objectContaining({ atMs })),
    otherHolds: { length: 3 },
  });
});

test("a verification answers every message that left, also those whose fate is unknown", () => {
  const hold = (id: string) => ({ ...HOLD, id });
  let state = openSession({ ...OPEN, hold: hold("first") }, RULES, T0);
  state = settleSend(state, 0, ACCEPTED);
  state = resendMessage(state, { ...RESEND, hold: hold("never left") }, RULES, at(60)).state;
  state = settleSend(state, 1, REFUSED);
  state = resendMessage(state, { ...RESEND, hold: hold("unknown") }, RULES, at(61)).state;
  state = settleSend(state, 2, { status: "unknown", provider: "p", messageId: null });
  state = resendMessage(state, { ...RESEND, channel: "sms", hold: hold("under way") }, RULES, at(181)).state;
  expect(attemptCode(state, "right", RULES, at(182)).result).toEqual({
    kind: "verified",
    channel: "sms",
    sends: [T0, at(61), at(181)].map((atMs) => expect.objectContaining({ atMs, channel: "sms" })),
    lost: [],
    hold: hold("under way"),
    otherHolds: [hold("first"), hold("unknown")],
  });
});

type Step =
  | { kind: "attempt"; digest: string; gap: number }
  | { kind: "resend"; gap: number; status: "accepted" | "refused" | "unknown" | "sending" };
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("attempt" as const),
      digest: fc.constantFrom("right", "fresh", "wrong"),
      gap: fc.integer({ min: 0, max: 90 }),
    }),
    fc.record({
      kind: fc.constant("resend" as const),
      gap: fc.integer({ min: 0, max: 260 }),
      status: fc.constantFrom("accepted", "accepted", "refused", "unknown", "sending"),
    }),
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
          const next = resendMessage(state, RESEND, RULES, at(second));
          if (second >= 600) expect(next.result.kind).toBe("gone");
          const before = state.codeExpiresAtMs;
          state = next.state;
          if (next.result.kind === "send" && step.status !== "sending") {
            state = settleSend(state, next.result.sendIndex, { ...ACCEPTED, status: step.status });
          }
          if (next.result.kind === "send" && step.status === "refused") {
            expect(state.codeExpiresAtMs).toBe(before);
          }
          continue;
        }
        const next = attemptCode(state, step.digest, RULES, at(second));
        state = next.state;
        if (next.result.kind === "verified") {
          verified++;
          expect(next.result.sends).toHaveLength(1 + next.result.otherHolds.length);
        }
        if (next.result.kind === "verified" || next.result.kind === "incorrect") evaluated++;
        if (second >= 600) expect(next.result.kind).toBe("gone");
      }
      expect(evaluated).toBeLessThanOrEqual(5);
      expect(verified).toBeLessThanOrEqual(1);
      expect(state.codeExpiresAtMs).toBeLessThanOrEqual(at(600));
      expect(state.sends.filter(({ status }) => status !== "refused").length).toBeLessThanOrEqual(4);
    }),
  );
});
