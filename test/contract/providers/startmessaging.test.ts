import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startMessagingProvider } from "../../../src/adapters/providers/startmessaging-provider.ts";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, page, type RudeServer } from "../../support/rude-server.ts";
import {
  expectNoSecrets,
  IMPATIENCE_MS,
  messageTo,
  STARTMESSAGING,
  startMessagingAt,
} from "./support-providers.ts";

interface Facts {
  auth: { header: string };
  send: { path: string; success_status: number; success_example: { data: { messageId: string } } };
  delivery_status: { path: string; statuses: string[]; success_example: { data: object } };
}

const file = contractFile("startmessaging/api_facts.json");
const facts: Facts | null = file === null ? null : JSON.parse(readFileSync(file, "utf8"));

describe("StartMessaging", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const accepted = json(201, {
    success: true,
    statusCode: 201,
    data: { messageId: "m-1", status: "queued" },
  });

  test("a send asks for the template of the language, and the key travels in its header only", async () => {
    server.behave(accepted);
    await startMessagingAt(server.url).send({ ...messageTo(), locale: "hi-IN" });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: "POST", path: "/otp/send" });
    expect(request?.headers["x-api-key"]).toBe(STARTMESSAGING.apiKey);
    expect(JSON.parse(request?.body ?? "")).toEqual({
      phoneNumber: "+919876543210",
      templateId: STARTMESSAGING.templateIds.hi,
      variables: { otp: "491827", appName: "Café" },
    });
  });

  test("a text with a registration of its own goes out under it", async () => {
    server.behave(accepted);
    const dlt = { entityId: "1101000000000000001", templateId: "1107000000000000003" };
    await startMessagingAt(server.url).send({ ...messageTo(), dlt });
    expect(JSON.parse(server.requests[0]?.body ?? "").templateId).toBe(dlt.templateId);
  });

  test("without templates the shared sender is used", async () => {
    server.behave(accepted);
    const options = { ...STARTMESSAGING, templateIds: {}, apiUrl: server.url, timeoutMs: 5000 };
    await startMessagingProvider(options).send(messageTo());
    expect(JSON.parse(server.requests[0]?.body ?? "")).not.toHaveProperty("templateId");
  });

  test.skipIf(facts === null)("the documented answer is read", async () => {
    if (facts === null) return;
    server.behave(json(facts.send.success_status, facts.send.success_example));
    const { messageId } = facts.send.success_example.data;
    expect(await startMessagingAt(server.url).send(messageTo())).toEqual({
      kind: "accepted",
      messageId,
      costMicros: null,
    });
    expect(server.requests[0]?.path).toBe(facts.send.path);
    expect(server.requests[0]?.headers).toHaveProperty(facts.auth.header.toLowerCase());
  });

  test("it serves India, by SMS", () => {
    expect(startMessagingAt(server.url)).toMatchObject({ countries: ["IN"], channels: ["sms"] });
  });

  test("a code it does not take is refused before anything leaves", async () => {
    const result = await startMessagingAt(server.url).send({ ...messageTo(), code: "4918273" });
    expect(result).toMatchObject({ kind: "refused", judgement: "not_this_route" });
    expect(server.requests).toHaveLength(0);
  });

  test.for([200, 201])(
    "a %i that says it is no success is refused, and another route asked",
    async (status) => {
      server.behave(json(status, { success: false, message: "No balance for +919876543210" }));
      const message = messageTo();
      const result = await startMessagingAt(server.url).send(message);
      expect(result).toEqual({
        kind: "refused",
        cause: `startmessaging answered ${status} without success`,
        judgement: "not_this_route",
      });
      expectNoSecrets(result, message);
    },
  );

  test("a message that failed at once is refused", async () => {
    server.behave(json(201, { success: true, data: { messageId: "m-1", status: "failed" } }));
    expect(await startMessagingAt(server.url).send(messageTo())).toMatchObject({
      kind: "refused",
      judgement: "not_this_route",
    });
  });

  describe("what became of a message", () => {
    const poll = async (timeoutMs?: number) => startMessagingAt(server.url, timeoutMs).poll?.("m/1");
    const state = (data: object) => json(200, { success: true, statusCode: 200, data });

    test("delivered, with its time", async () => {
      server.behave(
        state({ messageId: "m/1", status: "delivered", deliveredAt: "2026-02-15T10:30:05.000Z" }),
      );
      expect(await poll()).toEqual({
        messageId: "m/1",
        status: "delivered",
        errorCode: null,
        costMicros: null,
        atMs: Date.UTC(2026, 1, 15, 10, 30, 5),
      });
      expect(server.requests[0]).toMatchObject({ method: "GET", path: "/messages/m%2F1" });
    });

    test("failed, with its code and never with a text", async () => {
      server.behave(state({ status: "failed", error: "DND_BLOCKED" }));
      expect(await poll()).toMatchObject({ status: "undelivered", errorCode: "DND_BLOCKED", atMs: null });
      server.behave(state({ status: "failed", error: "No route to +919876543210" }));
      expect(await poll()).toMatchObject({ status: "undelivered", errorCode: null });
    });

    test("null while it is on its way", async () => {
      for (const status of ["initiated", "queued", "sent"]) {
        server.behave(state({ status }));
        expect(await poll()).toBeNull();
      }
    });

    test.skipIf(facts === null)("every documented state is one of the three", async () => {
      const read = new Map<string, unknown>();
      for (const status of facts?.delivery_status.statuses ?? []) {
        server.behave(state({ ...facts?.delivery_status.success_example.data, status }));
        const receipt = await poll();
        read.set(status, receipt && "status" in receipt ? receipt.status : receipt);
      }
      expect(Object.fromEntries(read)).toEqual({
        initiated: null,
        queued: null,
        sent: null,
        delivered: "delivered",
        failed: "undelivered",
      });
    });

    test("unavailable when the answer says nothing", async () => {
      for (const behaviour of [
        page(200),
        page(502),
        json(404, { success: false }),
        json(200, { success: false, data: { status: "failed" } }),
        json(200, { success: true, data: { status: 3 } }),
        json(200, { success: true }),
        { kind: "drop" } as const,
      ]) {
        server.behave(behaviour);
        expect(await poll()).toMatchObject({ kind: "unavailable" });
      }
      server.behave({ kind: "hang" });
      expect(await poll(IMPATIENCE_MS)).toEqual({
        kind: "unavailable",
        cause: `no answer in ${IMPATIENCE_MS} ms`,
      });
    });
  });
});
