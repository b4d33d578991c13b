import { readFileSync } from "node:fs";
import { p256 } from "@noble/curves/nist.js";
import { AwsV4Signer } from "aws4fetch";
import fc from "fast-check";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openKms, readDer } from "../../../src/adapters/aws/kms.ts";
import { kmsProofs } from "../../../src/adapters/aws/kms-proofs.ts";
import { es256Proofs } from "../../../src/adapters/identity/proofs.ts";
import type { ProofKey } from "../../../src/config/config.ts";
import type { KmsSigningKey } from "../../../src/config/kms-keys.ts";
import type { ProofContent } from "../../../src/ports/session.ts";
import { contractFile } from "../../support/contracts.ts";
import { proofKey } from "../support/support-keys.ts";
import { type KmsStandIn, LOGIN, serveKms } from "./support-kms.ts";
import { isSigned } from "./support-sigv4.ts";

const NOW_MS = Date.UTC(2026, 6, 1, 12, 0, 0);
const POLICY = { issuer: "https://verify.example.com", ttl_seconds: 300 };
const CLAIMS: ProofContent = {
  phone: "+919876543210",
  flow: "login",
  audience: "shop",
  channel: "sms",
  reference: "order-7",
  correlationId: "1c8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
};
const keyOf = (id: string): KmsSigningKey => ({
  arn: `arn:aws:kms:eu-west-1:111122223333:key/${id}`,
  region: "eu-west-1",
  id,
});
const KEY = keyOf("1234abcd-12ab-34cd-56ef-1234567890ab");
const NEXT = keyOf("mrk-1234abcd12ab34cd56ef1234567890ab");

let aws: KmsStandIn;
beforeEach(async () => {
  aws = await serveKms("eu-west-1");
  aws.addKey(KEY.arn);
});
afterEach(() => aws.close());

const proofsOf = (
  keys: readonly KmsSigningKey[] = [KEY],
  earlier: readonly ProofKey[] = [],
  over: { secretAccessKey?: string; timeoutMs?: number } = {},
) => kmsProofs(openKms({ ...LOGIN, url: aws.url, timeoutMs: 2000, ...over }), keys, earlier, POLICY);

/** Checks a proof as a customer's backend does, with nothing but the published keys. */
async function check(proof: unknown, publisher: ReturnType<typeof proofsOf>) {
  const published = JSON.parse(JSON.stringify(await publisher.publicKeys()));
  return jwtVerify(String(proof), createLocalJWKSet(published), {
    issuer: POLICY.issuer,
    audience: "shop",
    algorithms: ["ES256"],
    currentDate: new Date(NOW_MS),
  });
}

describe("proofs that KMS signs", () => {
  test("say what local ones say, and verify with the published key", async () => {
    const proofs = proofsOf();
    const { payload, protectedHeader } = await check(await proofs.sign(CLAIMS, NOW_MS, "id-1"), proofs);
    expect(protectedHeader).toEqual({ alg: "ES256", kid: KEY.id, typ: "JWT" });
    const local = es256Proofs([proofKey("local")], POLICY);
    const { payload: said } = await jwtVerify(
      await local.sign(CLAIMS, NOW_MS, "id-1"),
      createLocalJWKSet(local.publicKeys()),
      { currentDate: new Date(NOW_MS) },
    );
    expect(payload).toEqual(said);
  });

  test("show KMS a digest and nothing of the person", async () => {
    await proofsOf().sign(CLAIMS, NOW_MS);
    const [sign] = aws.asked;
    expect(sign?.operation).toBe("Sign");
    expect(JSON.stringify(sign)).not.toMatch(/9876543210|order-7/);
  });

  test("ask for a public key once, and again after a failure", async () => {
    const proofs = proofsOf();
    aws.faults.push((response) => void response.writeHead(500).end("{}"));
    expect(await proofs.publicKeys()).toMatchObject({ kind: "unavailable" });
    for (let at = 0; at < 3; at++) expect(await proofs.publicKeys()).toHaveProperty("keys");
    expect(aws.asked.map(({ operation }) => operation)).toEqual(["GetPublicKey"]);
  });

  test("publish every key of KMS, and those that signed in the Worker before, without their private half", async () => {
    aws.addKey(NEXT.arn);
    const old = proofKey("local-1");
    const proofs = proofsOf([NEXT, KEY], [old]);
    const { keys } = JSON.parse(JSON.stringify(await proofs.publicKeys()));
    expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual([NEXT.id, KEY.id, "local-1"]);
    expect(JSON.stringify(keys)).not.toContain(old.d);
    const proof = await proofs.sign(CLAIMS, NOW_MS);
    expect(decodeProtectedHeader(String(proof)).kid).toBe(NEXT.id);
    await check(proof, proofs);
    await check(await es256Proofs([old], POLICY).sign(CLAIMS, NOW_MS), proofs);
    await check(await proofsOf([KEY]).sign(CLAIMS, NOW_MS), proofs);
  });

  test("hold over many signatures, whatever the lengths of their integers", async () => {
    const proofs = proofsOf();
    for (let at = 0; at < 100; at++) await check(await proofs.sign(CLAIMS, NOW_MS), proofs);
  });
});

describe("where KMS does not sign", () => {
  const broken: [name: string, fault: Parameters<KmsStandIn["faults"]["push"]>[0], cause: string][] = [
    ["an outage", (response) => void response.writeHead(503).end("nothing"), "answered 503"],
    [
      "a quota",
      (response) =>
        void response
          .writeHead(400)
          .end(JSON.stringify({ __type: "ThrottlingException", message: "+919876543210" })),
      "answered 400 (ThrottlingException)",
    ],
    [
      "a policy of the key",
      (response) => void response.writeHead(400).end(JSON.stringify({ __type: "AccessDeniedException" })),
      "answered 400 (AccessDeniedException)",
    ],
    [
      "a redirect",
      (response) => void response.writeHead(302, { location: "https://elsewhere.invalid" }).end(),
      "302",
    ],
    ["a lost connection", (response) => void response.destroy(), "refused or lost the connection"],
    ["no JSON", (response) => void response.writeHead(200).end("<html>"), "answered for another key"],
    ["silence", () => undefined, "gave no answer in 300 ms"],
  ];
  test.each(broken)("%s is told by its name, and nothing is signed", async (_name, fault, cause) => {
    aws.faults.push(fault);
    const result = await proofsOf([KEY], [], { timeoutMs: 300 }).sign(CLAIMS, NOW_MS);
    expect(result).toEqual({ kind: "unavailable", cause: expect.stringContaining(cause) });
    expect(JSON.stringify(result)).not.toContain("9876543210");
  });

  const twists: [string, (answer: Record<string, unknown>) => Record<string, unknown>][] = [
    ["another key's answer", (answer) => ({ ...answer, KeyId: NEXT.arn })],
    ["a signature that is none", (answer) => ({ ...answer, Signature: "bm90IGEgc2lnbmF0dXJl" })],
    ["no signature", ({ Signature: _, ...answer }) => answer],
  ];
  test.each(twists)("%s is no proof", async (_name, twist) => {
    aws.twist = twist;
    expect(await proofsOf().sign(CLAIMS, NOW_MS)).toMatchObject({ kind: "unavailable" });
  });

  test.each([
    ["for encryption", { KeyUsage: "ENCRYPT_DECRYPT" }],
    ["of another curve", { KeySpec: "ECC_NIST_P384" }],
    ["that cannot be read", { PublicKey: "AAAA" }],
  ])("a key %s is not published", async (_name, over) => {
    aws.twist = (answer) => ({ ...answer, ...over });
    expect(await proofsOf().publicKeys()).toMatchObject({ kind: "unavailable" });
  });

  test("a wrong secret, a key that is not there and another region are refused by KMS", async () => {
    const wrong = proofsOf([KEY], [], { secretAccessKey: "wrong" });
    expect(await wrong.sign(CLAIMS, NOW_MS)).toMatchObject({
      cause: expect.stringContaining("InvalidSignature"),
    });
    expect(await proofsOf([NEXT]).sign(CLAIMS, NOW_MS)).toMatchObject({
      cause: expect.stringContaining("NotFound"),
    });
    const elsewhere = { ...KEY, region: "us-east-1" };
    expect(await proofsOf([elsewhere]).sign(CLAIMS, NOW_MS)).toMatchObject({ kind: "unavailable" });
  });
});

describe("an ECDSA signature in DER", () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

  // RFC 6979, A.2.5: P-256 with SHA-256.
  const PUBLIC = hex(
    "04 60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6 7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
  );
  test.each([
    [
      "sample",
      "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ],
    [
      "test",
      "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
      "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ],
  ])("reads as JOSE wants it, of the message %j of RFC 6979", async (message, r, s) => {
    const part = (value: string) => (/^[89A-F]/.test(value) ? `022100${value}` : `0220${value}`);
    const integers = part(r) + part(s);
    const der = hex(`30${(integers.length / 2).toString(16)}${integers}`);
    const raw = readDer(der);
    expect(
      Buffer.from(raw ?? [])
        .toString("hex")
        .toUpperCase(),
    ).toBe(r + s);
    const key = await crypto.subtle.importKey("raw", PUBLIC, { name: "ECDSA", namedCurve: "P-256" }, false, [
      "verify",
    ]);
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    expect(await crypto.subtle.verify(algorithm, key, raw ?? hex(""), Buffer.from(message))).toBe(true);
  });

  test("of any two integers reads as they are", () => {
    const half = fc.bigInt({ min: 1n, max: p256.Point.Fn.ORDER - 1n });
    fc.assert(
      fc.property(half, half, (r, s) => {
        const signature = new p256.Signature(r, s);
        expect(readDer(signature.toBytes("der"))).toEqual(new Uint8Array(signature.toBytes("compact")));
      }),
    );
  });

  test.each([
    ["nothing", ""],
    ["another type", "3106020101020101"],
    ["a length that is not its own", "3007020101020101"],
    ["a negative integer", "3006020181020101"],
    ["a needless zero", "300702020001020101"],
    ["an integer without bytes", "30050200020101"],
    ["one integer", "3003020101"],
    ["more behind it", "3008020101020101ffff"],
    ["an integer that reaches over the end", "3006020101020501"],
    ["an integer of 33 bytes", `3026022101${"11".repeat(32)}020101`],
  ])("with %s is none", (_name, der) => {
    expect(readDer(hex(der))).toBeNull();
  });
});

describe("Signature Version 4 by AWS's own cases", () => {
  const file = contractFile("aws/sigv4_vectors.json");
  interface Case {
    context: {
      credentials: { access_key_id: string; secret_access_key: string; token?: string };
      region: string;
      service: string;
      timestamp: string;
    };
    request: string;
    "header-signed-request": string;
  }
  const cases: Record<string, Case> = file === null ? {} : JSON.parse(readFileSync(file, "utf8")).cases;
  /** A request as text. Headers of several lines or values are no request of this service. */
  const readRequest = (text: string) => {
    const [head = "", body = ""] = text.split("\n\n");
    const [line = "", ...lines] = head.split("\n").filter((one) => one !== "");
    const [, method = "", target = ""] = /^(\S+) (.*) HTTP\/1\.1$/.exec(line) ?? [];
    const headers = lines.map((one) => [one.split(":")[0] ?? "", one.slice(one.indexOf(":") + 1)] as const);
    return { method, target, headers, body };
  };
  const KINDS = ["get-vanilla", "get-vanilla-query-order-key-case", "post-vanilla", "post-header-key-sort"];
  const kinds = [...KINDS, "post-vanilla-query"];

  test.skipIf(file === null).each(kinds)("%s is signed and checked like AWS does", async (name) => {
    const { context, request, "header-signed-request": expected } = cases[name] as Case;
    const { method, target, headers, body } = readRequest(request);
    const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = context.credentials;
    const wanted = readRequest(expected);
    const signed = await new AwsV4Signer({
      accessKeyId,
      secretAccessKey,
      method,
      url: `https://example.amazonaws.com${target}`,
      headers: headers.filter(([header]) => header !== "Host").map(([header, value]) => [header, value]),
      body: body === "" ? undefined : body,
      region: context.region,
      service: context.service,
      datetime: context.timestamp.replaceAll(/[-:]/g, ""),
      allHeaders: true,
    } as ConstructorParameters<typeof AwsV4Signer>[0]).sign();
    const authorization = wanted.headers.find(([header]) => header === "Authorization")?.[1];
    expect(signed.headers.get("authorization")).toBe(authorization);
    const served = Object.fromEntries(wanted.headers.map(([header, value]) => [header.toLowerCase(), value]));
    const scope = { region: context.region, service: context.service };
    const asServed = { method, target, headers: served, body };
    expect(isSigned(asServed, secretAccessKey, scope)).toBe(true);
    expect(isSigned({ ...asServed, body: `${body}x` }, secretAccessKey, scope)).toBe(false);
    expect(isSigned(asServed, "another", scope)).toBe(false);
  });
});
