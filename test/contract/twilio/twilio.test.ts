import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { twilioJudgement } from "../../../src/adapters/twilio/twilio-codes.ts";
import type { Channel } from "../../../src/domain/kernel/channel.ts";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, page, type RudeServer } from "../../support/rude-server.ts";
import { expectNoSecrets, TWILIO } from "../providers/support-providers.ts";
import { messageBy, twilioWith } from "./support-twilio.ts";

interface ErrorCodes {
  envelope: { body: { code: number; message: string; more_info: string; status: number } };
  codes: Record<string, unknown>;
}

const file = contractFile("twilio/error_codes.json");
const known: ErrorCodes | null = file === null ? null : JSON.parse(readFileSync(file, "utf8"));

describe("Twilio's answers", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  async function sendInto(behaviour: Parameters<RudeServer["behave"]>[0], channel: Channel = "sms") {
    server.behave(behaviour);
    const message = messageBy(channel);
    const result = await twilioWith(server.url).send(message);
    expectNoSecrets(result, message);
    return result;
  }

  test.for([
    { status: 400, code: 21211, what: "the number is invalid", judgement: "not_this_number" },
    { status: 400, code: 21217, what: "the number cannot be called", judgement: "not_this_number" },
    { status: 400, code: 21614, what: "the number is no mobile", judgement: "not_this_number" },
    { status: 400, code: 63024, what: "the number is not on WhatsApp", judgement: "not_this_number" },
    { status: 400, code: 21408, what: "the country is not enabled", judgement: "not_this_route" },
    { status: 400, code: 21703, what: "the sender pool is empty", judgement: "not_this_route" },
    { status: 400, code: 20001, what: "our request is wrong", judgement: "not_this_route" },
    { status: 400, code: 21610, what: "the person said STOP", judgement: "opted_out" },
    { status: 403, code: 21216, what: "the number is on the list of toll fraud", judgement: "fraud" },
    { status: 400, code: 30450, what: "pumping protection stops it", judgement: "fraud" },
    { status: 401, code: 20003, what: "our credentials are wrong", judgement: "not_this_route" },
    { status: 403, code: 20005, what: "our account is suspended", judgement: "not_this_route" },
    { status: 404, code: 20404, what: "there is no such account", judgement: "not_this_route" },
    { status: 429, code: 20429, what: "we are too fast", judgement: "transient" },
  ])("$status with error $code, $what: refused, $judgement", async ({ status, code, judgement }) => {
    const envelope = {
      code,
      message: `The 'To' number +919876543210 has error ${code}`,
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status,
    };
    const result = await sendInto(json(status, envelope));
    expect(result).toEqual({
      kind: "refused",
      cause: `provider answered ${status} (error ${code})`,
      judgement,
    });
  });

  test.for([
    { status: 500, code: 20500 },
    { status: 503, code: 20503 },
    { status: 500, code: 21211 },
    { status: 429, code: 99999 },
  ])("$status with error $code does not say that nothing left", async ({ status, code }) => {
    expect(await sendInto(json(status, { code, message: "no", status }))).toEqual({
      kind: "unknown",
      cause: `provider answered ${status} (error ${code})`,
      connectionLost: false,
    });
  });

  test.for([401, 403])(
    "a %i page of something in front of Twilio is refused, and another route asked",
    async (status) => {
      expect(await sendInto(page(status))).toEqual({
        kind: "refused",
        cause: `provider answered ${status}`,
        judgement: "not_this_route",
      });
    },
  );

  test.for(["failed", "undelivered", "canceled"])(
    "a message that is %s from the start is refused, and another route asked",
    async (status) => {
      expect(await sendInto(json(201, { sid: "SM1", status, error_code: 30007 }))).toEqual({
        kind: "refused",
        cause: `twilio ${status} (error 30007)`,
        judgement: "not_this_route",
      });
    },
  );

  test.for([
    { code: 30450, judgement: "fraud" },
    { code: 30453, judgement: "fraud" },
    { code: 30005, judgement: "not_this_number" },
    { code: 30006, judgement: "not_this_number" },
    { code: 21610, judgement: "opted_out" },
    { code: 30003, judgement: "transient" },
  ])("a message that error $code ends at once is refused: $judgement", async ({ code, judgement }) => {
    expect(await sendInto(json(201, { sid: "SM1", status: "failed", error_code: code }))).toEqual({
      kind: "refused",
      cause: `twilio failed (error ${code})`,
      judgement,
    });
  });

  test("a message that ends at once by an unknown error may have left", async () => {
    expect(await sendInto(json(201, { sid: "SM1", status: "failed", error_code: 30008 }))).toEqual({
      kind: "unknown",
      cause: "twilio failed (error 30008)",
      connectionLost: false,
    });
  });

  test("a code that is none stays out of the cause, alive or dead", async () => {
    for (const code of [
      "+919876543210",
      919876543210,
      9876543210,
      491827,
      null,
      { code: 21211 },
      [21211],
      true,
    ]) {
      expect(await sendInto(json(400, { code }))).toMatchObject({
        cause: "provider answered 400",
        judgement: "not_this_route",
      });
      expect(await sendInto(json(201, { sid: "SM1", status: "failed", error_code: code }))).toMatchObject({
        cause: "twilio failed",
      });
    }
  });

  test.for(["queued", "accepted", "sending", "sent", "delivered", "scheduled", "a state of next year"])(
    "a message that is %s is accepted",
    async (status) => {
      expect(await sendInto(json(201, { sid: "SM1", status }))).toEqual({
        kind: "accepted",
        messageId: "SM1",
        costMicros: null,
      });
    },
  );

  test.for<[price: unknown, unit: unknown, costMicros: number | null]>([
    ["-0.00750", "USD", 7500],
    ["-0.0083", "usd", 8300],
    ["-0.00750", "EUR", null],
    ["-0.00750", null, null],
    [null, "USD", null],
    [-0.0075, "USD", null],
    ["a lot", "USD", null],
    ["1e9", "USD", null],
  ])("a price of %j %j is %j", async ([price, price_unit, costMicros]) => {
    expect(await sendInto(json(201, { sid: "SM1", status: "queued", price, price_unit }))).toMatchObject({
      kind: "accepted",
      costMicros,
    });
  });

  test.for(["failed", "busy", "no-answer", "canceled"])(
    "a call that is %s from the start is refused",
    async (status) => {
      expect(await sendInto(json(201, { sid: "CA1", status }), "voice")).toMatchObject({ kind: "refused" });
    },
  );

  test("a channel that is not set up is refused without a request, and not promised", async () => {
    const bare = twilioWith(server.url, { callFrom: undefined, contentSids: undefined });
    expect(bare.channels).toEqual(["sms"]);
    expect(twilioWith(server.url).channels).toEqual(["sms", "voice", "whatsapp"]);
    for (const channel of ["voice", "whatsapp"] as const) {
      expect(await bare.send(messageBy(channel))).toMatchObject({
        kind: "refused",
        judgement: "not_this_route",
      });
    }
    expect(server.requests).toEqual([]);
  });

  test("the account's secret travels in the header only", async () => {
    await sendInto(json(201, { sid: "SM1", status: "queued" }));
    const [request] = server.requests;
    expect(request?.headers.authorization).toBe(
      `Basic ${Buffer.from(`${TWILIO.accountSid}:${TWILIO.authToken}`).toString("base64")}`,
    );
    expect(`${request?.path} ${request?.body}`).not.toContain(TWILIO.authToken);
  });

  test("an API key and its secret stand in for the main token in requests", async () => {
    server.behave(json(201, { sid: "SM1", status: "queued" }));
    const apiKey = { sid: `SK${"0".repeat(32)}`, secret: "key-secret" };
    await twilioWith(server.url, { apiKey }).send(messageBy("sms"));
    const [request] = server.requests;
    expect(request?.headers.authorization).toBe(
      `Basic ${Buffer.from(`${apiKey.sid}:${apiKey.secret}`).toString("base64")}`,
    );
    expect(request?.path, "the account stays the one the key belongs to").toContain(TWILIO.accountSid);
  });

  test.skipIf(known === null)(
    "every error in the vendor's dictionary is named by its number, and read as its table says",
    async () => {
      for (const code of Object.keys(known?.codes ?? {}).map(Number)) {
        const status = code === 20429 ? 429 : 400;
        const body = { ...known?.envelope.body, code, status };
        const judgement = twilioJudgement(String(code));
        expect(await sendInto(json(status, body))).toMatchObject({
          kind: judgement === "unknown" ? "unknown" : "refused",
          cause: `provider answered ${status} (error ${code})`,
        });
      }
    },
  );
});

describe("Twilio's feedback", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const tell = (channel: Channel = "sms", id = "SM1") =>
    twilioWith(server.url, { timeoutMs: 300 }).feedback?.(id, channel, true, 0);

  test.for([
    { answer: json(201, { outcome: "confirmed" }), result: { kind: "told" } },
    { answer: json(200, { outcome: "confirmed" }), result: { kind: "told" } },
    { answer: json(404, { code: 20404 }), result: { kind: "failed", retryable: false } },
    { answer: json(400, {}), result: { kind: "failed", retryable: false } },
    { answer: json(401, { code: 20003 }), result: { kind: "failed", retryable: true } },
    { answer: json(429, { code: 20429 }), result: { kind: "failed", retryable: true } },
    { answer: page(502), result: { kind: "failed", retryable: true } },
    { answer: { kind: "hang" } as const, result: { kind: "failed", retryable: true } },
    { answer: { kind: "drop" } as const, result: { kind: "failed", retryable: true } },
  ])("$answer.kind $answer.status is $result", async ({ answer, result }) => {
    server.behave(answer);
    expect(await tell()).toMatchObject(result);
  });

  test("calls take none, and nobody is asked", async () => {
    expect(await tell("voice")).toEqual({ kind: "deaf" });
    expect(server.requests).toEqual([]);
  });

  test("an id cannot lead elsewhere", async () => {
    server.behave(json(404, {}));
    await tell("sms", "../../Calls/CA1");
    expect(server.requests[0]?.path).toContain("/Messages/..%2F..%2FCalls%2FCA1/Feedback.json");
  });
});
