import { createLocalJWKSet, decodeProtectedHeader, importJWK, jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { es256Proofs } from "../../../src/adapters/identity/proofs.ts";
import type { ProofKey } from "../../../src/config/config.ts";
import type { ProofContent, ProofsPort } from "../../../src/ports/session.ts";
import { proofKey, tamperedWith } from "../support/support-keys.ts";

const NOW_MS = Date.UTC(2026, 6, 1, 12, 0, 0, 900);
const ISSUER = "https://verify.example.com";
const CLAIMS: ProofContent = {
  phone: "+919876543210",
  flow: "login",
  audience: "shop",
  channel: "sms",
  reference: "order-7",
  correlationId: "1c8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
};

const proofsOf = (keys: ProofKey[]) => es256Proofs(keys, { issuer: ISSUER, ttl_seconds: 300 });

/** Checks a proof as a customer's backend does, with nothing but the published keys. */
function check(proof: string, publisher: ProofsPort, atMs = NOW_MS, audience = "shop") {
  const published = JSON.parse(JSON.stringify(publisher.publicKeys()));
  return jwtVerify(proof, createLocalJWKSet(published), {
    issuer: ISSUER,
    audience,
    algorithms: ["ES256"],
    currentDate: new Date(atMs),
  });
}

describe("proofs", () => {
  test.each([
    [[NOW_MS + 900_000, undefined], "new-0", "old-1"],
    [[NOW_MS + 900_000, NOW_MS - 1, undefined], "new-0", "old-1"],
    [[NOW_MS + 900_000, NOW_MS + 1], "new-0", "old-1"],
  ])(
    "of keys that sign from %j the first is published, and signs when its time has come",
    async (froms, later, now) => {
      const keys = froms.map((from, place) => ({
        ...proofKey(`${place === 0 ? "new" : "old"}-${place}`),
        ...(from === undefined ? {} : { signs_from_ms: from }),
      }));
      const proofs = proofsOf(keys);
      expect(proofs.publicKeys().keys).toMatchObject(keys.map(({ kid }) => ({ kid })));
      expect(JSON.stringify(proofs.publicKeys())).not.toContain("signs_from_ms");
      const kidAt = async (atMs: number) => decodeProtectedHeader(await proofs.sign(CLAIMS, atMs)).kid;
      expect(await kidAt(NOW_MS)).toBe(now);
      expect(await kidAt(NOW_MS + 899_999)).toBe(now);
      expect(await kidAt(NOW_MS + 900_000)).toBe(later);
      const { protectedHeader } = await check(await proofs.sign(CLAIMS, NOW_MS), proofs);
      expect(protectedHeader.kid).toBe(now);
    },
  );

  test("verify with the published keys and say what was proven", async () => {
    const proofs = proofsOf([proofKey("proof-1")]);
    const { payload, protectedHeader } = await check(await proofs.sign(CLAIMS, NOW_MS), proofs);
    expect(protectedHeader).toEqual({ alg: "ES256", kid: "proof-1", typ: "JWT" });
    const issuedAt = Math.floor(NOW_MS / 1000);
    expect(payload).toEqual({
      iss: ISSUER,
      aud: "shop",
      sub: "tel:+919876543210",
      phone_number: "+919876543210",
      phone_number_verified: true,
      amr: ["otp", "sms"],
      flow: "login",
      ref: "order-7",
      correlation_id: CLAIMS.correlationId,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: issuedAt,
      exp: issuedAt + 300,
    });
  });

  test("name no reference where there was none, and each channel's way", async () => {
    const proofs = proofsOf([proofKey("proof-1")]);
    const without = await check(await proofs.sign({ ...CLAIMS, reference: null }, NOW_MS), proofs);
    expect(without.payload).not.toHaveProperty("ref");
    const ways = { sms: ["otp", "sms"], voice: ["otp", "tel"], whatsapp: ["otp"] };
    for (const channel of ["sms", "voice", "whatsapp"] as const) {
      const { payload } = await check(await proofs.sign({ ...CLAIMS, channel }, NOW_MS), proofs);
      expect(payload.amr).toEqual(ways[channel]);
    }
  });

  test("of the same verification differ in their id", async () => {
    const proofs = proofsOf([proofKey("proof-1")]);
    const signed = await Promise.all(Array.from({ length: 20 }, () => proofs.sign(CLAIMS, NOW_MS)));
    const ids = await Promise.all(signed.map(async (proof) => (await check(proof, proofs)).payload.jti));
    expect(new Set(ids).size).toBe(20);
  });

  test("end after five minutes, and hold for their audience only", async () => {
    const proofs = proofsOf([proofKey("proof-1")]);
    const proof = await proofs.sign(CLAIMS, NOW_MS);
    await check(proof, proofs, NOW_MS + 299_000);
    await expect(check(proof, proofs, NOW_MS + 300_000)).rejects.toThrow(/exp/);
    await expect(check(proof, proofs, NOW_MS, "another-shop")).rejects.toThrow(/aud/);
  });

  test("changed at any position do not verify", async () => {
    const proofs = proofsOf([proofKey("proof-1")]);
    const proof = await proofs.sign(CLAIMS, NOW_MS);
    for (const tampered of tamperedWith(proof)) await expect(check(tampered, proofs)).rejects.toThrow();
  });

  test("signed by somebody else with a key of the same name do not verify", async () => {
    const proofs = proofsOf([proofKey("proof-1")]);
    const forged = await proofsOf([proofKey("proof-1")]).sign(CLAIMS, NOW_MS);
    await expect(check(forged, proofs)).rejects.toThrow();
    const [published] = JSON.parse(JSON.stringify(proofs.publicKeys())).keys;
    const withPublicKey = await new SignJWT({ phone_number: CLAIMS.phone })
      .setProtectedHeader({ alg: "HS256", kid: "proof-1" })
      .sign(new TextEncoder().encode(JSON.stringify(published)));
    await expect(check(withPublicKey, proofs)).rejects.toThrow();
  });
});

describe("the keys of proofs", () => {
  test("rotate with an overlap in which old and new proofs verify", async () => {
    const [old, fresh] = [proofKey("proof-1"), proofKey("proof-2")];
    const before = proofsOf([old]);
    const during = proofsOf([fresh, old]);
    const after = proofsOf([fresh]);
    const oldProof = await before.sign(CLAIMS, NOW_MS);
    const newProof = await during.sign(CLAIMS, NOW_MS);
    expect(decodeProtectedHeader(newProof).kid).toBe("proof-2");
    await check(oldProof, during);
    await check(newProof, during);
    await check(newProof, after);
    await expect(check(oldProof, after)).rejects.toThrow();
  });

  test("can be published before one signs, so that caches know it in time", async () => {
    const [old, fresh] = [proofKey("proof-1"), proofKey("proof-2")];
    const announced = proofsOf([old, fresh]);
    expect(decodeProtectedHeader(await announced.sign(CLAIMS, NOW_MS)).kid).toBe("proof-1");
    await check(await proofsOf([fresh, old]).sign(CLAIMS, NOW_MS), announced);
  });

  test("are published without their private half, whatever else the setting holds", async () => {
    const keys = [proofKey("proof-1"), proofKey("proof-2")].map((key) => ({
      ...key,
      key_ops: ["sign"],
      p: "secret",
    }));
    const published = proofsOf(keys).publicKeys();
    expect(published.keys).toEqual(
      keys.map(({ kid, x, y }) => ({ kid, kty: "EC", crv: "P-256", x, y, alg: "ES256", use: "sig" })),
    );
    for (const { d } of keys) expect(JSON.stringify(published)).not.toContain(d);
    for (const key of published.keys) expect(await importJWK(key, "ES256")).toMatchObject({ type: "public" });
  });
});
