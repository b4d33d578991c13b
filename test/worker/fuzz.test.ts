/**
 * Random requests to every endpoint, each made from a valid one by breaking some of its parts: fields, types, syntax, headers,
 * tokens, paths. The same TEST_SEED makes the same requests; FUZZ_REQUESTS says how many (400 by default).
 *
 * Whatever comes in: no answer is a 5xx but those that the API documents, and no line of the log holds what a person or a
 * caller keeps secret.
 */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createApp } from "../../src/http/app.ts";
import { OPERATOR_TOKEN } from "../support/addresses.ts";
import { inbox } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, DUMMY_TOKEN, eventually, makeService, wrong } from "../support/service.ts";

const settings = env as unknown as { FUZZ_SEED: string; FUZZ_REQUESTS: string };
const seed = Number(settings.FUZZ_SEED);
const numRuns = Number(settings.FUZZ_REQUESTS);
const BATCH = 20;

const DOCUMENTED = [
  "502 delivery_failed",
  "503 sending_paused",
  "503 proof_unavailable",
  "503 unavailable",
  "503 not_recorded",
];
const PHONE = "+919876543210";
const REFERENCE = "transfer-of-a-person-17";
const KEY = "9d0f1a34-5a0d-4a44-9f56-2c9b1d6f0a99";

const { deps } = makeService(ROOMY);
const app = createApp(deps, "development");
/** Fixed files say nothing of a request, and are large. */
const endpoints = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" && !/^\/(docs|problems)/.test(path))
      .map(({ method, path }) => `${method} ${path}`),
  ),
];

/** A session as its person has it, and one that they have used up. */
let session = "";
let verified = { session: "", proof: "", deviceToken: "" };
const secrets = new Set<string>();
beforeAll(async () => {
  const service = makeService({ ...ROOMY, attempts: { wait_seconds: [0] } });
  // A machine at its limits answers 503 for a while.
  const sent = (body: Record<string, string>) =>
    eventually(
      () => service.send(body),
      ({ status }) => status === 202,
    );
  const first = await sent({ phone: "+919876543211" });
  const code = await codeFor("+919876543211");
  const proven = await service.verify({ session: first.body.session, code });
  verified = { session: first.body.session, proof: proven.body.proof, deviceToken: proven.body.device_token };
  session = (await sent({ phone: PHONE, reference: REFERENCE })).body.session;
  const own = [PHONE.slice(3), "9876543211", session, first.body.session, proven.body.proof, OPERATOR_TOKEN];
  for (const secret of [...own, proven.body.device_token, REFERENCE, KEY, `"${await codeFor(PHONE)}"`]) {
    secrets.add(secret);
  }
});

/** Values of every type and of no good. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom<unknown>(
    "",
    " ",
    "\0",
    "\ud800",
    "﻿",
    "‮",
    "__proto__",
    "constructor",
    "../..",
    "%00",
    "\r\nx: y",
  ),
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 5e-324, 2 ** 53, [], {}, [[[]]], { a: { b: {} } }),
  fc.constantFrom(
    "９８７６５４３２１０",
    "٩٨٧٦٥٤٣٢١٠",
    "+1 (415) 555-0100;ext=9",
    "tel:+919876543210",
    "x".repeat(9000),
  ),
  fc.double(),
  fc.array(fc.jsonValue(), { maxLength: 4 }),
);

/** A text with something left out, doubled or put in. */
const bent = (text: string) =>
  fc
    .tuple(fc.nat(text.length), fc.constantFrom("", "\0", " ", "é", "�", '"', "\\", "0", "=", "."), fc.nat(3))
    .map(([at, put, cut]) => text.slice(0, at) + put + text.slice(at + cut));

const field = (good: unknown) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(good) },
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: hostile },
    { weight: 1, arbitrary: typeof good === "string" ? bent(good) : hostile },
  );

const client = { ip: "192.0.2.7", country: "IN", asn: 64500 };
const bodies: Record<string, () => Record<string, unknown>> = {
  "POST /v1/send": () => ({
    phone: PHONE,
    region: "IN",
    flow: "default",
    channel: "sms",
    captcha_token: DUMMY_TOKEN,
    device_token: verified.deviceToken,
    device_id: "device",
    user_id: "user",
    reference: REFERENCE,
    locale: "en-IN",
    client,
    session,
  }),
  "POST /v1/verify": () => ({ session, code: "123456", reference: REFERENCE, client }),
  "POST /v1/outcomes": () => ({
    outcomes: [{ type: "signup", proof_id: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11", value_micros: 1 }],
  }),
  "POST /ops/session": () => ({ token: OPERATOR_TOKEN, csrf: "x" }),
};
const OTHERS = {
  why: "a reason",
  for_seconds: 600,
  posture: "normal",
  percent: 50,
  range: "+91987654",
  csrf: "x",
};

const bodyOf = (endpoint: string) => {
  const good = bodies[endpoint]?.() ?? { ...OTHERS, phone: PHONE, token: "x", id: "l-1" };
  const json = fc
    .tuple(
      fc.record(Object.fromEntries(Object.entries(good).map(([name, value]) => [name, field(value)]))),
      fc.dictionary(fc.string({ maxLength: 9 }), hostile, { maxKeys: 1 }),
    )
    .map(([fields, more]) => JSON.stringify({ ...fields, ...more }));
  return fc.oneof(
    { weight: 8, arbitrary: json },
    { weight: 2, arbitrary: json.chain(bent) },
    { weight: 1, arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: json.map((text) => text.replace("{", '{"phone":"1","phone":"2",')) },
    { weight: 1, arbitrary: fc.nat(40_000).map((length) => "[".repeat(length)) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  );
};

const header = fc.constantFrom(
  () => ({}),
  () => ({ authorization: `Bearer ${session}` }),
  () => ({ authorization: `Bearer ${verified.session}` }),
  () => ({ authorization: `Bearer ${OPERATOR_TOKEN}` }),
  () => ({ authorization: "Basic eDp5" }),
  () => ({ authorization: "Bearer tg_live_x.y" }),
  () => ({ "idempotency-key": KEY }),
  () => ({ "idempotency-key": "k".repeat(300) }),
  () => ({ "idempotency-key": "\u00e9" }),
  () => ({ "x-tollgate-dev-client": JSON.stringify({ ...client, asn: 64501 }) }),
  () => ({ "x-tollgate-dev-client": "{" }),
  () => ({ "content-type": "text/plain" }),
  () => ({ "content-type": "application/x-www-form-urlencoded" }),
  () => ({ "content-type": "multipart/form-data; boundary=" }),
  () => ({ "content-length": "-1" }),
  () => ({ cookie: "ops_session=x; ops_flash=%" }),
  () => ({ "accept-language": "xx-YYYYYYYYYY,*;q=9" }),
  () => ({ "cf-access-jwt-assertion": "a.b.c" }),
  () => ({ origin: "null" }),
);

const path = (pattern: string) =>
  fc
    .tuple(
      fc.oneof(
        fc.constantFrom("sandbox", "twilio", "l-1", "constructor", "%", "%00", "..%2f"),
        fc.string({ maxLength: 12 }).map(encodeLoosely),
      ),
      fc.oneof(
        { weight: 4, arbitrary: fc.constant("") },
        {
          weight: 1,
          arbitrary: fc
            .string({ maxLength: 20 })
            .map((text) => `?by=${encodeLoosely(text)}&minutes=x&limit=1`),
        },
      ),
    )
    .map(([segment, query]) => pattern.replaceAll(/:\w+/g, segment) + query);

const encodeLoosely = (text: string) => encodeURIComponent(text.toWellFormed());

const anyRequest = fc.constantFrom(...endpoints).chain((endpoint) => {
  const [method = "", pattern = ""] = endpoint.split(" ");
  return fc.record({
    method: fc.constant(method),
    path: path(pattern),
    headers: fc.array(header, { maxLength: 3 }),
    body: fc.constant(null).chain(() => bodyOf(endpoint)),
  });
});

/** Answers a request, with what was logged meanwhile. */
async function ask({
  method,
  path,
  headers,
  body,
}: {
  method: string;
  path: string;
  headers: (() => object)[];
  body: string;
}) {
  const lines: string[] = [];
  const print = console.log;
  console.log = (...parts: unknown[]) => void lines.push(parts.join(" "));
  try {
    const type = path.startsWith("/ops") ? "application/x-www-form-urlencoded" : "application/json";
    const response = await app.request(`http://localhost${path}`, {
      method,
      headers: {
        "content-type": type,
        origin: "http://localhost",
        "x-tollgate-dev-client": JSON.stringify(client),
        ...Object.assign({}, ...headers.map((one) => one())),
      },
      ...(method === "GET" || method === "HEAD" ? {} : { body }),
    });
    return { response, text: await response.text(), log: lines.join("\n") };
  } finally {
    console.log = print;
  }
}

const named = (text: string): string => {
  try {
    return String(JSON.parse(text).code);
  } catch {
    return "without a code";
  }
};

test.each(Array.from({ length: Math.ceil(numRuns / BATCH) }, (_, batch) => batch))(
  `random requests, batch %i of TEST_SEED=${seed}`,
  async (batch) => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (request) => {
        const { response, text, log } = await ask(request);
        if (response.status >= 500) expect(DOCUMENTED).toContain(`${response.status} ${named(text)}`);
        for (const secret of secrets) expect(log, "a secret in the log").not.toContain(secret);
        expect(log).not.toContain("internal_error");
      }),
      { seed: seed + batch, numRuns: BATCH },
    );
  },
);

test("a request under a key, many times at once, is one session and one message; so is its verification one proof", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 9_999_999 }),
      fc.uuid(),
      fc.integer({ min: 2, max: 4 }),
      async (line, key, times) => {
        const service = makeService({ ...ROOMY, attempts: { wait_seconds: [0] } });
        const phone = `+9198${String(line).padStart(8, "7")}`;
        const headers = { "idempotency-key": key };
        const together = <T>(call: () => Promise<T>) => Promise.all(Array.from({ length: times }, call));
        const sent = (await together(() => service.send({ phone, reference: REFERENCE }, headers))).filter(
          ({ status }) => status === 202,
        );
        const sessions = new Set(sent.map(({ body }) => body.session));
        expect(sessions.size).toBeLessThanOrEqual(1);
        expect((await inbox(phone)).length).toBeLessThanOrEqual(1);
        const [first] = sessions;
        if (first === undefined) return;
        const code = await codeFor(phone);
        const verify = (typed: string, as: string) =>
          service.verify({ session: first, code: typed, reference: REFERENCE }, { "idempotency-key": as });
        const missed = await together(() => verify(wrong(code), `${key}-wrong`));
        expect(new Set(missed.map(({ body }) => body.attempts_left))).toEqual(new Set([4]));
        const proofs = await together(() => verify(code, `${key}-right`));
        expect(proofs.map(({ status }) => status)).toEqual(proofs.map(() => 200));
        const ids = proofs.map(
          ({ body }) =>
            JSON.parse(atob(body.proof.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).jti,
        );
        expect(new Set(ids).size).toBe(1);
        expect((await verify(code, `${key}-late`)).status).toBe(410);
      },
    ),
    { seed, numRuns: Math.max(3, Math.ceil(numRuns / 100)) },
  );
});
