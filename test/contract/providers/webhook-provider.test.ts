import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { readSignedReceipt, signedHeaders } from "../../../src/adapters/providers/signed-webhooks.ts";
import { webhookProvider } from "../../../src/adapters/providers/webhook-provider.ts";
import type { IncomingHook } from "../../../src/ports/delivery.ts";
import { contractFile } from "../../support/contracts.ts";
import { json, openRudeServer, type RudeServer } from "../../support/rude-server.ts";
import { expectNoSecrets, messageTo, newSecret, WEBHOOK, webhookAt } from "./support-providers.ts";

interface Vectors {
  vectors: { secret: string; id: string; timestamp: number; payload: string; signature: string }[];
  multi_signature_decoys: string[];
}

const file = contractFile("standard-webhooks/vectors.json");
const published: Vectors | null = file === null ? null : JSON.parse(readFileSync(file, "utf8"));

const [SECRET = "", SECOND = ""] = WEBHOOK.secrets;
const RECEIPT = {
  type: "message.receipt",
  message_id: "m-1",
  status: "delivered",
  cost_micros: 1200,
  at: "2026-01-02T03:04:05+05:30",
};

/** By the words of the specification, with nobody's library. */
const signature = (secret: string, id: string, timestamp: number | string, body: string) =>
  `v1,${createHmac("sha256", Buffer.from(secret.replace("whsec_", ""), "base64"))
    .update(`${id}.${timestamp}.${body}`)
    .digest("base64")}`;

const nowSeconds = () => Math.floor(Date.now() / 1000);

function hook(content: unknown, over: Record<string, string | null> = {}, secret = SECRET): IncomingHook {
  const body = typeof content === "string" ? content : JSON.stringify(content);
  const timestamp = over["webhook-timestamp"] ?? String(nowSeconds());
  const headers = new Headers({
    "content-type": "application/json",
    "webhook-id": "evt-1",
    "webhook-timestamp": timestamp,
    "webhook-signature": signature(secret, "evt-1", timestamp, body),
  });
  for (const [name, value] of Object.entries(over)) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  const url = "https://tollgate.example/receipts/webhook";
  return { method: "POST", url, headers, body: new TextEncoder().encode(body) };
}

describe("signatures by Standard Webhooks", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.skipIf(published === null)("the published vector comes out and is taken", () => {
    for (const { secret, id, timestamp, payload, signature } of published?.vectors ?? []) {
      vi.useFakeTimers({ now: timestamp * 1000, toFake: ["Date"] });
      const headers = signedHeaders([secret], id, payload);
      expect(headers).toMatchObject({
        "webhook-id": id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": signature,
      });
      const body = new TextEncoder().encode(payload);
      // Genuine, and no receipt.
      const read = readSignedReceipt({ method: "POST", url: "", headers: new Headers(headers), body }, [
        secret,
      ]);
      expect(read).toEqual({ kind: "forged", cause: "signed, and no receipt" });
    }
  });

  test("a request carries a signature of every secret, and the library takes it by any of them", () => {
    const body = '{"a":1}';
    const headers = signedHeaders([SECRET, SECOND], "id-1", body);
    const timestamp = headers["webhook-timestamp"] ?? "";
    const both = [SECRET, SECOND].map((secret) => signature(secret, "id-1", timestamp, body));
    expect(headers["webhook-signature"]).toBe(both.join(" "));
    for (const secret of [SECRET, SECOND]) {
      expect(new Webhook(secret).verify(body, headers)).toEqual({ a: 1 });
    }
    expect(() => new Webhook(newSecret()).verify(body, headers)).toThrow();
  });

  test("a receipt signed with either secret is read", () => {
    for (const secret of [SECRET, SECOND]) {
      expect(readSignedReceipt(hook(RECEIPT, {}, secret), [SECRET, SECOND])).toEqual({
        kind: "receipts",
        receipts: [
          {
            messageId: "m-1",
            status: "delivered",
            errorCode: null,
            costMicros: 1200,
            atMs: Date.UTC(2026, 0, 1, 21, 34, 5),
          },
        ],
      });
    }
  });

  test("a valid signature among others is found", () => {
    const timestamp = String(nowSeconds());
    const valid = signature(SECRET, "evt-1", timestamp, JSON.stringify(RECEIPT));
    const decoys = published?.multi_signature_decoys ?? ["v1,Zm9v", "v2,Zm9v"];
    const over = { "webhook-timestamp": timestamp, "webhook-signature": [...decoys, valid].join(" ") };
    expect(readSignedReceipt(hook(RECEIPT, over), [SECRET])).toMatchObject({ kind: "receipts" });
  });

  const valid = () => hook(RECEIPT).headers.get("webhook-signature") ?? "";
  test.for<[name: string, over: () => Record<string, string | null>]>([
    ["no id", () => ({ "webhook-id": null })],
    ["another id", () => ({ "webhook-id": "evt-2" })],
    ["no timestamp", () => ({ "webhook-timestamp": "", "webhook-signature": valid() })],
    ["a timestamp that is none", () => ({ "webhook-timestamp": "hello" })],
    ["no signature", () => ({ "webhook-signature": null })],
    ["a signature of nothing", () => ({ "webhook-signature": "v1,dawfeoifkpqwoekfpqoekf" })],
    ["half a signature", () => ({ "webhook-signature": valid().slice(0, 8) })],
    ["an empty signature", () => ({ "webhook-signature": "v1," })],
    ["a signature without a version", () => ({ "webhook-signature": valid().slice(3) })],
    ["a signature of another version", () => ({ "webhook-signature": valid().replace("v1,", "v2,") })],
    ["a time before the tolerance", () => ({ "webhook-timestamp": String(nowSeconds() - 302) })],
    ["a time after the tolerance", () => ({ "webhook-timestamp": String(nowSeconds() + 302) })],
  ])("%s: forged", ([, over]) => {
    expect(readSignedReceipt(hook(RECEIPT, over()), [SECRET])).toEqual({
      kind: "forged",
      cause: "no valid signature",
    });
  });

  test("a replay within the tolerance is read, and later it is forged", () => {
    const replayed = hook(RECEIPT);
    expect(readSignedReceipt(replayed, [SECRET])).toMatchObject({ kind: "receipts" });
    vi.useFakeTimers({ now: Date.now() + 290_000, toFake: ["Date"] });
    expect(readSignedReceipt(replayed, [SECRET])).toMatchObject({ kind: "receipts" });
    vi.setSystemTime(Date.now() + 20_000);
    expect(readSignedReceipt(replayed, [SECRET])).toMatchObject({ kind: "forged" });
  });

  test("changed bytes, bytes that are no text and another's secret are forged", () => {
    const signed = hook(RECEIPT);
    const changed = new TextEncoder().encode(JSON.stringify({ ...RECEIPT, status: "undelivered" }));
    expect(readSignedReceipt({ ...signed, body: changed }, [SECRET])).toMatchObject({ kind: "forged" });
    expect(readSignedReceipt({ ...signed, body: new Uint8Array([255, 254]) }, [SECRET])).toMatchObject({
      kind: "forged",
    });
    expect(readSignedReceipt(signed, [SECOND])).toMatchObject({ kind: "forged" });
    expect(readSignedReceipt(signed, [])).toMatchObject({ kind: "forged" });
  });

  test.for<[name: string, body: unknown, kind: string]>([
    ["another event", { ...RECEIPT, type: "message.read" }, "ignored"],
    ["no event at all", { ...RECEIPT, type: undefined }, "forged"],
    ["a list", [RECEIPT], "forged"],
    ["a text", "not json", "forged"],
    ["nothing", "", "forged"],
    ["a state nobody knows", { ...RECEIPT, status: "read" }, "forged"],
    ["an id that is no text", { ...RECEIPT, message_id: 7 }, "forged"],
    ["an empty id", { ...RECEIPT, message_id: "" }, "forged"],
    ["a price that is no whole number", { ...RECEIPT, cost_micros: 1.5 }, "forged"],
    ["a negative price", { ...RECEIPT, cost_micros: -1 }, "forged"],
    ["a time that is none", { ...RECEIPT, at: "yesterday" }, "forged"],
  ])("signed, and %s: %s", ([, body, kind]) => {
    expect(readSignedReceipt(hook(body), [SECRET]).kind).toBe(kind);
  });

  test("an error code is passed on only when it is a code", () => {
    const codeOf = (error_code: unknown) => {
      const read = readSignedReceipt(hook({ ...RECEIPT, status: "undelivered", error_code }), [SECRET]);
      return read.kind === "receipts" ? read.receipts[0]?.errorCode : read.kind;
    };
    expect(["absent_subscriber", 30007, "30007", "E-21"].map(codeOf)).toEqual([
      "absent_subscriber",
      "30007",
      "30007",
      "E-21",
    ]);
    for (const text of [
      "+919876543210",
      "919876543210",
      491827,
      "to_91-98765-43210",
      "no such number",
      {},
      null,
    ]) {
      expect(codeOf(text)).toBeNull();
    }
  });
});

describe("the webhook provider", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  test("what is posted names everything a gateway needs, signed under the message's own key", async () => {
    server.behave(json(202, { message_id: "m-1", cost_micros: 4500 }));
    const message = messageTo();
    expect(await webhookAt(server.url).send(message)).toEqual({
      kind: "accepted",
      messageId: "m-1",
      costMicros: 4500,
    });
    const [request] = server.requests;
    expect(new Webhook(SECOND).verify(request?.body ?? "", request?.headers ?? {})).toEqual({
      type: "message.send",
      to: message.to,
      body: message.body,
      code: message.code,
      spoken: message.spoken,
      locale: "en",
      channel: "sms",
      country: "IN",
      ttl_seconds: 180,
      correlation_id: message.correlationId,
    });
    expect(request?.headers["webhook-id"]).toBe(message.idempotencyKey);
  });

  test("a price that is no whole number of micros is no price", async () => {
    for (const cost_micros of ["4500", 4.5, -1, null, Number.MAX_VALUE]) {
      server.behave(json(200, { message_id: "m-1", cost_micros }));
      expect(await webhookAt(server.url).send(messageTo())).toMatchObject({ costMicros: null });
    }
  });

  test.for(["transient", "not_this_route", "not_this_number", "opted_out", "fraud"])(
    "an answer that says it refused is certain whatever its status: %s",
    async (refused) => {
      for (const status of [200, 400, 409, 422, 429, 500, 503]) {
        server.behave(json(status, { refused }));
        expect(await webhookAt(server.url).send(messageTo())).toEqual({
          kind: "refused",
          cause: `provider answered ${status}`,
          judgement: refused,
        });
      }
    },
  );

  test("a word that is none of ours decides nothing", async () => {
    for (const refused of ["yes", true, 1, null, {}]) {
      server.behave(json(503, { refused }));
      expect(await webhookAt(server.url).send(messageTo())).toMatchObject({ kind: "unknown" });
    }
  });

  test.for([401, 403])("a %i is about our secret: another route may deliver", async (status) => {
    server.behave(json(status, { error: "who are you" }));
    expect(await webhookAt(server.url).send(messageTo())).toMatchObject({
      kind: "refused",
      judgement: "not_this_route",
    });
  });

  test("feedback says which message, and whether the code was typed", async () => {
    server.behave(json(204, null));
    await webhookAt(server.url).feedback?.("m-1", "whatsapp", false, Date.UTC(2026, 0, 2));
    const [request] = server.requests;
    expect(new Webhook(SECRET).verify(request?.body ?? "", request?.headers ?? {})).toEqual({
      type: "message.feedback",
      message_id: "m-1",
      channel: "whatsapp",
      verified: false,
      at: "2026-01-02T00:00:00.000Z",
    });
  });

  test("everything goes by the binding that shows the client certificate, where there is one", async () => {
    const calls: { url: string; init: RequestInit }[] = [];
    const provider = webhookProvider({
      ...WEBHOOK,
      url: "https://gateway.internal/messages",
      channels: ["sms"],
      countries: ["IN"],
      timeoutMs: 1000,
      fetcher: async (url, init) => {
        calls.push({ url, init });
        return Response.json({ message_id: "m-1" });
      },
    });
    expect(await provider.send(messageTo())).toMatchObject({ kind: "accepted" });
    expect(await provider.feedback?.("m-1", "sms", true, 0)).toEqual({ kind: "told" });
    expect(calls.map(({ url }) => url)).toEqual([
      "https://gateway.internal/messages",
      "https://gateway.internal/messages",
    ]);
    expect(calls[0]?.init.redirect).toBe("manual");
    expect(provider.countries).toEqual(["IN"]);
  });

  test("a certificate the gateway does not take is a connection that was lost", async () => {
    const fetcher = async () => Promise.reject(new TypeError("TLS handshake failed for +919876543210"));
    const options = { ...WEBHOOK, url: "https://gateway.internal", channels: [], countries: null };
    const message = messageTo();
    const result = await webhookProvider({ ...options, timeoutMs: 1000, fetcher }).send(message);
    expect(result).toMatchObject({ kind: "unknown", connectionLost: true });
    expectNoSecrets(result, message);
  });
});

describe("the example receiver", () => {
  test("takes a message once, prints it, and its receipt is read", async () => {
    const receipts = await openRudeServer();
    receipts.behave(json(200, {}));
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("../../../scripts/examples/webhook-provider.ts", import.meta.url))],
      {
        env: {
          ...process.env,
          WEBHOOK_SECRET: SECRET,
          RECEIPT_URL: `${receipts.url}/receipts/webhook`,
          PORT: "0",
        },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      let printed = "";
      child.stdout.on("data", (chunk) => {
        printed += chunk;
      });
      const url = await vi.waitFor(() => /listening on (\S+)/.exec(printed)?.[1] ?? Promise.reject(), {
        timeout: 15_000,
      });
      const provider = webhookAt(url);
      const message = messageTo();
      const first = await provider.send(message);
      expect(first).toMatchObject({ kind: "accepted", costMicros: 0 });
      expect(await provider.send(message)).toEqual(first);
      await vi.waitFor(() => expect(printed).toContain("answered 200"), { timeout: 5000 });
      expect(printed.split(message.correlationId)).toHaveLength(2);

      expect(receipts.requests).toHaveLength(1);
      const [request] = receipts.requests;
      const read = await provider.readReceipt?.(
        {
          method: "POST",
          url: `${receipts.url}/receipts/webhook`,
          headers: new Headers(request?.headers),
          body: new TextEncoder().encode(request?.body),
        },
        Date.now(),
      );
      const messageId = first.kind === "accepted" ? first.messageId : "";
      expect(read).toMatchObject({ receipts: [{ messageId, status: "delivered" }] });

      expect(await provider.feedback?.(messageId, "sms", true, 0)).toEqual({ kind: "told" });
      await vi.waitFor(() => expect(printed).toContain('"verified":true'));
      const stranger = webhookProvider({
        ...WEBHOOK,
        secrets: [newSecret()],
        url,
        channels: ["sms"],
        countries: null,
        timeoutMs: 5000,
      });
      expect(await stranger.send(messageTo())).toMatchObject({
        kind: "refused",
        judgement: "not_this_route",
      });
    } finally {
      child.kill();
      await receipts.close();
    }
  });
});
