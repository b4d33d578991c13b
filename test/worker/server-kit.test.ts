import { env, exports } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { API_KEY_RECORD_PREFIX, hashApiKeySecret } from "../../src/adapters/cloudflare/kv-api-keys.ts";
import { createServerClient, verifyProof, verifyWebhook } from "../../src/client/server.ts";
import { codeFor, wrong } from "../support/service.ts";

/** The kit as it runs in a Worker, against the service as it is deployed. */
const SERVICE = "http://localhost:8787";
const PHONE = "+919876543219";
const client = { ip: "192.0.2.77", country: "IN", asn: 64_500 };

/** Requests to the service go to it, and its own to the outside. */
const outside = globalThis.fetch;
const network: typeof fetch = (input, init) => {
  const request = new Request(input, init);
  return request.url.startsWith(SERVICE) ? exports.default.fetch(request) : outside(request);
};

beforeEach(() => void vi.stubGlobal("fetch", network));
afterEach(() => void vi.unstubAllGlobals());

async function serverClient() {
  const [id, secret] = ["serverkittst", "s".repeat(43)];
  const record = {
    name: "shop-backend",
    hash: await hashApiKeySecret(secret),
    flows: ["payment"],
    skip_captcha: true,
    max_per_minute: 60,
    created_at_ms: Date.now(),
    expires_at_ms: null,
  };
  await env.CONTROL.put(API_KEY_RECORD_PREFIX + id, JSON.stringify(record));
  return createServerClient({ baseUrl: SERVICE, apiKey: `tg_${id}_${secret}` });
}

test("a backend takes its user the whole way, and accepts the proof for this transfer alone", async () => {
  const tollgate = await serverClient();
  const reference = "transfer-17";
  const sent = await tollgate.send({ phone: PHONE, flow: "payment", reference, client });
  if (!sent.ok) throw new Error(sent.code);
  expect(sent.answer.masked_phone).toBe("+91••••••••19");
  const { session } = sent.answer;

  const early = await tollgate.resend({ session, client });
  expect(early).toMatchObject({ ok: false, code: "too_many_requests" });
  expect(await tollgate.status(session)).toMatchObject({ ok: true, answer: { status: "pending", sends: 1 } });

  const code = await codeFor(PHONE);
  const mistyped = await tollgate.verify({ session, code: wrong(code), reference, client });
  expect(mistyped).toMatchObject({ ok: false, code: "code_incorrect", problem: { attempts_left: 4 } });
  const verified = await tollgate.verify({ session, code, reference, client });
  if (!verified.ok) throw new Error(verified.code);

  const expected = { issuer: SERVICE, audience: "tollgate-development", flow: "payment" };
  const { proof } = verified.answer;
  expect(await verifyProof(proof, { ...expected, reference })).toMatchObject({
    ok: true,
    claims: { phone_number: PHONE, ref: reference, correlation_id: verified.answer.correlation_id },
  });
  expect(await verifyProof(proof, expected)).toEqual({ ok: false, reason: "wrong_reference" });
});

test("a key that is not good is told so", async () => {
  const stranger = createServerClient({ baseUrl: SERVICE, apiKey: "tg_nobody_nothing" });
  expect(await stranger.send({ phone: PHONE, client })).toMatchObject({
    ok: false,
    code: "unauthorized",
    problem: { status: 401 },
  });
});

test("a webhook is checked here too", async () => {
  const secret = `whsec_${btoa("0123456789abcdef01234567")}`;
  const body = '{"type":"incident.opened"}';
  const at = new Date();
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", at, body),
  };
  const delivery = () => new Request("https://shop.example/hook", { method: "POST", headers, body });
  expect(await verifyWebhook(delivery(), secret)).toMatchObject({
    ok: true,
    payload: { type: "incident.opened" },
  });
  const other = `whsec_${btoa("76543210fedcba9876543210")}`;
  expect(await verifyWebhook(delivery(), other)).toEqual({ ok: false, reason: "bad_signature" });
});
