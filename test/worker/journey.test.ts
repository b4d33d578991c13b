import { exports } from "cloudflare:workers";
import { createLocalJWKSet, jwtVerify } from "jose";
import { expect, test } from "vitest";
import { inbox } from "../support/outside-control.ts";
import { codeFor, makeService } from "../support/service.ts";

const PHONE = "+919876543210";

test("a person asks for a code, types it in and is verified with a proof that checks offline", async () => {
  const service = makeService();
  const sent = await service.send({ phone: PHONE, flow: "signup", reference: "order-7" });
  expect(sent.status).toBe(202);
  expect(sent.body).toMatchObject({
    channel: "sms",
    masked_phone: "+91••••••••10",
    code_length: 6,
    expires_in_seconds: 180,
    resend_in_seconds: 60,
    attempts_left: 5,
    next_channels: [{ channel: "sms", available_in_seconds: 60 }],
  });
  const code = await codeFor(PHONE);
  expect(code).toMatch(/^\d{6}$/);

  const verified = await service.verify({ session: sent.body.session, code, reference: "order-7" });
  expect(verified.status).toBe(200);
  expect(verified.body).toMatchObject({
    status: "verified",
    phone: PHONE,
    correlation_id: sent.body.correlation_id,
  });

  const jwks = await service.call("GET", "/.well-known/jwks.json");
  expect(JSON.stringify(jwks.body)).not.toContain('"d"');
  const { payload, protectedHeader } = await jwtVerify(verified.body.proof, createLocalJWKSet(jwks.body), {
    issuer: "http://localhost:8787",
    audience: "tollgate-development",
  });
  expect(protectedHeader).toMatchObject({ alg: "ES256", kid: "proof-1" });
  expect(payload).toMatchObject({
    sub: `tel:${PHONE}`,
    phone_number: PHONE,
    phone_number_verified: true,
    amr: ["otp", "sms"],
    flow: "signup",
    ref: "order-7",
    correlation_id: sent.body.correlation_id,
    jti: expect.any(String),
  });
  expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
  expect(await inbox(PHONE)).toHaveLength(1);
});

test("the deployed entry answers health", async () => {
  const response = await exports.default.fetch("http://localhost/healthz");
  expect(await response.json()).toEqual({ status: "ok", environment: "development" });
});
