import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Inbox, makeInbox } from "../../../scripts/dev/inbox.ts";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import { sandboxProvider } from "../../../src/adapters/providers/sandbox-provider.ts";
import type { HookReading } from "../../../src/ports/delivery.ts";
import { expectNoSecrets, IMPATIENCE_MS, messageTo, SANDBOX, sandboxAt } from "./support-providers.ts";

describe("the sandbox, against the local inbox", () => {
  let inbox: Inbox;
  let server: LocalServer;
  beforeAll(async () => {
    server = await serveLocally((request) => inbox.app.fetch(request));
  });
  beforeEach(() => {
    inbox = makeInbox();
  });
  afterAll(() => server.close());

  async function send(message = messageTo(), timeoutMs?: number) {
    const result = await sandboxAt(server.url, timeoutMs).send(message);
    expectNoSecrets(result, message);
    return result;
  }

  test("a message arrives as it was sent, under the id that was answered", async () => {
    const message = messageTo();
    const result = await send(message);
    expect(inbox.messages).toEqual([
      {
        id: result.kind === "accepted" ? result.messageId : null,
        to: message.to,
        body: message.body,
        channel: "sms",
        provider: "sandbox",
        at: expect.any(String),
      },
    ]);
  });

  test("every channel arrives under its name", async () => {
    for (const channel of ["sms", "voice", "whatsapp"] as const) {
      await send({ ...messageTo(), channel });
      expect(inbox.messages[0]?.channel).toBe(channel);
    }
  });

  test("the same idempotency key is the same message, also when both come at once", async () => {
    const message = messageTo();
    const [first, second] = await Promise.all([send(message), send(message)]);
    expect(await send(message)).toEqual(first);
    expect(second).toEqual(first);
    expect(inbox.messages).toHaveLength(1);
    expect(inbox.sends).toHaveLength(1);
    await send(messageTo());
    expect(inbox.messages).toHaveLength(2);
  });

  test("a refusal without a reason is the route's, and nothing arrives", async () => {
    inbox.faults.mode = "refuse";
    expect(await send()).toEqual({
      kind: "refused",
      cause: "provider answered 422",
      judgement: "not_this_route",
    });
    expect(inbox.messages).toEqual([]);
  });

  test("a broken provider refuses for now, and nothing arrives", async () => {
    inbox.faults.mode = "break";
    expect(await send()).toEqual({ kind: "refused", cause: "provider answered 503", judgement: "transient" });
    expect(inbox.messages).toEqual([]);
  });

  test("a lost message is accepted all the same, as a network loses them", async () => {
    inbox.faults.mode = "lose";
    expect(await send()).toEqual({ kind: "accepted", messageId: expect.any(String), costMicros: null });
    expect(inbox.messages).toEqual([]);
  });

  test("a time-out is unknown, whoever gives up first", async () => {
    inbox.faults.mode = "time_out";
    expect(await send(messageTo(), IMPATIENCE_MS)).toEqual({
      kind: "unknown",
      cause: `no answer in ${IMPATIENCE_MS} ms`,
      connectionLost: false,
    });
    inbox = makeInbox({ hangMs: 1 });
    inbox.faults.mode = "time_out";
    expect(await send()).toMatchObject({ kind: "unknown", connectionLost: false });
  });

  test.for([
    ["refuse_number", "not_this_number"],
    ["opt_out", "opted_out"],
    ["fraud", "fraud"],
  ] as const)("told to %s it says so: %s", async ([mode, judgement]) => {
    inbox.faults.mode = mode;
    expect(await send()).toEqual({ kind: "refused", cause: "provider answered 422", judgement });
    expect(inbox.messages).toEqual([]);
  });

  test("a provider that delivers and then breaks is unknown", async () => {
    inbox.faults.mode = "deliver_and_break";
    expect(await send()).toMatchObject({ kind: "unknown", connectionLost: false });
    expect(inbox.messages).toHaveLength(1);
  });

  test("a message that comes late is unknown, may arrive, and comes once when it is sent again", async () => {
    const message = messageTo();
    inbox.faults.delay_ms = 2 * IMPATIENCE_MS;
    expect(await send(message, IMPATIENCE_MS)).toMatchObject({ kind: "unknown", connectionLost: false });
    expect(await send(message)).toMatchObject({ kind: "accepted" });
    expect(inbox.messages).toHaveLength(1);
  });

  test("a message the inbox finds malformed is refused", async () => {
    expect(await send({ ...messageTo(), to: "12" })).toMatchObject({
      kind: "refused",
      judgement: "not_this_route",
    });
  });

  test("the person's answer is told to the provider it belongs to", async () => {
    const sent = await send();
    const messageId = sent.kind === "accepted" ? sent.messageId : "";
    expect(await sandboxAt(server.url).feedback?.(messageId, "sms", true, 0)).toEqual({ kind: "told" });
    expect(inbox.sends[0]?.verified).toBe(true);
    expect(await sandboxAt(server.url).feedback?.("m-0", "sms", true, 0)).toMatchObject({
      kind: "failed",
      retryable: false,
    });
  });
});

describe("several pretend providers", () => {
  const RECEIPT_URL = "https://tollgate.example/receipts/sandbox";
  let inbox: Inbox;
  let server: LocalServer;
  /** What was posted, as the provider reads it. */
  let readings: (HookReading | undefined)[];
  let answered: number;

  const providerNamed = (name: string) =>
    sandboxProvider({
      name,
      baseUrl: server.url,
      timeoutMs: 8000,
      receiptUrl: RECEIPT_URL,
      receiptSecret: SANDBOX.receiptSecret,
    });

  beforeAll(async () => {
    server = await serveLocally((request) => inbox.app.fetch(request));
  });
  beforeEach(() => {
    readings = [];
    answered = 0;
    inbox = makeInbox({
      receiptSecret: SANDBOX.receiptSecret,
      post: async (url, init) => {
        expect(url).toBe(RECEIPT_URL);
        const headers = new Headers(init.headers);
        const body = new TextEncoder().encode(String(init.body));
        readings.push(
          await providerNamed("sandbox").readReceipt?.({ method: "POST", url, headers, body }, Date.now()),
        );
        return new Response(null, { status: 204 });
      },
    });
  });
  afterAll(() => server.close());

  async function send(name = "sandbox"): Promise<string> {
    const sent = await providerNamed(name).send(messageTo());
    answered = readings.length;
    return sent.kind === "accepted" ? sent.messageId : sent.kind;
  }

  const receiptOf = (messageId: string, status: string) => ({
    kind: "receipts",
    receipts: [
      expect.objectContaining({ messageId, status, errorCode: status === "delivered" ? null : "bounced" }),
    ],
  });

  test("a delivered message brings a signed receipt", async () => {
    const messageId = await send();
    await vi.waitFor(() => expect(readings).toEqual([receiptOf(messageId, "delivered")]));
    await vi.waitFor(() => expect(inbox.sends[0]?.receipt).toBe("delivered, answered 204"));
  });

  test("a message that bounces is accepted, and the receipt says that nothing arrived", async () => {
    inbox.faults.mode = "bounce";
    const messageId = await send();
    await vi.waitFor(() => expect(readings).toEqual([receiptOf(messageId, "undelivered")]));
    expect(inbox.messages).toEqual([]);
  });

  test("a lost message brings no receipt, and so does a provider told to keep silent", async () => {
    inbox.faults.mode = "lose";
    await send();
    Object.assign(inbox.faults, { mode: "deliver", receipts: "never" });
    await send();
    inbox.faults.receipts = "after";
    const messageId = await send();
    await vi.waitFor(() => expect(readings).toEqual([receiptOf(messageId, "delivered")]));
  });

  test("receipts come twice, before the answer or late, as they are told to", async () => {
    inbox.faults.receipts = "twice";
    const twice = await send();
    await vi.waitFor(() =>
      expect(readings).toEqual([receiptOf(twice, "delivered"), receiptOf(twice, "delivered")]),
    );
    readings.length = 0;

    inbox.faults.receipts = "before";
    const before = await send();
    expect(answered).toBe(1);
    expect(readings).toEqual([receiptOf(before, "delivered")]);
    readings.length = 0;

    Object.assign(inbox.faults, { receipts: "after", receipt_delay_ms: 150 });
    const startedMs = performance.now();
    await send();
    await vi.waitFor(() => expect(readings).toHaveLength(1));
    expect(performance.now() - startedMs).toBeGreaterThan(140);
  });

  test("one provider fails while another delivers", async () => {
    const put = (body: object) =>
      fetch(`${server.url}/faults`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await put({ provider: "sandbox", mode: "break" });
    expect(await send("sandbox")).toBe("refused");
    expect(await send("sandbox_b")).toMatch(/^[0-9a-f-]{36}$/);
    expect(inbox.messages.map(({ provider }) => provider)).toEqual(["sandbox_b"]);
    expect(inbox.sends.map(({ provider, state }) => [provider, state])).toEqual([
      ["sandbox_b", "arrived"],
      ["sandbox", "broken"],
    ]);
    // For all: what one provider had of its own is gone.
    await put({ mode: "deliver" });
    expect(await send("sandbox")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("without a secret none is read", () => {
    const { readReceipt } = sandboxProvider({ name: "sandbox", baseUrl: server.url, timeoutMs: 1000 });
    expect(readReceipt).toBeUndefined();
  });
});
