import { base64url, decodeProtectedHeader, EncryptJWT, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { sessionTokens } from "../../../src/adapters/identity/client-tokens.ts";
import type { RingKey } from "../../../src/config/config.ts";
import { memorySessionTokens } from "../../../src/memory/memory-session-tokens.ts";
import type { SessionClaims, SessionTokensPort } from "../../../src/ports/session.ts";
import { ringKey, tamperedWith } from "../support/support-keys.ts";

const NOW_MS = Date.UTC(2026, 6, 1, 12, 0, 0, 500);
const CLAIMS: SessionClaims = {
  sessionId: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
  correlationId: "1c8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
  flow: "signup",
  phone: "+919876543210",
  locale: "en-IN",
  source: { ip: "192.0.2.1", asn: 64500, country: "IN" },
  reference: "order-7",
  deviceId: "2d8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
  deviceNumberTags: ["number-tag"],
  failureSubjects: { number: "failure-tag", user: null },
};

const tokensOf = (ring: RingKey[], nowMs = NOW_MS) => sessionTokens(ring, () => nowMs);

/** The key that seals tokens, made as an outsider with the secret would make it. */
async function sealingKey({ secret }: RingKey): Promise<Uint8Array> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("tollgate session token");
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, material, 256));
}

/** The session tokens of every store. `open` gives them by a clock. */
function holdsClaims(open: (nowMs: () => number) => SessionTokensPort): void {
  test("a token says what went in, each time under another text", async () => {
    const tokens = open(() => NOW_MS);
    const minted = await Promise.all([tokens.mint(CLAIMS, 600), tokens.mint(CLAIMS, 600)]);
    expect(new Set(minted).size).toBe(2);
    for (const token of minted) {
      expect(await tokens.open(token)).toEqual({ ...CLAIMS, keyId: expect.any(String) });
    }
  });

  test("a token lives as long as told and not a second longer", async () => {
    let nowMs = NOW_MS;
    const tokens = open(() => nowMs);
    const token = await tokens.mint(CLAIMS, 600);
    nowMs = NOW_MS + 599_000;
    expect(await tokens.open(token)).not.toBeNull();
    nowMs = NOW_MS + 600_000;
    expect(await tokens.open(token)).toBeNull();
  });

  test.for(["", "null", "{}", JSON.stringify(CLAIMS), "session-token", "....", "ключ", "A".repeat(4096)])(
    "a text nobody minted, like %j, opens as nothing",
    async (text) => {
      const tokens = open(() => NOW_MS);
      await tokens.mint(CLAIMS, 600);
      expect(await tokens.open(text)).toBeNull();
    },
  );
}

describe("session tokens, in the stand-in", () => {
  holdsClaims(memorySessionTokens);
});

describe("session tokens", () => {
  const ringOfAll = [ringKey("session-1")];

  holdsClaims((nowMs) => sessionTokens(ringOfAll, nowMs));

  test("say what went in, and which key sealed them", async () => {
    const tokens = tokensOf([ringKey("session-1")]);
    const ofUser = { ...CLAIMS, failureSubjects: { number: "failure-tag", user: "user-tag" } };
    const unusual = { ...CLAIMS, reference: 'ключ "7" ✓' };
    for (const claims of [CLAIMS, { ...CLAIMS, reference: null }, unusual, ofUser]) {
      expect(await tokens.open(await tokens.mint(claims, 600))).toEqual({ ...claims, keyId: "session-1" });
    }
  });

  test("are JWE `dir` with A128CBC-HS256, each sealed differently", async () => {
    const tokens = tokensOf([ringKey("session-1")]);
    const minted = await Promise.all(Array.from({ length: 20 }, () => tokens.mint(CLAIMS, 600)));
    expect(new Set(minted).size).toBe(20);
    for (const token of minted) {
      expect(decodeProtectedHeader(token)).toEqual({ alg: "dir", enc: "A128CBC-HS256", kid: "session-1" });
    }
  });

  test("show nothing of what they say, in no part", async () => {
    const token = await tokensOf([ringKey("session-1")]).mint(CLAIMS, 600);
    expect(token).not.toContain("9876543210");
    for (const part of token.split(".")) {
      const bytes = Buffer.from(part, "base64url");
      for (const fact of [CLAIMS.phone, "9876543210", CLAIMS.sessionId, "order-7"]) {
        expect(bytes.includes(fact)).toBe(false);
      }
    }
  });

  test("live as long as told and not a second longer", async () => {
    const ring = [ringKey("session-1")];
    const token = await tokensOf(ring).mint(CLAIMS, 600);
    expect(await tokensOf(ring, NOW_MS + 599_000).open(token)).not.toBeNull();
    expect(await tokensOf(ring, NOW_MS + 600_000).open(token)).toBeNull();
    expect(await tokensOf(ring, NOW_MS + 86_400_000).open(token)).toBeNull();
  });

  test("open after a rotation until their key is removed", async () => {
    const old = ringKey("session-1");
    const fresh = ringKey("session-2");
    const token = await tokensOf([old]).mint(CLAIMS, 600);
    expect(await tokensOf([fresh, old]).open(token)).toEqual({ ...CLAIMS, keyId: "session-1" });
    expect(decodeProtectedHeader(await tokensOf([fresh, old]).mint(CLAIMS, 600)).kid).toBe("session-2");
    expect(await tokensOf([fresh]).open(token)).toBeNull();
  });

  test("made by another service with a key of the same name do not open", async () => {
    const token = await tokensOf([ringKey("session-1")]).mint(CLAIMS, 600);
    expect(await tokensOf([ringKey("session-1")]).open(token)).toBeNull();
  });
});

describe("a forged session token opens as nothing", () => {
  const key = ringKey("session-1");
  const other = ringKey("session-2");
  const tokens = tokensOf([key, other]);
  const payload = {
    sid: CLAIMS.sessionId,
    cid: CLAIMS.correlationId,
    flow: "signup",
    phone: CLAIMS.phone,
    ref: null,
    did: CLAIMS.deviceId,
    nums: [],
    fail: ["failure-tag"],
  };
  const expiry = NOW_MS / 1000 + 600;

  test("changed at any position", async () => {
    const token = await tokens.mint(CLAIMS, 600);
    for (const tampered of tamperedWith(token)) expect(await tokens.open(tampered)).toBeNull();
  });

  test("cut at any position, or longer than it was", async () => {
    const token = await tokens.mint(CLAIMS, 600);
    for (let length = 0; length < token.length; length++) {
      expect(await tokens.open(token.slice(0, length))).toBeNull();
    }
    for (const tail of [".", "AAAA", ".AAAA"]) expect(await tokens.open(token + tail)).toBeNull();
  });

  test("made of the parts of two", async () => {
    const one = (await tokens.mint(CLAIMS, 600)).split(".");
    const two = (await tokens.mint({ ...CLAIMS, phone: "+919876543211" }, 600)).split(".");
    for (const i of [2, 3, 4]) {
      expect(await tokens.open(one.map((part, at) => (at === i ? two[at] : part)).join("."))).toBeNull();
    }
  });

  test("with another key named in its header", async () => {
    const [header = "", ...rest] = (await tokens.mint(CLAIMS, 600)).split(".");
    for (const change of [
      { kid: "session-2" },
      { kid: "session-3" },
      { kid: "" },
      { kid: undefined },
      { kid: 1 },
    ]) {
      const forged = { ...JSON.parse(Buffer.from(header, "base64url").toString()), ...change };
      expect(await tokens.open([base64url.encode(JSON.stringify(forged)), ...rest].join("."))).toBeNull();
    }
  });

  test("with `alg: none`, or signed where it must be sealed", async () => {
    const unsecured = new UnsecuredJWT(payload).setExpirationTime(expiry).encode();
    expect(await tokens.open(unsecured)).toBeNull();
    const none = base64url.encode(JSON.stringify({ alg: "none", enc: "A128CBC-HS256", kid: "session-1" }));
    expect(await tokens.open(`${none}.${base64url.encode(JSON.stringify(payload))}.`)).toBeNull();
    expect(
      await tokens.open(`${none}..${"A".repeat(22)}.${base64url.encode(JSON.stringify(payload))}.`),
    ).toBeNull();
    const signed = await new SignJWT(payload)
      .setProtectedHeader({ alg: "HS256", kid: "session-1" })
      .setExpirationTime(expiry)
      .sign(key.secret);
    expect(await tokens.open(signed)).toBeNull();
  });

  async function sealed(header: { alg: string; enc: string }, sealing: Uint8Array, claims: object = payload) {
    const exp = "exp" in claims ? claims.exp : expiry;
    return new EncryptJWT({ ...claims, exp } as never)
      .setProtectedHeader({ ...header, kid: "session-1" })
      .encrypt(sealing);
  }

  test("sealed with the right key by another method", async () => {
    const right = await sealingKey(key);
    expect(await tokens.open(await sealed({ alg: "dir", enc: "A128CBC-HS256" }, right))).not.toBeNull();
    expect(await tokens.open(await sealed({ alg: "dir", enc: "A256GCM" }, right))).toBeNull();
    expect(await tokens.open(await sealed({ alg: "A256KW", enc: "A128CBC-HS256" }, right))).toBeNull();
    expect(await tokens.open(await sealed({ alg: "A256GCMKW", enc: "A256GCM" }, right))).toBeNull();
  });

  test("without the number's failure tag; the list holds it, and a user's where a server named one", async () => {
    const right = await sealingKey(key);
    const opened = async (fail: unknown) =>
      (await tokens.open(await sealed({ alg: "dir", enc: "A128CBC-HS256" }, right, { ...payload, fail })))
        ?.failureSubjects;
    expect(await opened([])).toBeUndefined();
    expect(await opened(["number"])).toEqual({ number: "number", user: null });
    expect(await opened(["number", "user"])).toEqual({ number: "number", user: "user" });
  });

  test("sealed with the ring's secret itself, which digests codes", async () => {
    expect(await tokens.open(await sealed({ alg: "dir", enc: "A128CBC-HS256" }, key.secret))).toBeNull();
  });

  test("without an end, or without a claim it needs", async () => {
    const right = await sealingKey(key);
    const dir = { alg: "dir", enc: "A128CBC-HS256" };
    expect(await tokens.open(await sealed(dir, right, { ...payload, exp: undefined }))).toBeNull();
    for (const claim of Object.keys(payload)) {
      expect(await tokens.open(await sealed(dir, right, { ...payload, [claim]: undefined }))).toBeNull();
      expect(await tokens.open(await sealed(dir, right, { ...payload, [claim]: 7 }))).toBeNull();
    }
  });

  test.for([
    "",
    ".",
    "....",
    "a.b.c.d.e",
    "null",
    "{}",
    "\0",
    "ключ",
    "e30....",
    "=".repeat(100),
    "A".repeat(4096),
  ])("being %j", async (text) => {
    expect(await tokens.open(text)).toBeNull();
  });
});
