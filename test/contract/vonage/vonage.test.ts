import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Channel } from "../../../src/domain/kernel/channel.ts";
import type { DeliveryResult } from "../../../src/ports/delivery.ts";
import { contractFile } from "../../support/contracts.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RudeServer,
} from "../../support/rude-server.ts";
import { expectNoSecrets, IMPATIENCE_MS } from "../providers/support-providers.ts";
import { messageBy } from "../twilio/support-twilio.ts";
import { fixture, VONAGE, vonageAt } from "./support-vonage.ts";

const file = contractFile("vonage/fixtures.json");
const fixtures = file === null ? null : JSON.parse(readFileSync(file, "utf8"));

let server: RudeServer;
beforeAll(async () => {
  server = await openRudeServer();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.close());

interface Way {
  name: string;
  channel: Channel;
  api: "messages" | "sms";
  accepted: Behaviour;
}

const WAYS: Way[] = [
  {
    name: "the Messages API",
    channel: "sms",
    api: "messages",
    accepted: json(202, { message_uuid: "id-1" }),
  },
  {
    name: "the SMS API",
    channel: "sms",
    api: "sms",
    accepted: json(200, { messages: [{ status: "0", "message-id": "id-1" }] }),
  },
  { name: "WhatsApp", channel: "whatsapp", api: "messages", accepted: json(202, { message_uuid: "id-1" }) },
  {
    name: "a call",
    channel: "voice",
    api: "messages",
    accepted: json(201, { uuid: "id-1", status: "started" }),
  },
];

async function sendInto(
  behaviour: Behaviour,
  { channel, api }: Pick<Way, "channel" | "api">,
  timeoutMs = 8000,
) {
  server.behave(behaviour);
  const message = messageBy(channel);
  const result = await vonageAt(server.url, { api, timeoutMs }).send(message);
  expectNoSecrets(result, message);
  expect(JSON.stringify(result)).not.toContain(VONAGE.apiSecret);
  return result;
}

describe.each(WAYS)("Vonage by $name", (way) => {
  test("reads an acceptance with its id, and asks once", async () => {
    expect(await sendInto(way.accepted, way)).toEqual({
      kind: "accepted",
      messageId: "id-1",
      costMicros: null,
    });
    expect(server.requests).toHaveLength(1);
  });

  test.for([400, 401, 402, 403, 404, 413, 422])(
    "a %i that says no more is the route's fault",
    async (status) => {
      for (const behaviour of [json(status, {}), page(status)]) {
        expect(await sendInto(behaviour, way)).toMatchObject({
          kind: "refused",
          judgement: "not_this_route",
        });
      }
    },
  );

  test.for([429, 500, 503])("a %i that says no more is unknown", async (status) => {
    for (const behaviour of [json(status, {}), page(status)]) {
      expect(await sendInto(behaviour, way)).toMatchObject({ kind: "unknown" });
    }
  });

  test.for<[name: string, behaviour: Behaviour]>([
    ["an acceptance without an id", json(202, {})],
    ["an acceptance that is a page", page(200)],
    ["an acceptance that is empty", { kind: "answer", status: 204, body: "" }],
    [
      "an acceptance with an id that is no text",
      json(202, { message_uuid: 7, uuid: 7, messages: [{ status: "0", "message-id": 7 }] }),
    ],
    ["an acceptance with an empty list", json(200, { messages: [] })],
    ["a gateway's time-out", page(504)],
    ["half an acceptance", { kind: "cut", status: 202, body: '{"message_uu' }],
    ["a connection that closed", { kind: "drop" }],
  ])("%s is unknown, because the message may have left", async ([, behaviour]) => {
    expect(await sendInto(behaviour, way)).toMatchObject({ kind: "unknown" });
    expect(server.requests).toHaveLength(1);
  });

  test.for<[name: string, behaviour: Behaviour]>([
    ["silence", { kind: "hang" }],
    ["silence in the middle", { kind: "hang_in_body", status: 202, body: "{" }],
  ])("%s is unknown after the time limit", async ([, behaviour]) => {
    expect(await sendInto(behaviour, way, IMPATIENCE_MS)).toEqual({
      kind: "unknown",
      cause: `no answer in ${IMPATIENCE_MS} ms`,
      connectionLost: false,
    });
  });

  test("nobody at the other end is unknown", async () => {
    const message = messageBy(way.channel);
    expect(await vonageAt(await deadUrl(), { api: way.api }).send(message)).toMatchObject({
      kind: "unknown",
      connectionLost: true,
    });
  });

  test("no answer makes it throw or repeat what it was asked", async () => {
    const { to, body } = messageBy(way.channel);
    const echo = fc.constantFrom<unknown>(
      to,
      to.slice(1),
      Number(to.slice(1)),
      body,
      VONAGE.apiSecret,
      "491827",
    );
    const answer = fc.oneof(
      fc.json(),
      echo.map((text) =>
        JSON.stringify({
          type: `https://x#${text}`,
          title: text,
          detail: text,
          messages: [{ status: String(text), "error-text": text }],
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(200, 201, 202, 400, 401, 422, 500), answer, async (status, text) => {
        expect((await sendInto({ kind: "answer", status, body: text }, way)).kind).not.toBe("accepted");
      }),
      { numRuns: 60 },
    );
  });
});

describe("Vonage's refusals", () => {
  test.for([
    { code: 1430, what: "the recipient is invalid", judgement: "not_this_number" },
    { code: 1050, what: "the number is barred", judgement: "not_this_number" },
    { code: 1240, what: "the person said STOP", judgement: "opted_out" },
    { code: 1473, what: "Fraud Defender stops it", judgement: "fraud" },
    { code: 1000, what: "we are too fast", judgement: "transient" },
    { code: 1420, what: "our sender is invalid", judgement: "not_this_route" },
    { code: 1480, what: "our registration is wrong", judgement: "not_this_route" },
  ])("problem $code, $what: $judgement", async ({ code, judgement }) => {
    const problem = {
      type: `https://developer.vonage.com/api-errors/messages#${code}`,
      title: "No",
      detail: "919876543210 is no good",
      instance: "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    };
    expect(await sendInto(json(422, problem), { channel: "sms", api: "messages" })).toEqual({
      kind: "refused",
      cause: `provider answered 422 (error ${code})`,
      judgement,
    });
  });

  test.for([
    { status: "1", judgement: "transient" },
    { status: "4", judgement: "not_this_route" },
    { status: "5", judgement: "not_this_route" },
    { status: "6", judgement: "not_this_number" },
    { status: "7", judgement: "not_this_number" },
    { status: "9", judgement: "not_this_route" },
    { status: "15", judgement: "not_this_route" },
    { status: "33", judgement: "not_this_number" },
    { status: "987", judgement: "not_this_route" },
  ])("status $status of the SMS API, answered with 200: $judgement", async ({ status, judgement }) => {
    const answer = json(200, {
      "message-count": "1",
      messages: [{ status, "error-text": "919876543210" }],
    });
    expect(await sendInto(answer, { channel: "sms", api: "sms" })).toEqual({
      kind: "refused",
      cause: `vonage refused it (status ${status})`,
      judgement,
    });
  });

  test("a key that does not sign is refused without a request", async () => {
    const provider = vonageAt(server.url, {
      privateKey: "-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----",
    });
    expect(await provider.send(messageBy("sms"))).toMatchObject({
      kind: "refused",
      judgement: "not_this_route",
    });
    expect(server.requests).toEqual([]);
  });

  test("a channel that is not set up is refused without a request, and not promised", async () => {
    const bare = vonageAt(server.url, { callFrom: undefined, whatsApp: undefined });
    expect(bare.channels).toEqual(["sms"]);
    expect(vonageAt(server.url).channels).toEqual(["sms", "voice", "whatsapp"]);
    for (const channel of ["voice", "whatsapp"] as const) {
      expect(await bare.send(messageBy(channel))).toMatchObject({
        kind: "refused",
        judgement: "not_this_route",
      });
    }
    expect(server.requests).toEqual([]);
  });
});

describe.skipIf(file === null)("Vonage's own samples", () => {
  test.for<[path: string, status: number, api: Way["api"], result: Partial<DeliveryResult>]>([
    [
      "messages/tests/data/send_message.json",
      202,
      "messages",
      { kind: "accepted", messageId: "d8f86df1-dec6-442f-870a-2241be27d721" },
    ],
    ["messages/tests/data/invalid_error.json", 422, "messages", { kind: "refused" }],
    [
      "messages/tests/data/low_balance_error.json",
      402,
      "messages",
      { kind: "refused", judgement: "not_this_route" },
    ],
    [
      "test/Messages/Fixtures/Responses/rate-limit.json",
      429,
      "messages",
      { kind: "refused", judgement: "not_this_route" },
    ],
    ["sms/tests/data/send_sms.json", 200, "sms", { kind: "accepted", costMicros: 41_200 }],
    [
      "sms/tests/data/send_long_sms.json",
      200,
      "sms",
      {
        kind: "accepted",
        messageId: "62dfdf68-6c7c-479a-a190-5c52f798a787",
        costMicros: 82_400,
        otherPartIds: [expect.any(String)],
      },
    ],
    ["sms/tests/data/send_sms_error.json", 200, "sms", { kind: "refused", judgement: "not_this_number" }],
    [
      "sms/tests/data/send_sms_partial_error.json",
      200,
      "sms",
      { kind: "unknown", cause: "vonage took only a part (status 1)" },
    ],
    [
      "test/SMS/responses/multi.json",
      200,
      "sms",
      { kind: "accepted", messageId: "00000124", costMicros: 150_000 },
    ],
    ["test/SMS/responses/fail-server.json", 200, "sms", { kind: "refused", judgement: "not_this_route" }],
    [
      "test/SMS/responses/fail-shortcode.json",
      200,
      "sms",
      { kind: "refused", cause: "vonage refused it (status 101)" },
    ],
    ["test/SMS/responses/mt-limit.json", 200, "sms", { kind: "refused", judgement: "transient" }],
    ["test/SMS/responses/ratelimit.json", 200, "sms", { kind: "refused", judgement: "transient" }],
    ["test/SMS/responses/empty.json", 200, "sms", { kind: "unknown" }],
  ])("%s, answered with %i", async ([path, status, api, result]) => {
    const sample = fixture(fixtures, path);
    const body = typeof sample === "string" ? sample : JSON.stringify(sample);
    expect(await sendInto({ kind: "answer", status, body }, { channel: "sms", api })).toMatchObject(result);
  });

  test("a price in euros is taken by a table in euros only", async () => {
    server.behave(json(200, fixture(fixtures, "sms/tests/data/send_sms.json")));
    const dollars = vonageAt(server.url, { api: "sms", currency: "USD" });
    expect(await dollars.send(messageBy("sms"))).toMatchObject({ kind: "accepted", costMicros: null });
  });

  test("an account without conversions says so by a page", async () => {
    const body = String(fixture(fixtures, "sms/tests/data/conversion_not_enabled.html"));
    server.behave({ kind: "answer", status: 402, body });
    expect(await vonageAt(server.url).feedback?.("1", "sms", true, 0)).toMatchObject({ kind: "failed" });
  });
});

describe("Vonage's conversions", () => {
  test.for([
    { answer: json(200, {}), result: { kind: "told" } },
    { answer: json(420, {}), result: { kind: "failed", retryable: false } },
    { answer: json(401, {}), result: { kind: "failed", retryable: true } },
    { answer: page(503), result: { kind: "failed", retryable: true } },
    { answer: { kind: "drop" } as const, result: { kind: "failed", retryable: true } },
    { answer: { kind: "hang" } as const, result: { kind: "failed", retryable: true } },
  ])("$answer.kind $answer.status is $result", async ({ answer, result }) => {
    server.behave(answer);
    const told = await vonageAt(server.url, { timeoutMs: IMPATIENCE_MS }).feedback?.("1", "sms", false, 0);
    expect(told).toMatchObject(result);
    expect(JSON.stringify(told)).not.toContain(VONAGE.apiSecret);
  });

  test("WhatsApp takes none, and nobody is asked", async () => {
    expect(await vonageAt(server.url).feedback?.("1", "whatsapp", true, 0)).toEqual({ kind: "deaf" });
    expect(server.requests).toEqual([]);
  });
});
