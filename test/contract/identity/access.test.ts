import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mintOperatorToken } from "../../../scripts/ops/token.ts";
import { sha256Hex } from "../../../src/adapters/digest.ts";
import { operatorIdentities } from "../../../src/adapters/identity/cloudflare-access.ts";
import { parseOperatorTokens } from "../../../src/domain/access/operator.ts";

const TEAM = "example.cloudflareaccess.com";
const ISSUER = `https://${TEAM}`;
const AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";

type Key = Awaited<ReturnType<typeof generateKeyPair>>;
let key: Key;
let otherKey: Key;
let ecKey: Key;
let asked: string[] = [];
let certs: () => Promise<Response>;
let nowMs = Date.now();

beforeAll(async () => {
  [key, otherKey] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
  ecKey = await generateKeyPair("ES256");
});

beforeEach(() => {
  nowMs = Date.now();
  asked = [];
  certs = async () =>
    Response.json({ keys: [{ ...(await exportJWK(key.publicKey)), kid: "k1", alg: "RS256", use: "sig" }] });
});

const fetchKeys: typeof fetch = (input) => {
  asked.push(String(input));
  return certs();
};

const access = { teamDomain: TEAM, audience: AUDIENCE, operators: ["Ada@Example.com"] };
const open = () => operatorIdentities({ tokens: [], access }, () => nowMs, fetchKeys);

async function assertion(
  claims: Record<string, unknown> = {},
  { signer = key, alg = "RS256", kid = "k1" } = {},
): Promise<Headers> {
  const issuedAt = Math.floor(nowMs / 1000);
  const token = await new SignJWT({
    aud: [AUDIENCE],
    email: "ada@example.com",
    iss: ISSUER,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + 60,
    type: "app",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    ...claims,
  })
    .setProtectedHeader({ alg, kid, typ: "JWT" })
    .sign(signer.privateKey);
  return shown(token);
}

const shown = (token: string) => new Headers({ "cf-access-jwt-assertion": token });
const bearer = (token: string) => new Headers({ authorization: `Bearer ${token}` });

describe("Cloudflare Access", () => {
  test("an address that may act is an operator, every other one a viewer", async () => {
    const port = open();
    expect(await port.identify(await assertion())).toEqual({
      kind: "operator",
      who: "ada@example.com",
      role: "operator",
    });
    expect(await port.identify(await assertion({ email: "Eve@example.com" }))).toEqual({
      kind: "operator",
      who: "eve@example.com",
      role: "viewer",
    });
    expect(asked).toEqual([`${ISSUER}/cdn-cgi/access/certs`]);
  });

  test("a service token has no address and may only look", async () => {
    const service = await assertion({ email: undefined, sub: "", common_name: "ada@example.com" });
    expect(await open().identify(service)).toMatchObject({ role: "viewer", who: "ada@example.com" });
    expect(await open().identify(await assertion({ email: undefined }))).toMatchObject({ kind: "refused" });
  });

  test.each<[string, () => Promise<Headers>]>([
    ["expired", () => assertion({ exp: Math.floor(nowMs / 1000) - 61 })],
    ["without an end", () => assertion({ exp: undefined })],
    ["not yet good", () => assertion({ nbf: Math.floor(nowMs / 1000) + 120 })],
    ["for another audience", () => assertion({ aud: ["another"] })],
    ["of another team", () => assertion({ iss: "https://evil.cloudflareaccess.com" })],
    ["signed by another key under a known name", () => assertion({}, { signer: otherKey })],
    ["of a key nobody knows", () => assertion({}, { signer: otherKey, kid: "k2" })],
    ["of another algorithm", () => assertion({}, { signer: ecKey, alg: "ES256" })],
    [
      "without a signature",
      async () =>
        shown(
          new UnsecuredJWT({ email: "ada@example.com" })
            .setIssuer(ISSUER)
            .setAudience(AUDIENCE)
            .setExpirationTime("1h")
            .encode(),
        ),
    ],
    ["no token at all", async () => shown("hello")],
    ["empty", async () => shown("")],
  ])("an assertion that is %s is refused, and its text stays out of the cause", async (_, made) => {
    const headers = await made();
    const found = await open().identify(headers);
    expect(found.kind).toBe("refused");
    const text = headers.get("cf-access-jwt-assertion") ?? "";
    if (text.length > 20) expect(JSON.stringify(found)).not.toContain(text.slice(-20));
  });

  test("the public key is no HMAC secret", async () => {
    const { n = "" } = await exportJWK(key.publicKey);
    const token = await new SignJWT({ email: "ada@example.com" })
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(n));
    expect((await open().identify(shown(token))).kind).toBe("refused");
  });

  test.each<[string, () => Promise<Response>]>([
    ["down", () => Promise.reject(new TypeError("fetch failed"))],
    ["broken", async () => new Response("oops", { status: 500 })],
    ["a page", async () => new Response("<html>")],
    ["no key set", async () => Response.json({ result: [] })],
    [
      "a redirect",
      async () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
    ],
  ])("keys that are %s let nobody in, and refuse nobody for good", async (_, answer) => {
    certs = answer;
    expect((await open().identify(await assertion())).kind).toBe("unavailable");
  });

  test("after a failure the keys are asked for again in a while, not for each forged assertion", async () => {
    const good = certs;
    certs = () => Promise.reject(new TypeError("fetch failed"));
    const port = open();
    const headers = await assertion();
    for (let i = 0; i < 5; i++) expect((await port.identify(headers)).kind).toBe("unavailable");
    expect(asked).toHaveLength(1);
    certs = good;
    nowMs += 5000;
    expect((await port.identify(headers)).kind).toBe("operator");
    expect(asked).toHaveLength(2);
  });

  test("assertions under names nobody knows do not make a request each", async () => {
    const port = open();
    expect((await port.identify(await assertion())).kind).toBe("operator");
    for (let i = 0; i < 5; i++) {
      await port.identify(await assertion({}, { signer: otherKey, kid: `made-up-${i}` }));
    }
    expect(asked).toHaveLength(1);
  });

  test("an assertion counts for nothing where Access is not set up", async () => {
    const port = operatorIdentities({ tokens: [], access: null }, () => nowMs, fetchKeys);
    expect((await port.identify(await assertion())).kind).toBe("refused");
    expect(asked).toEqual([]);
  });
});

describe("operator tokens", () => {
  async function withTokens() {
    const [ada, eve] = await Promise.all([
      mintOperatorToken("ada", "operator"),
      mintOperatorToken("eve", "viewer"),
    ]);
    const parsed = parseOperatorTokens([ada.entry, eve.entry].join(","));
    if (!parsed.ok) throw new Error(parsed.faults.join());
    return { ada, eve, port: operatorIdentities({ tokens: parsed.tokens, access }, () => nowMs, fetchKeys) };
  }

  test("a minted token opens as whom and what it was made for, without asking anybody", async () => {
    const { ada, eve, port } = await withTokens();
    expect(ada.token).toMatch(/^tgo_[\w-]{43}$/);
    expect(ada.entry).not.toContain(ada.token.slice(4));
    expect(await port.identify(bearer(ada.token))).toEqual({
      kind: "operator",
      who: "ada",
      role: "operator",
    });
    expect(await port.identify(bearer(eve.token))).toEqual({ kind: "operator", who: "eve", role: "viewer" });
    expect(asked).toEqual([]);
  });

  test.each([
    ["another one", () => `tgo_${"x".repeat(43)}`],
    ["the kept hash", (token: string) => token],
    ["a very long one", () => "x".repeat(10_000)],
  ])("%s opens nothing", async (_, made) => {
    const { ada, port } = await withTokens();
    const found = await port.identify(bearer(made(await sha256Hex(ada.token))));
    expect(found).toEqual({ kind: "refused", cause: "no such token" });
  });

  test.each(["Basic YWRhOmFkYQ==", "Bearer", "Bearer  ", "ada", ""])(
    "%j is no bearer token",
    async (header) => {
      const { port } = await withTokens();
      expect((await port.identify(new Headers({ authorization: header }))).kind).toBe("refused");
    },
  );

  test("a wrong token is not made good by an assertion beside it", async () => {
    const { port } = await withTokens();
    const both = await assertion();
    both.set("authorization", "Bearer tgo_wrong");
    expect((await port.identify(both)).kind).toBe("refused");
  });

  test("nothing shown opens nothing", async () => {
    const { port } = await withTokens();
    expect(await port.identify(new Headers())).toEqual({ kind: "refused", cause: "nothing presented" });
  });
});
