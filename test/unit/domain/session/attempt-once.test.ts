import { describe, expect, test } from "vitest";
import { attemptOnce } from "../../../../src/domain/session/attempt.ts";
import { openSession, type SessionRules } from "../../../../src/domain/session/session.ts";

const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: 600 },
  attempts: { max: 3, wait_seconds: [0, 2] },
  resend: { wait_seconds: [60], undelivered_wait_seconds: 60 },
  delivery: { channels: ["sms"], voice_after_messages: 3 },
};
const NOW_MS = Date.UTC(2026, 6, 1, 12);

/** A session that is offered codes under keys, each time with another id for its proof. */
function session() {
  const opening = { correlationId: "c", channel: "sms", code: { digest: "right", sealed: "s" } } as const;
  let state = openSession({ ...opening, hold: null, asn: null, landline: false }, RULES, NOW_MS);
  let proofs = 0;
  return {
    offer(digest: string, key: string, afterMs = 0, proofId = `proof-${++proofs}`) {
      const command = { digest, key, proofId };
      const next = attemptOnce(state, command, RULES, NOW_MS + afterMs);
      state = next.state;
      return next.result;
    },
    get attempts() {
      return state.attempts;
    },
  };
}

describe("a code under an idempotency key", () => {
  test("that is right has one proof, however often its answer is lost", () => {
    const { offer } = session();
    const first = offer("right", "key");
    expect(first).toMatchObject({ kind: "judged", result: { kind: "verified" }, proofId: "proof-1" });
    for (const afterMs of [0, 1000, 119_999]) {
      expect(offer("right", "key", afterMs)).toEqual({
        kind: "repeated",
        result: { kind: "verified", channel: "sms" },
        proofId: "proof-1",
        atMs: NOW_MS,
      });
    }
  });

  test("that is wrong costs one attempt, however often its answer is lost", () => {
    const at = session();
    const results = Array.from({ length: 5 }, () => at.offer("wrong", "key"));
    expect(results.map((answer) => answer.kind !== "conflict" && answer.result)).toEqual(
      Array(5).fill({ kind: "incorrect", attemptsLeft: 2, retryInSeconds: 0 }),
    );
    expect(at.attempts).toBe(1);
  });

  test.each(["right", "wrong"])(
    "has the whole judgement of a %s one where its command is given again",
    (digest) => {
      const at = session();
      const first = at.offer(digest, "key", 0, "proof");
      expect(first).toMatchObject({ kind: "judged", proofId: "proof" });
      for (const afterMs of [0, 5000]) expect(at.offer(digest, "key", afterMs, "proof")).toEqual(first);
      expect(at.attempts).toBe(1);
      expect(at.offer(digest, "key")).toMatchObject({ kind: "repeated", proofId: "proof" });
      expect(at.offer("another", "key", 0, "proof")).toEqual({ kind: "conflict" });
    },
  );

  test("does not answer for another code, nor for another key", () => {
    const at = session();
    at.offer("wrong", "key");
    expect(at.offer("right", "key")).toEqual({ kind: "conflict" });
    expect(at.offer("guess", "key")).toEqual({ kind: "conflict" });
    expect(at.attempts).toBe(1);
    expect(at.offer("wrong", "other")).toMatchObject({ kind: "judged" });
    expect(at.attempts).toBe(2);
  });

  test("that came during the wait is looked at when the wait is over", () => {
    const at = session();
    at.offer("wrong", "1");
    at.offer("wrong", "2");
    expect(at.offer("right", "3")).toMatchObject({ result: { kind: "wait" } });
    expect(at.offer("right", "3", 2000)).toMatchObject({ kind: "judged", result: { kind: "verified" } });
  });

  test("has no proof left after two minutes: the session is over", () => {
    const { offer } = session();
    offer("right", "key");
    expect(offer("right", "key", 120_000)).toMatchObject({ result: { kind: "gone" } });
  });
});
