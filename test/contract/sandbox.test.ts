import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Inbox, makeInbox } from "../../scripts/dev/inbox.ts";
import { type LocalServer, serveLocally } from "../../scripts/dev/serve.ts";
import { expectNoSecrets, IMPATIENCE_MS, messageTo, sandboxAt } from "./support-providers.ts";

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
    await send(messageTo());
    expect(inbox.messages).toHaveLength(2);
  });

  test("a refusal is refused for good, and nothing arrives", async () => {
    inbox.faults.mode = "refuse";
    expect(await send()).toEqual({ kind: "refused", cause: "provider answered 422", retryable: false });
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

  test("a message that comes late is unknown, may arrive, and comes once when it is sent again", async () => {
    const message = messageTo();
    inbox.faults.delay_ms = 2 * IMPATIENCE_MS;
    expect(await send(message, IMPATIENCE_MS)).toMatchObject({ kind: "unknown", connectionLost: false });
    expect(await send(message)).toMatchObject({ kind: "accepted" });
    expect(inbox.messages).toHaveLength(1);
  });

  test("a message the inbox finds malformed is refused for good", async () => {
    expect(await send({ ...messageTo(), to: "12" })).toMatchObject({ kind: "refused", retryable: false });
  });
});
