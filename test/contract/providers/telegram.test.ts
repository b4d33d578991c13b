import { createHash, createHmac, randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { telegramProvider } from "../../../src/adapters/telegram/telegram-provider.ts";
import { json, openRudeServer, type RudeServer } from "../../support/rude-server.ts";
import { hookOf } from "../twilio/support-twilio.ts";
import { expectNoSecrets, messageTo } from "./support-providers.ts";

const TOKEN = randomBytes(24).toString("base64");
const SECOND = randomBytes(24).toString("base64");
const OUR_URL = "https://verify.example.com/v1/receipts/telegram";
const NOW_MS = Date.UTC(2026, 2, 1, 12);

let server: RudeServer;
beforeAll(async () => {
  server = await openRudeServer();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.close());

const telegramAt = (apiUrl: string, more: object = {}) =>
  telegramProvider({
    apiUrl,
    token: TOKEN,
    secondToken: SECOND,
    receiptUrl: OUR_URL,
    currency: "USD",
    timeoutMs: 8000,
    ...more,
  });

const accepted = { ok: true, result: { request_id: "req-1", phone_number: "x", request_cost: 0.01 } };

describe("the Telegram Gateway", () => {
  test("gets number, code, life, our reference and where to call back, and nothing in its address", async () => {
    server.behave(json(200, accepted));
    const message = { ...messageTo(), channel: "telegram" as const };
    expect(await telegramAt(server.url).send(message)).toEqual({
      kind: "accepted",
      messageId: "req-1",
      costMicros: 10_000,
    });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: "POST", path: "/sendVerificationMessage" });
    expect(request?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(JSON.parse(request?.body ?? "")).toEqual({
      phone_number: message.to,
      code: message.code,
      ttl: 180,
      payload: message.correlationId,
      callback_url: OUR_URL,
    });
  });

  test.for([
    { ttlSeconds: 10, ttl: 30 },
    { ttlSeconds: 600, ttl: 600 },
    { ttlSeconds: 9000, ttl: 3600 },
  ])("a life of $ttlSeconds s is asked for as $ttl s", async ({ ttlSeconds, ttl }) => {
    server.behave(json(200, accepted));
    await telegramAt(server.url, { senderUsername: "our_channel", receiptUrl: null }).send({
      ...messageTo(),
      ttlSeconds,
    });
    const body = JSON.parse(server.requests[0]?.body ?? "");
    expect(body).toMatchObject({ ttl, sender_username: "our_channel" });
    expect(body).not.toHaveProperty("callback_url");
  });

  test.for([
    { error: "PHONE_NUMBER_INVALID", judgement: "not_this_number" },
    { error: "PHONE_NUMBER_NOT_AVAILABLE", judgement: "not_this_number" },
    { error: "FLOOD_WAIT_17", judgement: "transient" },
    { error: "BALANCE_NOT_ENOUGH", judgement: "not_this_route" },
    { error: "ACCESS_TOKEN_INVALID", judgement: "not_this_route" },
    { error: "SOMETHING_NEW", judgement: "not_this_route" },
    { error: undefined, judgement: "not_this_route" },
  ])("ok: false with $error is refused: $judgement", async ({ error, judgement }) => {
    for (const status of [200, 400, 429]) {
      server.behave(json(status, { ok: false, error }));
      const message = messageTo();
      const result = await telegramAt(server.url).send(message);
      expect(result).toMatchObject({ kind: "refused", judgement });
      expectNoSecrets(result, message);
    }
  });

  test("an answer that says neither is unknown", async () => {
    for (const body of [
      {},
      { ok: true },
      { ok: true, result: {} },
      { ok: true, result: { request_id: 7 } },
    ]) {
      server.behave(json(200, body));
      expect(await telegramAt(server.url).send(messageTo())).toMatchObject({ kind: "unknown" });
    }
    server.behave(json(500, { ok: false, error: "INTERNAL" }));
    expect(await telegramAt(server.url).send(messageTo())).toMatchObject({ kind: "unknown" });
  });

  test("a code it does not take is refused before anything leaves", async () => {
    const result = await telegramAt(server.url).send({ ...messageTo(), code: "123456789" });
    expect(result).toMatchObject({ kind: "refused", judgement: "not_this_route" });
    expect(server.requests).toEqual([]);
  });
});

describe("its callbacks", () => {
  const report = (status: string, more: object = {}) =>
    JSON.stringify({
      request_id: "req-1",
      phone_number: "+919876543210",
      request_cost: 0.01,
      payload: "c-1",
      delivery_status: { status, updated_at: NOW_MS / 1000 - 2 },
      ...more,
    });
  /** By the published rule, with Node's own HMAC. */
  const signed = (body: string, token = TOKEN, atSeconds = NOW_MS / 1000) => {
    const key = createHash("sha256").update(token).digest();
    const signature = createHmac("sha256", key).update(`${atSeconds}\n${body}`).digest("hex");
    return hookOf(OUR_URL, body, {
      "x-request-timestamp": String(atSeconds),
      "x-request-signature": signature,
    });
  };
  const read = (hook: ReturnType<typeof signed>, more: object = {}) =>
    telegramAt("https://gatewayapi.telegram.org", more).readReceipt?.(hook, NOW_MS);

  test.for([
    { state: "sent", status: "sent", judgement: undefined },
    { state: "delivered", status: "delivered", judgement: undefined },
    { state: "read", status: "delivered", judgement: undefined },
    { state: "expired", status: "undelivered", judgement: "transient" },
    { state: "revoked", status: "undelivered", judgement: "not_this_route" },
  ])("$state is $status", async ({ state, status, judgement }) => {
    expect(await read(signed(report(state)))).toEqual({
      kind: "receipts",
      receipts: [
        {
          messageId: "req-1",
          status,
          errorCode: status === "undelivered" ? state : null,
          costMicros: 10_000,
          atMs: NOW_MS - 2000,
          judgement,
          reference: "c-1",
        },
      ],
    });
  });

  test("a refunded message cost nothing, and a price is taken by a table in dollars only", async () => {
    expect(await read(signed(report("expired", { is_refunded: true })))).toMatchObject({
      receipts: [{ costMicros: 0 }],
    });
    expect(await read(signed(report("delivered")), { currency: "INR" })).toMatchObject({
      receipts: [{ costMicros: null }],
    });
  });

  test("either token of a rotation signs; another, a changed body and a changed time do not", async () => {
    expect(await read(signed(report("read"), SECOND))).toMatchObject({ kind: "receipts" });
    expect(await read(signed(report("read"), SECOND), { secondToken: undefined })).toMatchObject({
      kind: "forged",
    });
    expect(await read(signed(report("read"), "another"))).toMatchObject({ kind: "forged" });
    const good = signed(report("expired"));
    const body = new TextEncoder().encode(report("delivered"));
    expect(await read({ ...good, body })).toMatchObject({ kind: "forged" });
    const headers = new Headers(good.headers);
    headers.set("x-request-timestamp", String(NOW_MS / 1000 + 1));
    expect(await read({ ...good, headers })).toMatchObject({ kind: "forged" });
    expect(await read(hookOf(OUR_URL, report("read"), {}))).toMatchObject({ kind: "forged" });
  });

  test("a signature of yesterday or tomorrow is forged", async () => {
    for (const seconds of [NOW_MS / 1000 - 86_400, NOW_MS / 1000 + 86_400]) {
      expect(await read(signed(report("read"), TOKEN, seconds))).toEqual({
        kind: "forged",
        cause: "signature too old",
      });
    }
  });

  test("a state nobody documents, and a report of something else, say nothing", async () => {
    expect(await read(signed(report("a state of next year")))).toEqual({ kind: "ignored" });
    expect(await read(signed(JSON.stringify({ verification_status: {} })))).toEqual({ kind: "ignored" });
    expect(await read(signed("no JSON"))).toEqual({ kind: "ignored" });
  });
});
