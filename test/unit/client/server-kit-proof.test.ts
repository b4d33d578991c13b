import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { importJWK, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { es256Proofs } from "../../../src/adapters/identity/proofs.ts";
import { type ProofExpectation, verifyProof } from "../../../src/client/server.ts";
import type { ProofKey } from "../../../src/config/config.ts";
import { proofKey } from "../../contract/support/support-keys.ts";

const ISSUER = "https://verify.example.com";
const AUDIENCE = "shop";
const REFERENCE = "transfer-17";
const PROVEN = {
  phone: "+919876543210",
  flow: "payment",
  audience: AUDIENCE,
  channel: "sms",
  reference: REFERENCE,
  correlationId: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
} as const;

/** What the issuer publishes at the moment; null: it is down. */
let published: { keys: object[] } | null;
let reads: number;
let server: Server;
let jwksUrl: string;
let key: ProofKey;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  key = proofKey("proof-1");
  published = publicKeys(key);
  reads = 0;
  server = createServer((_, response) => {
    reads += 1;
    response.statusCode = published === null ? 503 : 200;
    response.end(JSON.stringify(published));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
});

afterEach(async () => {
  vi.useRealTimers();
  await new Promise((resolve) => server.close(resolve));
});

const publicKeys = (...keys: ProofKey[]) =>
  JSON.parse(JSON.stringify(es256Proofs(keys, { issuer: ISSUER, ttl_seconds: 300 }).publicKeys()));
const proof = (over: Partial<typeof PROVEN | { reference: null }> = {}, by = key) =>
  es256Proofs([by], { issuer: ISSUER, ttl_seconds: 300 }).sign({ ...PROVEN, ...over }, Date.now());
const check = (token: unknown, over: Partial<ProofExpectation> = {}) =>
  verifyProof(token, { issuer: ISSUER, audience: AUDIENCE, reference: REFERENCE, jwksUrl, ...over });
const refused = (reason: string) => ({ ok: false, reason });
const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

/** The claims of a good proof, changed, and signed with the issuer's own key. */
async function signed(over: object): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: `tel:${PROVEN.phone}`,
    phone_number: PROVEN.phone,
    phone_number_verified: true,
    amr: ["otp", "sms"],
    flow: PROVEN.flow,
    ref: REFERENCE,
    correlation_id: PROVEN.correlationId,
    jti: crypto.randomUUID(),
    iat: issuedAt,
    exp: issuedAt + 300,
  };
  return new SignJWT({ ...claims, ...over })
    .setProtectedHeader({ alg: "ES256", kid: key.kid })
    .sign(await importJWK({ ...key, alg: "ES256" }));
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a proof", () => {
  test("of the service is accepted, with what it says", async () => {
    expect(await check(await proof(), { flow: "payment" })).toEqual({
      ok: true,
      claims: {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: `tel:${PROVEN.phone}`,
        phone_number: PROVEN.phone,
        phone_number_verified: true,
        amr: ["otp", "sms"],
        flow: "payment",
        ref: REFERENCE,
        correlation_id: PROVEN.correlationId,
        jti: expect.any(String),
        iat: expect.any(Number),
        exp: expect.any(Number),
      },
    });
  });

  test("is looked up at the issuer's well-known place, where nothing else is said", async () => {
    const issuer = new URL(jwksUrl).origin;
    const paths: string[] = [];
    server.prependListener("request", ({ url }: { url: string }) => paths.push(url));
    const own = es256Proofs([key], { issuer: `${issuer}/`, ttl_seconds: 300 });
    const token = await own.sign(PROVEN, Date.now());
    const expected = { issuer: `${issuer}/`, audience: AUDIENCE, reference: REFERENCE };
    expect(await verifyProof(token, expected)).toMatchObject({ ok: true });
    expect(paths).toEqual(["/.well-known/jwks.json"]);
  });

  test("ends when it says", async () => {
    const token = await proof();
    later(299);
    expect(await check(token)).toMatchObject({ ok: true });
    later(1);
    expect(await check(token)).toEqual(refused("expired"));
  });

  test("for somebody else, of somebody else, or of another flow is refused", async () => {
    expect(await check(await proof(), { audience: "another-shop" })).toEqual(refused("wrong_audience"));
    expect(await check(await proof(), { issuer: "https://verify.example.org" })).toEqual(
      refused("wrong_issuer"),
    );
    expect(await check(await proof(), { flow: "login" })).toEqual(refused("wrong_flow"));
  });

  test("is good for the action it was asked for and for no other", async () => {
    expect(await check(await proof(), { reference: "transfer-18" })).toEqual(refused("wrong_reference"));
    expect(await check(await proof(), { reference: undefined })).toEqual(refused("wrong_reference"));
    expect(await check(await proof({ reference: null }))).toEqual(refused("wrong_reference"));
    expect(await check(await proof({ reference: null }), { reference: undefined })).toMatchObject({
      ok: true,
    });
  });

  test("that does not say the number was proven is refused", async () => {
    expect(await check(await signed({ phone_number_verified: false }))).toEqual(refused("not_verified"));
    expect(await check(await signed({ phone_number_verified: "true" }))).toEqual(refused("not_verified"));
  });

  test.each([
    ["no text", 17],
    ["nothing", undefined],
    ["an empty text", ""],
    ["three words", "a.b.c"],
    ["a header that is no object", `${Buffer.from("7").toString("base64url")}.e30.c2ln`],
  ])("that is %s is malformed", async (_, token) => {
    expect(await check(token)).toEqual(refused("malformed"));
  });

  test.each([
    ["another subject", { sub: "tel:+15550100" }],
    ["no id", { jti: undefined }],
    ["an empty id", { jti: "" }],
    ["no end", { exp: undefined }],
    ["no beginning", { iat: undefined }],
    ["a reference that is no text", { ref: 17 }],
    ["no methods", { amr: undefined }],
  ])("signed by the service but with %s is malformed", async (_, over) => {
    expect(await check(await signed(over))).toEqual(refused("malformed"));
  });
});

describe("a forged proof", () => {
  test("without a signature is refused, before any key is read", async () => {
    const [, payload] = (await proof()).split(".");
    for (const alg of ["none", "None", "NONE"]) {
      expect(await check(`${part({ alg, kid: key.kid })}.${payload}.`)).toEqual(refused("wrong_algorithm"));
    }
    expect(await check(`${part({ kid: key.kid })}.${payload}.`)).toEqual(refused("wrong_algorithm"));
    expect(reads).toBe(0);
  });

  test("signed with the public key as a shared secret is refused", async () => {
    const { x, y } = key;
    const der = Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    for (const secret of [der, Buffer.from(JSON.stringify(published?.keys[0])), Buffer.from(x)]) {
      const [, payload = ""] = (await proof()).split(".");
      const token = await new SignJWT(JSON.parse(Buffer.from(payload, "base64url").toString()))
        .setProtectedHeader({ alg: "HS256", kid: key.kid })
        .sign(secret);
      expect(await check(token)).toEqual(refused("wrong_algorithm"));
    }
  });

  test("signed by another key of the same name is refused", async () => {
    expect(await check(await proof({}, proofKey("proof-1")))).toEqual(refused("bad_signature"));
  });

  test("with other claims under a good signature is refused", async () => {
    const [header, payload = "", signature] = (await proof()).split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    const forged = part({ ...claims, phone_number: "+15550100", sub: "tel:+15550100" });
    expect(await check(`${header}.${forged}.${signature}`)).toEqual(refused("bad_signature"));
  });

  test("that brings its own key along is checked with the issuer's", async () => {
    const own = proofKey("proof-1");
    const { x, y, kty, crv } = own;
    const token = await new SignJWT({ phone_number_verified: true })
      .setProtectedHeader({
        alg: "ES256",
        kid: "proof-1",
        jwk: { x, y, kty, crv },
        jku: "https://evil.example",
      })
      .sign(await importJWK({ ...own, alg: "ES256" }));
    expect(await check(token)).toEqual(refused("bad_signature"));
  });

  test("signed by a key that the issuer does not publish is refused", async () => {
    expect(await check(await proof({}, proofKey("proof-9")))).toEqual(refused("unknown_key"));
  });

  test("with invented key names makes the keys be read once in half a minute", async () => {
    for (let i = 0; i < 20; i++) await check(await proof({}, proofKey(`proof-x${i}`)));
    expect(reads).toBe(1);
    later(31);
    for (let i = 0; i < 20; i++) await check(await proof({}, proofKey(`proof-y${i}`)));
    expect(reads).toBe(2);
  });
});

describe("the issuer's keys", () => {
  test("are read once and then kept", async () => {
    await Promise.all([check(await proof()), check(await proof()), check(await proof())]);
    await check(await proof());
    expect(reads).toBe(1);
  });

  test("that are new are found, without waiting until the old ones came of age", async () => {
    await check(await proof());
    const fresh = proofKey("proof-2");
    published = publicKeys(fresh, key);
    later(31);
    expect(await check(await proof({}, fresh))).toMatchObject({ ok: true });
    expect(await check(await proof())).toMatchObject({ ok: true });
  });

  test("that were withdrawn stop working after ten minutes", async () => {
    expect(await check(await proof())).toMatchObject({ ok: true });
    published = publicKeys(proofKey("proof-2"));
    later(601);
    expect(await check(await proof())).toEqual(refused("unknown_key"));
  });

  test("that were never read and cannot be are named as the reason, and nobody waits for them in a row", async () => {
    published = null;
    for (let i = 0; i < 10; i++) expect(await check(await proof())).toEqual(refused("keys_unavailable"));
    expect(reads).toBe(1);
    published = publicKeys(key);
    later(6);
    expect(await check(await proof())).toMatchObject({ ok: true });
  });

  test("that were read go on serving while the issuer is down; a new one does not", async () => {
    expect(await check(await proof())).toMatchObject({ ok: true });
    published = null;
    later(86_400);
    expect(await check(await proof())).toMatchObject({ ok: true });
    expect(await check(await proof({}, proofKey("proof-2")))).toEqual(refused("keys_unavailable"));
    expect(await check(await proof({}, proofKey("proof-1")))).toEqual(refused("bad_signature"));
  });

  test.each([
    ["no key set", { keys: "none" }],
    [
      "keys that are none",
      { keys: [{ kty: "EC", crv: "P-256", kid: "proof-1", alg: "ES256", x: "AA", y: "AA" }] },
    ],
  ])("in an answer with %s are unavailable", async (_, answer) => {
    published = answer as { keys: object[] };
    expect(await check(await proof())).toEqual(refused("keys_unavailable"));
  });
});

describe("the replay guard", () => {
  test("accepts each proof once, and is told how long to remember it", async () => {
    const seen = new Map<string, Date>();
    const once = async (jti: string, expiresAt: Date) => !seen.has(jti) && Boolean(seen.set(jti, expiresAt));
    const token = await proof();
    const first = await check(token, { once });
    expect(first.ok && seen.get(first.claims.jti)?.getTime()).toBe(first.ok && first.claims.exp * 1000);
    expect(await check(token, { once })).toEqual(refused("replayed"));
    expect(await check(await proof(), { once })).toMatchObject({ ok: true });
  });

  test("is not asked about a proof that is refused anyway, so that a refusal uses nothing up", async () => {
    const once = vi.fn(async () => true);
    await check(await proof(), { once, reference: "transfer-18" });
    await check(await proof({}, proofKey("proof-1")), { once });
    expect(once).not.toHaveBeenCalled();
  });

  test("that fails accepts nothing", async () => {
    const once = () => Promise.reject(new Error("the store is down"));
    await expect(check(await proof(), { once })).rejects.toThrow("the store is down");
  });
});
