/** Vonage Verify v2 by the vendor's own client, against the service as it runs in workerd. */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { Auth } from "@vonage/auth";
import { Channels, Verify2 } from "@vonage/verify2";
import { decodeJwt, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contractFile } from "../../support/contracts.ts";
import { judgeAnswers } from "../support/support-prism.ts";
import { type DropInService, startDropIn, wrongCode } from "./support-drop-in.ts";

const APPLICATION = "9c5a2f0e-4b9e-4a3c-9a70-3d0e6a1f2b77";
const OTHER = "0b1c2d3e-4f5a-4b6c-8d7e-9f0a1b2c3d4e";
const pair = () =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
const own = pair();
const others = pair();
const POLICY = {
  countries: { allow: ["IN", "DE", "GB"] },
  delivery: { channels: ["sms", "voice", "whatsapp"], providers: ["sandbox"], voice_after_messages: 1 },
  attempts: { wait_seconds: [0] },
  resend: { wait_seconds: [1, 1, 1], undelivered_wait_seconds: 1 },
  limits: { number: [{ max: 100, window_seconds: 60 }], ip: [{ max: 2, window_seconds: 3600 }] },
  flows: { default: { step_up: ["email"] }, login: {} },
  compat: {
    vonage: {
      applications: {
        [APPLICATION]: { public_key: own.publicKey, flow: "login" },
        [OTHER]: { public_key: others.publicKey, flow: "login" },
      },
    },
  },
};

let service: DropInService;
let key: string;
let loginKey: string;
let people = 0;

beforeAll(async () => {
  service = await startDropIn(POLICY);
  key = await service.mintKey("default");
  loginKey = await service.mintKey("login");
}, 300_000);
afterAll(() => service?.stop());

const newNumber = () => `9198765${String(30_000 + people++)}`;

const client = (applicationId = APPLICATION, privateKey: string = own.privateKey) =>
  new Verify2(new Auth({ applicationId, privateKey }), { apiHost: service.url });

const request = (to: string, workflow: object[] = [{ channel: Channels.SMS, to }]) =>
  ({ brand: "ACME", workflow }) as Parameters<Verify2["newRequest"]>[0];

const start = async (to: string, workflow?: object[]) =>
  (await client().newRequest(request(to, workflow))).requestId;

/** The status that a client's promise fails with, or what it comes to. */
async function outcome<T>(work: Promise<T>): Promise<T | number> {
  try {
    return await work;
  } catch (error) {
    const status = (error as { response?: { status?: number } }).response?.status;
    if (status === undefined) throw error;
    return status;
  }
}

const call = (path: string, method: string, authorization: string, body?: unknown) =>
  fetch(`${service.url}/v2/verify${path}`, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const basic = (password = key) => `Basic ${btoa(`anything:${password}`)}`;

describe("the way of a person", () => {
  test("a code is sent, typed wrong, typed right, and used once", async () => {
    const to = newNumber();
    const id = await start(to);
    const code = await service.codeFor(`+${to}`);
    expect(await outcome(client().checkCode(id, wrongCode(code)))).toBe(400);
    expect(await client().checkCode(id, code)).toBe("completed");
    expect(await outcome(client().checkCode(id, code))).toBe(404);
  });

  test("a proof comes back beside the vendor's fields", async () => {
    const to = newNumber();
    const body = { ...request(to), client_ref: "order7" };
    const { request_id } = (await (await call("", "POST", basic(), body)).json()) as { request_id: string };
    const code = await service.codeFor(`+${to}`);
    const checked = (await (await call(`/${request_id}`, "POST", basic(), { code })).json()) as {
      proof: string;
    };
    expect(checked).toMatchObject({ request_id, status: "completed" });
    expect(decodeJwt(checked.proof)).toMatchObject({
      phone_number: `+${to}`,
      ref: "order7",
      flow: "default",
    });
  });

  test("a second request for a number is a conflict that names the first, also at once", async () => {
    const to = newNumber();
    const id = await start(to);
    const again = await call("", "POST", basic(), request(to));
    expect(again.status, "another caller's").toBe(202);
    const second = await call("", "POST", basic(), request(to));
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({ title: "Conflict", request_id: expect.any(String) });
    expect(await outcome(client().newRequest(request(to)))).toBe(409);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    const other = newNumber();
    const all = await Promise.all(Array.from({ length: 4 }, () => outcome(start(other))));
    expect(all.filter((one) => typeof one === "string")).toHaveLength(1);
    expect(await service.messages(`+${other}`)).toHaveLength(1);
  });

  test("it is cancelled at once, once, and the number is free again", async () => {
    const to = newNumber();
    const id = await start(to);
    // The client says true or false, and no more.
    expect(await client().cancel(id)).toBe(true);
    expect(await client().cancel(id)).toBe(false);
    expect((await call(`/${id}`, "DELETE", await bearer())).status).toBe(404);
    expect(await outcome(client().checkCode(id, "123456"))).toBe(404);
    expect(await start(to)).not.toBe(id);
  });

  test("too many wrong codes end it", async () => {
    const to = newNumber();
    const id = await start(to);
    const code = await service.codeFor(`+${to}`);
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push(await outcome(client().checkCode(id, wrongCode(code))));
    expect(statuses).toEqual([400, 400, 400, 400, 410]);
    expect(await outcome(client().checkCode(id, code))).toBe(410);
  });

  test("fifty checks at once give one completed", async () => {
    const to = newNumber();
    const id = await start(to);
    const code = await service.codeFor(`+${to}`);
    const all = await Promise.all(Array.from({ length: 50 }, () => outcome(client().checkCode(id, code))));
    expect(all.filter((one) => one === "completed")).toHaveLength(1);
    expect(all.filter((one) => one === 404)).toHaveLength(49);
  });
});

describe("a workflow", () => {
  async function next(id: string): Promise<number> {
    for (;;) {
      const { status } = await call(`/${id}/next_workflow`, "POST", await bearer());
      if (status !== 409) return status;
      await wait(200);
    }
  }

  test("goes on to the next channel that is allowed by then, and then has none", async () => {
    const to = newNumber();
    const id = await start(to, [
      { channel: "silent_auth", to },
      { channel: "sms", to },
      { channel: "whatsapp", to },
    ]);
    expect(await next(id)).toBe(200);
    expect((await service.messages(`+${to}`)).map(({ channel }) => channel)).toEqual(["whatsapp", "sms"]);
    await wait(1500);
    expect((await call(`/${id}/next_workflow`, "POST", await bearer())).status).toBe(409);
    expect((await service.messages(`+${to}`)).length).toBe(2);
  });

  test("before the wait is over, and without a next item, it is an error", async () => {
    const to = newNumber();
    const id = await start(to);
    expect(await client().nextWorkflow(id)).toBe(false);
    await wait(1500);
    expect((await call(`/${id}/next_workflow`, "POST", await bearer())).status).toBe(409);
    expect((await call(`/${randomUUID()}/next_workflow`, "POST", await bearer())).status).toBe(404);
  });

  test("begins with the first item that is served, for one number", async () => {
    const to = newNumber();
    const id = await start(to, [
      { channel: "voice", to },
      { channel: "email", to: "a@b.example" },
      { channel: "sms", to },
    ]);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await service.messages(`+${to}`)).map(({ channel }) => channel)).toEqual(["sms"]);
    expect(await outcome(start(newNumber(), [{ channel: "email", to: "a@b.example" }]))).toBe(422);
    const two = [
      { channel: "sms", to: newNumber() },
      { channel: "whatsapp", to: newNumber() },
    ];
    expect(await outcome(start("", two))).toBe(422);
  });
});

async function bearer(over: { application?: string; from?: number; life?: number; alg?: string } = {}) {
  const { application = APPLICATION, from = 0, life = 900, alg = "RS256" } = over;
  const now = Math.floor(Date.now() / 1000) + from;
  const { createPrivateKey } = await import("node:crypto");
  const token = new SignJWT({ application_id: application, jti: randomUUID() })
    .setProtectedHeader({ alg })
    .setIssuedAt(now)
    .setExpirationTime(now + life);
  const secret = alg === "RS256" ? createPrivateKey(own.privateKey) : new TextEncoder().encode(own.publicKey);
  return `Bearer ${await token.sign(secret)}`;
}

describe("callers", () => {
  const status = async (authorization: string) =>
    (await call("", "POST", authorization, request(newNumber()))).status;

  test("a clock that is four minutes off is forgiven, an hour is not", async () => {
    expect(await status(await bearer({ from: 240 }))).toBe(202);
    expect(await status(await bearer({ from: -240, life: 120 }))).toBe(202);
    expect(await status(await bearer({ from: 3600 }))).toBe(401);
    expect(await status(await bearer({ from: -3600 }))).toBe(401);
  });

  test("unknown applications, foreign keys, other algorithms and endless tokens are 401", async () => {
    expect(await status(await bearer({ application: randomUUID() }))).toBe(401);
    expect(await status(await bearer({ application: OTHER }))).toBe(401);
    expect(await status(await bearer({ application: "constructor" }))).toBe(401);
    expect(await status(await bearer({ alg: "HS256" }))).toBe(401);
    expect(await status(await bearer({ life: 40 * 86_400 }))).toBe(401);
    expect(await status("Bearer x.y.z")).toBe(401);
    expect(await status(basic("wrong"))).toBe(401);
    expect(await status("")).toBe(401);
    expect(await status(basic(loginKey)), "a key of another flow").toBe(403);
    expect(await outcome(client(APPLICATION, others.privateKey).newRequest(request(newNumber())))).toBe(401);
  });

  test("nobody finds another's request", async () => {
    const to = newNumber();
    const id = await start(to);
    const code = await service.codeFor(`+${to}`);
    const other = client(OTHER, others.privateKey);
    expect(await outcome(other.checkCode(id, code))).toBe(404);
    expect(await other.cancel(id)).toBe(false);
    expect((await call(`/${id}`, "POST", basic(), { code })).status).toBe(404);
    expect(await client().checkCode(id, code)).toBe("completed");
  });
});

describe("refusals", () => {
  test.each([
    ["no number", "12", 422],
    ["a premium number", "499001234567", 422],
    ["a landline by text", "4930901820", 422],
    ["a country that is not served", "16502530000", 422],
  ])("%s", async (_, to, status) => {
    expect(await outcome(start(to))).toBe(status);
  });

  test.each([
    ["no body", undefined],
    ["no workflow", { brand: "ACME" }],
    ["an empty workflow", { brand: "ACME", workflow: [] }],
    ["no brand", { workflow: [{ channel: "sms", to: "919876530999" }] }],
    ["a code of the caller's", { ...request("919876530999"), code: "123456" }],
    ["a list", []],
  ])("%s is 422 and says which parameter", async (_, body) => {
    const answer = await call("", "POST", basic(), body);
    expect(answer.status).toBe(422);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({
      title: "Invalid params",
      invalid_parameters: expect.any(Array),
    });
  });

  test("many people of one server use up no address's limit", async () => {
    for (let i = 0; i < 6; i++) expect(typeof (await start(newNumber()))).toBe("string");
  });
});

const contract = contractFile("vonage/verify_v2.json");

test.skipIf(contract === null)("answers keep to the vendor's description", async () => {
  const judge = await judgeAnswers(contract ?? "", service.url);
  const headers = { authorization: basic(), "content-type": "application/json" };
  const ask = (path: string, method: string, body?: object) =>
    judge(`/v2/verify${path}`, { method, headers, body: body as unknown as string });
  const to = newNumber();
  expect(await ask("", "post", request(to))).toMatchObject({ status: 202, breaches: [] });
  expect(await ask("", "post", request(to))).toMatchObject({ status: 409, breaches: [] });
  const made = (await (await call("", "POST", basic(), request(to))).json()) as { request_id: string };
  const id = `/${made.request_id}`;
  expect(await ask(id, "post", { code: "0000" })).toMatchObject({ status: 400, breaches: [] });
  const code = await service.codeFor(`+${to}`);
  expect(await ask(id, "post", { code })).toMatchObject({ status: 200, breaches: [] });
  expect(await ask(id, "post", { code })).toMatchObject({ status: 404, breaches: [] });
  expect(await ask(id, "delete")).toMatchObject({ status: 404, breaches: [] });
});
