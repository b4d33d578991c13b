import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { SessionRules } from "../../src/domain/session/session.ts";

const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: 600 },
  attempts: { max: 5, wait_seconds: [0] },
  resend: { wait_seconds: [60, 120, 240], undelivered_wait_seconds: 60 },
  delivery: { channels: ["sms"], voice_after_messages: 3 },
};

test.fails("a queue that is away at a session's end neither keeps the session for ever nor costs the feedback", async () => {
  const session = env.SESSIONS.get(env.SESSIONS.newUniqueId());
  await session.open(
    {
      correlationId: "c",
      channel: "sms",
      code: { digest: "right", sealed: "sealed" },
      hold: null,
      asn: null,
      landline: false,
    },
    RULES,
  );
  await session.settle(0, { status: "accepted", provider: "sandbox", messageId: "m" });
  await runInDurableObject(session, (instance) => {
    const away = async () => {
      throw new Error("Queue is overloaded");
    };
    Object.assign(instance, { env: { OUTBOX: { sendBatch: away } } });
  });
  await runDurableObjectAlarm(session);
  const next = await runInDurableObject(session, (_, { storage }) => storage.getAlarm());
  expect(next, "the platform gives an alarm up after six failures").not.toBeNull();
});
