import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { verifyWebhook } from "../../../src/client/server.ts";
import { contractFile } from "../../support/contracts.ts";

interface Vectors {
  vectors: { secret: string; id: string; timestamp: number; payload: string; signature: string }[];
  multi_signature_decoys: string[];
}

const file = contractFile("standard-webhooks/vectors.json");
const { vectors, multi_signature_decoys: decoys }: Vectors = file
  ? JSON.parse(readFileSync(file, "utf8"))
  : { vectors: [], multi_signature_decoys: [] };

const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(24, 8).toString("base64")}`;
const SENT_MS = Date.UTC(2026, 6, 1, 12);
const BODY = '{"type":"incident.opened"}';

beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: SENT_MS }));
afterEach(() => vi.useRealTimers());

function delivery(over: Record<string, string> = {}, body = BODY, secret = SECRET) {
  const headers: Record<string, string> = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(SENT_MS / 1000),
    "webhook-signature": new Webhook(secret).sign("msg_1", new Date(SENT_MS), body),
    ...over,
  };
  return { headers, body };
}

const refused = (reason: string) => ({ ok: false, reason });
const accepted = { ok: true, id: "msg_1", sentAt: new Date(SENT_MS), payload: { type: "incident.opened" } };

describe("a webhook", () => {
  test("of the service is accepted as a Request, as Node's headers and as bytes", async () => {
    const { headers, body } = delivery();
    expect(await verifyWebhook(new Request("https://x", { method: "POST", headers, body }), SECRET)).toEqual(
      accepted,
    );
    expect(await verifyWebhook({ headers, body }, SECRET)).toEqual(accepted);
    const bytes = new TextEncoder().encode(body);
    expect(await verifyWebhook({ headers: new Headers(headers), body: bytes }, SECRET)).toEqual(accepted);
  });

  test("is accepted with either secret during a rotation", async () => {
    expect(await verifyWebhook(delivery({}, BODY, OTHER), [SECRET, OTHER])).toEqual(accepted);
    expect(await verifyWebhook(delivery(), [OTHER, SECRET])).toEqual(accepted);
    expect(await verifyWebhook(delivery(), [OTHER])).toEqual(refused("bad_signature"));
  });

  test("with an empty body is accepted", async () => {
    expect(await verifyWebhook(delivery({}, ""), SECRET)).toMatchObject({ ok: true, payload: null });
  });

  test("whose body, id or time was changed is refused", async () => {
    const { headers } = delivery();
    expect(await verifyWebhook({ headers, body: `${BODY} ` }, SECRET)).toEqual(refused("bad_signature"));
    expect(await verifyWebhook(delivery({ "webhook-id": "msg_2" }), SECRET)).toEqual(
      refused("bad_signature"),
    );
    const later = String(SENT_MS / 1000 + 1);
    expect(await verifyWebhook(delivery({ "webhook-timestamp": later }), SECRET)).toEqual(
      refused("bad_signature"),
    );
  });

  test("is refused from more than five minutes away, in either direction", async () => {
    for (const seconds of [-300, 300]) {
      vi.setSystemTime(SENT_MS + seconds * 1000);
      expect(await verifyWebhook(delivery(), SECRET)).toEqual(accepted);
      vi.setSystemTime(SENT_MS + (seconds + Math.sign(seconds)) * 1000);
      expect(await verifyWebhook(delivery(), SECRET)).toEqual(refused("stale"));
    }
  });

  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])(
    "without %s is refused",
    async (name) => {
      expect(await verifyWebhook(delivery({ [name]: "" }), SECRET)).toEqual(refused("missing_header"));
      const { headers, body } = delivery();
      delete headers[name];
      expect(await verifyWebhook({ headers, body }, SECRET)).toEqual(refused("missing_header"));
    },
  );

  test("with a time that is none, or a signed body that is not JSON, is malformed", async () => {
    expect(await verifyWebhook(delivery({ "webhook-timestamp": "hello" }), SECRET)).toEqual(
      refused("malformed"),
    );
    expect(await verifyWebhook(delivery({}, "hello"), SECRET)).toEqual(refused("malformed"));
  });

  test.each(["", "whsec_", "not base64!"])("cannot be checked with the secret %j", async (secret) => {
    await expect(verifyWebhook(delivery(), secret)).rejects.toThrow();
    await expect(verifyWebhook(delivery(), [SECRET, secret])).rejects.toThrow();
  });
});

describe.skipIf(file === null)("the published vectors of Standard Webhooks", () => {
  const [vector] = vectors;
  const check = (over: Record<string, string> = {}, secret = vector?.secret ?? "") => {
    vi.setSystemTime((vector?.timestamp ?? 0) * 1000);
    const headers: Record<string, string> = {
      "webhook-id": vector?.id ?? "",
      "webhook-timestamp": String(vector?.timestamp),
      "webhook-signature": vector?.signature ?? "",
      ...over,
    };
    return verifyWebhook({ headers, body: vector?.payload ?? "" }, secret);
  };

  test("are accepted, with and without the secret's prefix, and among other signatures", async () => {
    expect(await check()).toMatchObject({ ok: true, payload: { test: 2432232314 } });
    expect(await check({}, vector?.secret.replace("whsec_", ""))).toMatchObject({ ok: true });
    const [before, after] = decoys;
    const list = `${before} ${vector?.signature} ${after}`;
    expect(await check({ "webhook-signature": list })).toMatchObject({ ok: true });
  });

  test("are refused where a signature is cut, of another version, or another one", async () => {
    const signature = vector?.signature ?? "";
    const bad = [
      "v1,dawfeoifkpqwoekfpqoekf",
      signature.slice(0, 8),
      "v1,",
      signature.replace("v1", "v2"),
      ...decoys,
    ];
    for (const value of bad) {
      expect(await check({ "webhook-signature": value })).toEqual(refused("bad_signature"));
    }
  });
});
