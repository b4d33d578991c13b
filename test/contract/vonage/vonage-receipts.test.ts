import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { verifySignature } from "@vonage/jwt";
import { build } from "esbuild";
import fc from "fast-check";
import { SignJWT } from "jose";
import { Miniflare } from "miniflare";
import { describe, expect, test } from "vitest";
import { vonageCallJudgement } from "../../../src/adapters/vonage/vonage-codes.ts";
import {
  type SmsSignatureMethod,
  smsSignatureFault,
  tokenFault,
} from "../../../src/adapters/vonage/vonage-signature.ts";
import type { IncomingHook, Receipt } from "../../../src/ports/delivery.ts";
import { contractFile } from "../../support/contracts.ts";
import { hookOf } from "../twilio/support-twilio.ts";
import { NOW_MS, VONAGE, vonageAt } from "./support-vonage.ts";

interface SmsVector {
  method: SmsSignatureMethod;
  secret: string;
  params: Record<string, string>;
  sig: string;
}
interface Vectors {
  jwt_signed_webhooks: Record<"valid" | "invalid", { secret: string; token: string }[]>;
  sms_sig_parameter: { valid: SmsVector[] };
}

const file = contractFile("vonage/webhook_signature_vectors.json");
const vectors: Vectors =
  file === null
    ? { jwt_signed_webhooks: { valid: [], invalid: [] }, sms_sig_parameter: { valid: [] } }
    : JSON.parse(readFileSync(file, "utf8"));

const OUR_URL = "https://verify.example.com/v1/receipts/vonage";
const [FIRST, SECOND, STRANGER] = VONAGE.signatureSecrets.map(({ secret }) => secret);
const provider = vonageAt("https://api.nexmo.com");
const read = (hook: IncomingHook, nowMs = NOW_MS) => provider.readReceipt?.(hook, nowMs);

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

interface Signing {
  claims?: Record<string, unknown>;
  secret?: string | undefined;
  atMs?: number;
}

/** A webhook signed as Vonage signs. */
async function signed(body: string, { claims = {}, secret = FIRST, atMs = NOW_MS }: Signing = {}) {
  const token = await new SignJWT({
    payload_hash: sha256(body),
    api_key: VONAGE.apiKey,
    iss: "Vonage",
    jti: "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
    iat: Math.floor(atMs / 1000),
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(secret));
  return hookOf(OUR_URL, body, { authorization: `Bearer ${token}` });
}

const STATUS = {
  message_uuid: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
  to: "447700900000",
  from: "447700900001",
  timestamp: "2026-03-01T11:59:58Z",
  status: "delivered",
  channel: "sms",
  usage: { currency: "EUR", price: "0.0333" },
};

describe.skipIf(file === null)("Vonage's published tokens", () => {
  const { valid, invalid } = vectors.jwt_signed_webhooks;
  test.each(valid)(
    "with a right signature fall short by their claims only: $token",
    async ({ secret, token }) => {
      expect(verifySignature(token, secret)).toBe(true);
      expect(await tokenFault(token, secret, NOW_MS)).toBe("token too old or with wrong claims");
    },
  );
  test.each(invalid)("with a wrong signature are told: $token", async ({ secret, token }) => {
    expect(verifySignature(token, secret)).toBe(false);
    expect(await tokenFault(token, secret, NOW_MS)).toBe("token signature wrong");
  });
});

describe("Vonage's signed webhooks", () => {
  test("a token of ours passes the vendor's check and ours", async () => {
    const hook = await signed(JSON.stringify(STATUS));
    const token = hook.headers.get("authorization")?.slice(7) ?? "";
    expect(verifySignature(token, FIRST ?? "")).toBe(true);
    expect(await read(hook)).toEqual({
      kind: "receipts",
      receipts: [
        {
          messageId: STATUS.message_uuid,
          status: "delivered",
          errorCode: null,
          costMicros: 33_300,
          atMs: NOW_MS - 2000,
        },
      ],
    });
  });

  test("both secrets of a rotation are taken, and each account's own only", async () => {
    const body = JSON.stringify(STATUS);
    expect((await read(await signed(body, { secret: SECOND })))?.kind).toBe("receipts");
    expect(await read(await signed(body, { secret: STRANGER }))).toMatchObject({
      cause: "token signature wrong",
    });
    const theirs = { secret: STRANGER, claims: { api_key: "ffff0000" } };
    expect((await read(await signed(body, theirs)))?.kind).toBe("receipts");
    expect(await read(await signed(body, { claims: { api_key: "nobody00" } }))).toMatchObject({
      cause: "token of an unknown account",
    });
  });

  test.for<[what: string, claims: Record<string, unknown>]>([
    ["of another issuer", { iss: "vonage.example" }],
    ["without an issuer", { iss: undefined }],
    ["of another body", { payload_hash: sha256("another") }],
    ["without a hash", { payload_hash: undefined }],
    ["with a hash that is none", { payload_hash: 7 }],
    ["without a time", { iat: undefined }],
    ["of yesterday", { iat: NOW_MS / 1000 - 86_400 }],
    ["of two hours ago", { iat: NOW_MS / 1000 - 7200 }],
    ["of tomorrow", { iat: NOW_MS / 1000 + 86_400 }],
    ["that is over", { exp: NOW_MS / 1000 - 3600 }],
    ["without an account", { api_key: undefined }],
  ])("a token %s is forged", async ([, claims]) => {
    expect((await read(await signed(JSON.stringify(STATUS), { claims })))?.kind).toBe("forged");
  });

  test("a token with no algorithm, of another one, or none at all is forged", async () => {
    const body = JSON.stringify(STATUS);
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { payload_hash: sha256(body), api_key: VONAGE.apiKey, iss: "Vonage", iat: NOW_MS / 1000 };
    const other = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS512" })
      .sign(new TextEncoder().encode(FIRST));
    for (const token of [`${part({ alg: "none" })}.${part(claims)}.`, other, "", "asdf", "a.b.c"]) {
      expect((await read(hookOf(OUR_URL, body, { authorization: `Bearer ${token}` })))?.kind).toBe("forged");
    }
    expect((await read(hookOf(OUR_URL, body, {})))?.kind).toBe("forged");
  });

  test("any change of token or body is noticed", async () => {
    const body = JSON.stringify(STATUS);
    const hook = await signed(body);
    const token = hook.headers.get("authorization") ?? "";
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), async (at, inBody) => {
        const text = inBody ? body : token.slice(7);
        // The last character of a token has bits that say nothing.
        const index = at % (text.length - 1);
        const other = text[index] === "A" ? "B" : "A";
        const changed = text.slice(0, index) + other + text.slice(index + 1);
        const mutated = inBody
          ? hookOf(OUR_URL, changed, { authorization: token })
          : hookOf(OUR_URL, body, { authorization: `Bearer ${changed}` });
        expect((await read(mutated))?.kind).toBe("forged");
      }),
      { numRuns: 300 },
    );
  });

  test.for<[status: string, result: Receipt["status"] | null]>([
    ["submitted", "sent"],
    ["delivered", "delivered"],
    ["read", "delivered"],
    ["rejected", "undelivered"],
    ["undeliverable", "undelivered"],
    ["a state of next year", null],
    ["constructor", null],
  ])("a message that is %s is %s", async ([status, result]) => {
    const error = { type: "https://developer.vonage.com/api-errors/messages#1260", title: "447700900000" };
    const reading = await read(await signed(JSON.stringify({ ...STATUS, status, error })));
    expect(reading).toMatchObject(
      result === null
        ? { kind: "ignored" }
        : { kind: "receipts", receipts: [{ status: result, errorCode: "1260" }] },
    );
  });

  test.for<[status: string, result: Receipt["status"] | null]>([
    ["started", null],
    ["ringing", null],
    ["answered", "sent"],
    ["completed", "delivered"],
    ["busy", "undelivered"],
    ["cancelled", "undelivered"],
    ["failed", "undelivered"],
    ["rejected", "undelivered"],
    ["timeout", "undelivered"],
    ["unanswered", "undelivered"],
  ])("a call that is %s is %s", async ([status, result]) => {
    const event = { uuid: "63f61863", status, timestamp: "2026-03-01T11:59:58.000Z", price: "0.00450000" };
    const errorCode = result === "undelivered" ? status : null;
    expect(await read(await signed(JSON.stringify(event)))).toEqual(
      result === null
        ? { kind: "ignored" }
        : {
            kind: "receipts",
            receipts: [
              {
                messageId: "63f61863",
                status: result,
                errorCode,
                costMicros: 4500,
                atMs: NOW_MS - 2000,
                judgement: errorCode === null ? undefined : vonageCallJudgement(errorCode),
              },
            ],
          },
    );
  });

  test.for([
    { code: 1240, judgement: "opted_out" },
    { code: 1180, judgement: "transient" },
    { code: 1473, judgement: "fraud" },
    { code: 1050, judgement: "not_this_number" },
    { code: 1210, judgement: "not_this_route" },
    { code: 9999, judgement: "not_this_route" },
  ])("an undelivered message's error $code is $judgement", async ({ code, judgement }) => {
    const error = { type: `https://developer.vonage.com/api-errors/messages#${code}`, title: "No" };
    const body = JSON.stringify({ ...STATUS, status: "rejected", error, client_ref: "c-1" });
    expect(await read(await signed(body))).toMatchObject({ receipts: [{ judgement, reference: "c-1" }] });
  });

  test("a price in another currency than the table's is not taken", async () => {
    const dollars = vonageAt("https://api.nexmo.com", { currency: "USD" });
    expect(await dollars.readReceipt?.(await signed(JSON.stringify(STATUS)), NOW_MS)).toMatchObject({
      receipts: [{ costMicros: null }],
    });
  });

  test("fields of wrong types are left out or make it nothing to us, and nothing throws", async () => {
    const odd = { ...STATUS, timestamp: 7, error: [], usage: "free" };
    expect(await read(await signed(JSON.stringify(odd)))).toMatchObject({
      receipts: [{ status: "delivered", errorCode: null, costMicros: null, atMs: null }],
    });
    expect(await read(await signed("no json"))).toMatchObject({ kind: "forged" });
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        expect(await read(await signed(body))).toEqual({ kind: "ignored" });
      }),
    );
  });

  test("a receipt of 1 MB is refused unread, however well it is signed", async () => {
    const body = JSON.stringify({ ...STATUS, client_ref: "x".repeat(1_000_000) });
    expect(await read(await signed(body))).toEqual({ kind: "forged", cause: "too long" });
  });
});

describe("Vonage's signed SMS receipts", () => {
  const RECEIPT = {
    msisdn: "447700900000",
    to: "Example",
    "network-code": "12345",
    messageId: "0A0000001234567B",
    price: "0.03330000",
    status: "delivered",
    scts: "2603011159",
    "err-code": "0",
    "api-key": VONAGE.apiKey,
    "message-timestamp": "2026-03-01 11:59:58",
    timestamp: String(NOW_MS / 1000),
    nonce: "with & and =",
  };

  /** By the published rule, with Node's own HMAC. */
  function sign(params: Record<string, string>, secret = FIRST ?? "") {
    const text = Object.keys(params)
      .sort()
      .map((name) => `&${name}=${params[name]?.replace(/[&=]/g, "_")}`)
      .join("");
    return { ...params, sig: createHmac("sha256", secret).update(text).digest("hex").toUpperCase() };
  }

  const FORMS: [name: string, (params: Record<string, string>) => IncomingHook][] = [
    ["JSON", (params) => hookOf(OUR_URL, JSON.stringify(params), {})],
    ["a form", (params) => hookOf(OUR_URL, new URLSearchParams(params), {})],
    ["a query", (params) => hookOf(`${OUR_URL}?${new URLSearchParams(params)}`, "", {}, "GET")],
  ];

  test.for(FORMS)("are read as %s", async ([, form]) => {
    expect(await read(form(sign(RECEIPT)))).toEqual({
      kind: "receipts",
      receipts: [
        {
          messageId: RECEIPT.messageId,
          status: "delivered",
          errorCode: null,
          costMicros: 33_300,
          atMs: NOW_MS - 2000,
        },
      ],
    });
    expect((await read(form({ ...sign(RECEIPT), status: "failed" })))?.kind).toBe("forged");
    expect((await read(form({ ...sign(RECEIPT), extra: "1" })))?.kind).toBe("forged");
    expect((await read(form(RECEIPT)))?.kind).toBe("forged");
    expect((await read(form({})))?.kind).toBe("forged");
  });

  test.for<[status: string, result: Receipt["status"] | null]>([
    ["accepted", "sent"],
    ["buffered", "sent"],
    ["delivered", "delivered"],
    ["expired", "undelivered"],
    ["failed", "undelivered"],
    ["rejected", "undelivered"],
    ["unknown", null],
    ["toString", null],
  ])("%s is %s", async ([status, result]) => {
    const hook = hookOf(OUR_URL, JSON.stringify(sign({ ...RECEIPT, status, "err-code": "6" })), {});
    expect(await read(hook)).toMatchObject(
      result === null ? { kind: "ignored" } : { receipts: [{ status: result, errorCode: "6" }] },
    );
  });

  test("both secrets of a rotation are taken, a stranger's is not", async () => {
    const by = (secret: string | undefined) =>
      read(hookOf(OUR_URL, JSON.stringify(sign(RECEIPT, secret)), {}));
    expect((await by(SECOND))?.kind).toBe("receipts");
    expect((await by(STRANGER))?.kind).toBe("forged");
  });

  test.for(["1", String(NOW_MS / 1000 - 86_400), String(NOW_MS / 1000 + 3600), "", "never"])(
    "one signed at %j is too old or too young",
    async (timestamp) => {
      const hook = hookOf(OUR_URL, JSON.stringify(sign({ ...RECEIPT, timestamp })), {});
      expect(await read(hook)).toEqual({ kind: "forged", cause: "signature too old" });
    },
  );

  test("values that are no text make nothing throw", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (body) => {
        expect((await read(hookOf(OUR_URL, body, {})))?.kind).toBe("forged");
      }),
    );
  });
});

describe.skipIf(file === null)("Vonage's published SMS signatures", () => {
  const { valid } = vectors.sms_sig_parameter;
  const signedAtMs = ({ params }: SmsVector) => Number(params.timestamp) * 1000;
  const check = (vector: SmsVector, sig = vector.sig) =>
    smsSignatureFault(
      { ...vector.params, sig },
      [{ apiKey: "abcd1234", secret: vector.secret }],
      vector.method,
      signedAtMs(vector),
    );

  test.each(valid.filter(({ method }) => !method.startsWith("md5")))(
    "are accepted: $method",
    async (vector) => {
      expect(await check(vector)).toBeNull();
      expect(await check(vector, `0${vector.sig.slice(1)}`)).toBe("signature wrong");
    },
  );

  test("are accepted inside workerd, MD5 with the others", async () => {
    const entry = fileURLToPath(new URL("../../../src/adapters/vonage/vonage-signature.ts", import.meta.url));
    const { outputFiles } = await build({
      stdin: {
        contents: `import { smsSignatureFault } from ${JSON.stringify(entry)};
          export default { async fetch(request) {
            return Response.json(await smsSignatureFault(...(await request.json())));
          } };`,
        resolveDir: fileURLToPath(new URL("../../..", import.meta.url)),
      },
      bundle: true,
      write: false,
      format: "esm",
    });
    const runtime = new Miniflare({
      modules: true,
      compatibilityDate: "2026-07-01",
      script: outputFiles[0]?.text ?? "",
    });
    try {
      for (const vector of valid) {
        const ask = async (sig: string): Promise<unknown> => {
          const secrets = [{ apiKey: "abcd1234", secret: vector.secret }];
          const body = JSON.stringify([
            { ...vector.params, sig },
            secrets,
            vector.method,
            signedAtMs(vector),
          ]);
          return (await runtime.dispatchFetch("http://localhost/", { method: "POST", body })).json();
        };
        expect(await ask(vector.sig)).toBeNull();
        expect(await ask(createHash("md5").update(vector.sig).digest("hex"))).toBe("signature wrong");
      }
      expect(valid.map(({ method }) => method)).toEqual(expect.arrayContaining(["md5hash", "md5"]));
    } finally {
      await runtime.dispose();
    }
  });
});
