import { describe, expect, test } from "vitest";
import { expiredSession, expiryEvent, unansweredMessages } from "../../../../src/domain/session/end.ts";
import type { SendRecord, SessionState } from "../../../../src/domain/session/session.ts";

const T0 = Date.UTC(2026, 10, 20);
const send = (over: Partial<SendRecord> = {}): SendRecord => ({
  channel: "sms",
  atMs: T0,
  status: "accepted",
  provider: "sandbox",
  messageId: "m1",
  asn: null,
  hold: null,
  codeExpiredAtMs: T0,
  ...over,
});
const subject = { flow: "signup", reference: "r1", phoneHash: "v1,hash" };
const session = (over: Partial<SessionState> = {}): SessionState => ({
  correlationId: "c1",
  createdAtMs: T0,
  endsAtMs: T0 + 600_000,
  code: { digest: "d", sealed: "s" },
  codeExpiresAtMs: T0 + 300_000,
  attempts: 2,
  attemptNotBeforeMs: T0,
  sends: [send()],
  status: "open",
  landline: false,
  customer: { subject, hearsExpiry: true },
  ...over,
});

describe("a session that ended without its code", () => {
  test("tells the providers of every message they have a name for", () => {
    const sends = [send(), send({ messageId: null }), send({ provider: null }), send({ messageId: "m2" })];
    expect(unansweredMessages(session({ sends })).map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
  });

  test("expires with the last message that left", () => {
    const sends = [send(), send({ channel: "voice", messageId: "m2" }), send({ status: "refused" })];
    expect(expiredSession(session({ sends }))).toEqual({
      correlationId: "c1",
      provider: "sandbox",
      channel: "voice",
      messageId: "m2",
    });
  });

  test("is an event at the session's end, with the wrong codes", () => {
    expect(expiryEvent(session())).toMatchObject({
      type: "verification.expired",
      atMs: T0 + 600_000,
      correlationId: "c1",
      subject,
      facts: { channel: "sms", wrong_codes: 2 },
    });
  });

  test.each<[string, Partial<SessionState>]>([
    ["verified", { status: "verified" }],
    ["left by no message", { sends: [send({ status: "refused" })] }],
  ])("that was %s has no expiry", (_, over) => {
    expect(expiredSession(session(over))).toBeNull();
    expect(expiryEvent(session(over))).toBeNull();
  });

  test.each<[string, NonNullable<SessionState["customer"]> | null]>([
    ["that does not hear of it", { subject, hearsExpiry: false }],
    ["that is not there", null],
  ])("is no event for a backend %s", (_, customer) => {
    expect(expiryEvent(session({ customer }))).toBeNull();
  });
});
