import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RudeServer,
} from "../../support/rude-server.ts";
import { contenders, everythingOf, expectNoSecrets, IMPATIENCE_MS, messageTo } from "./support-providers.ts";

const ID = "3763646c3058373530393938";

describe.each(contenders)("every provider: $label", (contender) => {
  const { name, at, accepted, acceptedWithoutId, errorInSuccess } = contender;
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  /** Sends once and checks what holds for every result. */
  async function sendInto(behaviour: Behaviour, provider = at(server.url)) {
    server.behave(behaviour);
    const message = messageTo();
    const result = await provider.send(message);
    expectNoSecrets(result, message);
    return result;
  }

  test("names itself", () => {
    expect(at(server.url).name).toBe(name);
  });

  test("reads an acceptance with its id, and asks once", async () => {
    expect(await sendInto(accepted(ID))).toEqual({
      kind: "accepted",
      messageId: ID,
      costMicros: null,
    });
    expect(server.requests).toHaveLength(1);
  });

  test.for([
    400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426, 428, 431,
    451,
  ])("a %i without a known body is the route's fault, never the number's", async (status) => {
    for (const behaviour of [json(status, {}), page(status), json(status, { error: "no" })]) {
      expect(await sendInto(behaviour)).toEqual({
        kind: "refused",
        cause: `provider answered ${status}`,
        judgement: "not_this_route",
      });
    }
    // `fetch` itself repeats a 421 once, on another connection (Fetch, "HTTP-network-or-cache fetch").
    expect(server.requests).toHaveLength(status === 421 ? 6 : 3);
  });

  test.for([401, 403])("a %i is refused, and nothing of it is taken for a success", async (status) => {
    for (const behaviour of [json(status, {}), page(status)]) {
      expect(await sendInto(behaviour)).toMatchObject({ kind: "refused" });
    }
  });

  test("a 429 that says when to come back is not waited for", async () => {
    const headers = { "retry-after": "3600" };
    expect(await sendInto({ kind: "answer", status: 429, body: "", headers })).toMatchObject({
      kind: "unknown",
    });
    expect(server.requests).toHaveLength(1);
  });

  test.skipIf(errorInSuccess === null)("a success that holds an error is refused", async () => {
    if (errorInSuccess === null) return;
    expect(await sendInto(errorInSuccess)).toMatchObject({ kind: "refused" });
  });

  test.for([408, 425, 429, 499, 500, 501, 502, 503, 504, 507, 520, 522, 524, 530])(
    "a %i without a documented body says nothing of the message, which may have left",
    async (status) => {
      for (const behaviour of [json(status, {}), page(status)]) {
        expect(await sendInto(behaviour)).toEqual({
          kind: "unknown",
          cause: `provider answered ${status}`,
          connectionLost: false,
        });
      }
    },
  );

  test.for([301, 302, 307, 308])("a %i is the route's fault and not followed", async (status) => {
    const redirect = { kind: "answer", status, body: "", headers: { location: "/elsewhere" } } as const;
    expect(await sendInto(redirect)).toMatchObject({ kind: "refused", judgement: "not_this_route" });
    expect(server.requests).toHaveLength(1);
  });

  test("a 303 follows a request that was carried out: the message may have left", async () => {
    const redirect = { kind: "answer", status: 303, body: "", headers: { location: "/elsewhere" } } as const;
    expect(await sendInto(redirect)).toMatchObject({ kind: "unknown" });
    expect(server.requests).toHaveLength(1);
  });

  const mayHaveLeft: [name: string, behaviour: Behaviour][] = [
    ["an acceptance without an id", acceptedWithoutId],
    ["an acceptance that is a page", page(200)],
    ["an acceptance that is empty", { kind: "answer", status: 204, body: "" }],
    ["an acceptance with an id that is no text", json(201, { sid: 7, message_id: 7 })],
    ["an acceptance that was cut off", { kind: "cut", status: 201, body: '{"sid":"SM' }],
    ["a gateway whose provider broke off", page(502)],
    ["a gateway's time-out", page(504)],
    ["an edge's error without a reason", page(520)],
    ["an edge's connection that timed out", page(522)],
    ["an edge's time-out", page(524)],
  ];
  test.for(mayHaveLeft)("%s is unknown, because the message may have left", async ([, behaviour]) => {
    expect(await sendInto(behaviour)).toEqual({
      kind: "unknown",
      cause: expect.stringMatching(/^provider answered \d{3}( without a message id)?$/),
      connectionLost: false,
    });
    expect(server.requests).toHaveLength(1);
  });

  test.for<[name: string, behaviour: Behaviour]>([
    ["half a refusal", { kind: "cut", status: 400, body: '{"code":' }],
    ["a connection that closed after the request", { kind: "drop" }],
  ])("%s is unknown, by a connection that was lost", async ([, behaviour]) => {
    expect(await sendInto(behaviour)).toEqual({
      kind: "unknown",
      cause: "connection refused or lost",
      connectionLost: true,
    });
    expect(server.requests).toHaveLength(1);
  });

  test.for<[name: string, behaviour: Behaviour]>([
    ["silence", { kind: "hang" }],
    ["silence in the middle", { kind: "hang_in_body", status: 201, body: '{"sid":"SM' }],
  ])("%s past the time limit is unknown", async ([, behaviour]) => {
    expect(await sendInto(behaviour, at(server.url, IMPATIENCE_MS))).toEqual({
      kind: "unknown",
      cause: `no answer in ${IMPATIENCE_MS} ms`,
      connectionLost: false,
    });
    expect(server.requests).toHaveLength(1);
  });

  test("a provider that nobody reaches is unknown, by a connection that may have been lost", async () => {
    // The Workers runtime tells a refused connection and a lost one in the same words.
    expect(await sendInto(json(200, {}), at(await deadUrl()))).toEqual({
      kind: "unknown",
      cause: "connection refused or lost",
      connectionLost: true,
    });
  });

  test("an answer that repeats the request back does not get into the log", async () => {
    const message = messageTo();
    const echo = everythingOf(message);
    const fields = {
      type: "error",
      success: false,
      title: echo,
      messages: [{ status: echo, "error-text": echo }],
      code: echo,
      message: echo,
      error: echo,
      error_code: echo,
      more_info: echo,
      detail: echo,
    };
    for (const status of [200, 201, 202, 400, 401, 422, 500]) {
      await sendInto(json(status, { ...fields, status: echo }));
      await sendInto(json(status, { ...fields, sid: "SM1", message_id: 1, status: "failed" }));
      await sendInto(json(status, { ...fields, type: message.to, code: message.code, error: message.code }));
      await sendInto(json(status, echo));
    }
  });

  test("no answer at all makes it throw", async () => {
    const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);
    const body = fc.oneof(fc.json(), fc.string({ unit: "binary" }), fc.constant("null"));
    await fc.assert(
      fc.asyncProperty(status, body, async (code, text) => {
        const { kind } = await sendInto({ kind: "answer", status: code, body: text });
        expect(kind).not.toBe("accepted");
      }),
      { numRuns: 60 },
    );
  });

  describe("feedback", () => {
    const tell = async (behaviour: Behaviour, provider = at(server.url)) => {
      server.behave(behaviour);
      const result = await provider.feedback?.(ID, "sms", true, Date.UTC(2026, 0, 2));
      if (result) expectNoSecrets(result, messageTo());
      return result;
    };
    const takesFeedback = at("http://127.0.0.1").feedback !== undefined;

    test.skipIf(!takesFeedback)("is told once", async () => {
      expect(await tell(json(200, {}))).toEqual({ kind: "told" });
      expect(server.requests).toHaveLength(1);
    });

    test.skipIf(!takesFeedback)("fails for now when the service is slow, broken or gone", async () => {
      for (const status of [429, 500, 503]) {
        expect(await tell(page(status))).toMatchObject({ kind: "failed", retryable: true });
      }
      expect(await tell({ kind: "drop" })).toMatchObject({ kind: "failed", retryable: true });
      expect(await tell({ kind: "hang" }, at(server.url, IMPATIENCE_MS))).toMatchObject({
        kind: "failed",
        retryable: true,
      });
    });

    test.skipIf(!takesFeedback)("fails for good when the service does not want it", async () => {
      expect(await tell(json(400, {}))).toMatchObject({ kind: "failed", retryable: false });
    });
  });

  describe("receipts", () => {
    const provider = at("http://127.0.0.1");
    const read = (body: Uint8Array, headers: Record<string, string> = {}) =>
      provider.readReceipt?.(
        {
          method: "POST",
          url: `https://tollgate.example/receipts/${name}`,
          headers: new Headers(headers),
          body,
        },
        Date.now(),
      );

    test.skipIf(!provider.readReceipt)(
      "whatever comes unsigned is forged, and none of it is repeated",
      async () => {
        const message = messageTo();
        const types = ["application/json", "application/x-www-form-urlencoded", "", "text/html"];
        await fc.assert(
          fc.asyncProperty(
            fc.oneof(
              fc.uint8Array(),
              fc.json().map((text) => new TextEncoder().encode(text)),
            ),
            fc.constantFrom(...types),
            async (body, type) => {
              expect(await read(body, { "content-type": type })).toMatchObject({ kind: "forged" });
            },
          ),
          { numRuns: 60 },
        );
        const echo = await read(new TextEncoder().encode(everythingOf(message)));
        expect(echo).toMatchObject({ kind: "forged" });
        expectNoSecrets(echo ?? {}, message);
      },
    );

    test.skipIf(!provider.readReceipt)("a megabyte is forged", async () => {
      expect(await read(new Uint8Array(1_048_576).fill(32))).toMatchObject({ kind: "forged" });
    });
  });
});
