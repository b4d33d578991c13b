import fc from "fast-check";
import { expect, test } from "vitest";
import { traceLines } from "../../../../scripts/ops/trace.ts";
import { webhooksLines } from "../../../../scripts/ops/webhooks.ts";
import { readOutboxMessage } from "../../../../src/adapters/cloudflare/queue-outbox.ts";
import {
  CUSTOMER_EVENT_TYPES,
  customerEvent,
  sequenceOf,
  TEST_EVENT,
} from "../../../../src/domain/session/customer-event.ts";

const LAST_MS = Date.UTC(2250, 0, 1);
const anyType = fc.constantFrom(...CUSTOMER_EVENT_TYPES, TEST_EVENT);
const anyTime = fc.integer({ min: Date.UTC(2020, 0, 1), max: LAST_MS });
const anyCount = fc.integer({ min: 0, max: 99 });

test("what happens later has the greater sequence, whatever it is", () => {
  fc.assert(
    fc.property(anyType, anyType, anyTime, anyCount, anyCount, (type, later, atMs, nth, laterNth) => {
      expect(sequenceOf(later, atMs + 1, laterNth)).toBeGreaterThan(sequenceOf(type, atMs, nth));
    }),
  );
});

test("within a millisecond the order is the one in which events can follow each other, then the count", () => {
  fc.assert(
    fc.property(anyTime, anyCount, anyCount, (atMs, a, b) => {
      const ranked = ([...CUSTOMER_EVENT_TYPES, TEST_EVENT] as const).map((type, i) =>
        sequenceOf(type, atMs, i % 2 ? a : b),
      );
      expect(ranked).toEqual(ranked.toSorted((x, y) => x - y));
      expect(new Set(ranked).size).toBe(ranked.length);
      expect(
        Math.sign(sequenceOf("verification.sent", atMs, a) - sequenceOf("verification.sent", atMs, b)),
      ).toBe(Math.sign(a - b));
    }),
  );
});

test("sequences are numbers that JSON carries exactly", () => {
  expect(Number.isSafeInteger(sequenceOf(TEST_EVENT, LAST_MS, 1000))).toBe(true);
});

test("an event has the same id and sequence however often it is told, and its id holds no full stop", () => {
  const occurrence = {
    type: "verification.approved",
    of: "0b0f6f0e-5a51-4a0e-9d1c-000000000001",
    atMs: 1_900_000_000_000,
    correlationId: "0b0f6f0e-5a51-4a0e-9d1c-000000000001",
    subject: null,
  } as const;
  expect(customerEvent(occurrence)).toEqual(customerEvent(occurrence));
  expect(customerEvent(occurrence).id).toBe("verification_approved:0b0f6f0e-5a51-4a0e-9d1c-000000000001");
  for (const type of CUSTOMER_EVENT_TYPES)
    expect(customerEvent({ ...occurrence, type }).id).not.toContain(".");
});

test("every event passes the queue as it was, and one of a type nobody knows does not", () => {
  const facts = { incident: { id: "i", findings: [{ says: "x" }] }, blocks: [], channel: null, message: 1 };
  for (const type of [...CUSTOMER_EVENT_TYPES, TEST_EVENT] as const) {
    const event = customerEvent({ type, of: "1", atMs: 5, correlationId: null, subject: null, facts });
    const message = { kind: "event", event };
    expect(readOutboxMessage(JSON.parse(JSON.stringify(message)))).toEqual(message);
    expect(readOutboxMessage({ ...message, event: { ...event, type: "session.locked" } })).toBeNull();
  }
});

test("people read a story in order, each fact once, and control characters never reach their terminal", () => {
  const event = {
    id: "e",
    at: "2026-11-20T22:00:00.000Z",
    kind: "requested" as const,
    correlation_id: "c1",
    flow: "login",
    country: "IN",
    prefix: "+91987",
    range: "+91987654",
    network: "AS64500",
    subnet: "198.51.100.0/24",
    provider: null,
    channel: "sms" as const,
    message_id: null,
    message_micros: null,
    dlt_micros: null,
    action: "allow",
    reasons: "",
    receipt: null,
    code: null,
    verified: false,
  };
  const sent = {
    ...event,
    at: "2026-11-20T22:00:01.500Z",
    kind: "sent" as const,
    message_id: "SM\u001b[31m1",
    message_micros: 32_500,
  };
  const lines = traceLines({ correlation_id: "c1", session: null, events: [event, sent] });
  const [, , requested, left] = lines;
  expect(requested).toContain("flow login");
  expect(left).toContain("+1.5 s");
  expect(left).toContain("price 0.0325");
  expect(left).not.toContain("flow login");
  expect(lines.join("")).not.toContain("\u001b[31m");
  expect(lines.at(-1)).toBe("Its session is over.");
});

test("settings say where events go and which, or what is missing", () => {
  const types = [
    { type: "verification.sent" as const, told: false },
    { type: "verification.locked" as const, told: true },
  ];
  const lines = webhooksLines({ set_up: true, host: "shop.example", secrets: 2, types, given_up: 3 });
  expect(lines).toEqual([
    "Events go to shop.example, signed with 2 secrets.",
    "  not told  verification.sent",
    "  told      verification.locked",
    "3 events lie among the dead letters.",
  ]);
  const none = webhooksLines({ set_up: false, host: null, secrets: 0, types: [], given_up: null });
  expect(none[0]).toContain("set EVENTS_WEBHOOK_URL");
  expect(none[1]).toContain("is not known");
});
