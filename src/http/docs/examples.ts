import type * as z from "zod";
import type { SendAnswer, SendRequest, SessionAnswer, VerifyAnswer, VerifyRequest } from "../contract.ts";
import type { deliverAnswer, deliverBody, deliverVerifiedAnswer, deliverVerifiedBody } from "../deliver.ts";
import type { outcomesAnswer, outcomesBody } from "../outcomes.ts";

interface Example<Value> {
  summary: string;
  value: Value;
}
type Examples<Value> = Record<string, Example<Value>>;

const SESSION = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..Qm9vdA.c2VhbGVk.dGFn";
const CORRELATION_ID = "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11";
const CLIENT = { ip: "192.0.2.1", country: "IN", asn: 64_500 };

export const SEND_REQUESTS: Examples<SendRequest> = {
  browser: {
    summary: "From a browser or an app",
    value: {
      phone: "+919876543210",
      flow: "signup",
      captcha_token: "XXXX.DUMMY.TOKEN.XXXX",
      locale: "en-IN",
    },
  },
  transfer: {
    summary: "Bound to one transfer, with a national number",
    value: {
      phone: "98765 43210",
      region: "IN",
      flow: "payment",
      reference: "transfer-17",
      captcha_token: "XXXX.DUMMY.TOKEN.XXXX",
    },
  },
  server: {
    summary: "From a server, for its user",
    value: { phone: "+919876543210", flow: "login", user_id: "u_3f9c", client: CLIENT },
  },
  resend: {
    summary: "The same code once more",
    value: { session: SESSION, channel: "sms" },
  },
};

export const SEND_ANSWER: SendAnswer = {
  session: SESSION,
  correlation_id: CORRELATION_ID,
  channel: "sms",
  masked_phone: "+91••••••••10",
  code_length: 6,
  expires_in_seconds: 180,
  resend_in_seconds: 60,
  attempts_left: 5,
  next_channels: [{ channel: "sms", available_in_seconds: 60 }],
};

export const VERIFY_REQUESTS: Examples<VerifyRequest> = {
  code: { summary: "The code, as the person typed it", value: { session: SESSION, code: "123456" } },
  transfer: {
    summary: "Bound to one transfer",
    value: { session: SESSION, code: "123456", reference: "transfer-17" },
  },
  server: {
    summary: "From a server, for its user",
    value: { session: SESSION, code: "123456", client: CLIENT },
  },
};

export const VERIFY_ANSWER: VerifyAnswer = {
  status: "verified",
  device_token: "d1.c2VhbGVk.Zm9yIHRoaXMgZGV2aWNl",
  proof: "eyJhbGciOiJFUzI1NiIsImtpZCI6InByb29mLTEifQ.eyJzdWIiOiJ0ZWw6KzkxOTg3NjU0MzIxMCJ9.c2lnbmF0dXJl",
  phone: "+919876543210",
  correlation_id: CORRELATION_ID,
};

export const SESSION_ANSWER: SessionAnswer = {
  status: "pending",
  delivery: "accepted",
  correlation_id: CORRELATION_ID,
  channel: "sms",
  sends: 1,
  attempts_left: 5,
  expires_in_seconds: 120,
  resend_in_seconds: 0,
};

export const OUTCOMES_REQUESTS: Examples<z.input<typeof outcomesBody>> = {
  payment: {
    summary: "Somebody who was verified signed up and paid",
    value: {
      outcomes: [
        { type: "signup", proof_id: "5b0c2b0e-6a62-4b52-9c2c-0e7f0d6a4f11" },
        { type: "payment", proof_id: "5b0c2b0e-6a62-4b52-9c2c-0e7f0d6a4f11", value_micros: 12_500_000 },
      ],
    },
  },
};

export const OUTCOMES_ANSWER: z.infer<typeof outcomesAnswer> = { accepted: 2, repeated: 0 };

export const DELIVER_REQUESTS: Examples<z.input<typeof deliverBody>> = {
  login: {
    summary: "A code of your login system, with its user's address",
    value: { to: "+919876543210", code: "012345", ip: "192.0.2.1", flow: "login" },
  },
};

export const DELIVER_ANSWER: z.infer<typeof deliverAnswer> = {
  correlation_id: CORRELATION_ID,
  channel: "sms",
  masked_phone: "+91••••••••10",
  repeated: false,
};

export const DELIVER_VERIFIED_REQUESTS: Examples<z.input<typeof deliverVerifiedBody>> = {
  id: { summary: "By the delivery's id", value: { correlation_id: CORRELATION_ID } },
  code: {
    summary: "By what was delivered",
    value: { to: "+919876543210", code: "012345", flow: "login" },
  },
};

export const DELIVER_VERIFIED_ANSWER: z.infer<typeof deliverVerifiedAnswer> = {
  status: "verified",
  correlation_id: CORRELATION_ID,
  repeated: false,
};

export const KEY_SET = {
  keys: [
    {
      kid: "proof-1",
      kty: "EC",
      crv: "P-256",
      // The public key of RFC 7517, appendix A.1.
      x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
      y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
      alg: "ES256",
      use: "sig",
    },
  ],
};
