/** Twilio Verify v2 by the vendor's own client, against the service as it runs in workerd. */
import { setTimeout as wait } from "node:timers/promises";
import { decodeJwt } from "jose";
import twilio from "twilio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { contractFile } from "../../support/contracts.ts";
import { judgeAnswers } from "../support/support-prism.ts";
import { type DropInService, outcome, startDropIn, wrongCode } from "./support-drop-in.ts";

const SERVICE = `VA${"0".repeat(32)}`;
const LOGIN = `VA${"1".repeat(32)}`;
const ACCOUNT = `AC${"a".repeat(32)}`;
const POLICY = {
  countries: { allow: ["IN", "DE"] },
  challenge: "always",
  source: { block_ips: ["203.0.113.9"] },
  delivery: { channels: ["sms", "voice", "whatsapp"], providers: ["sandbox"] },
  attempts: { wait_seconds: [0, 1] },
  resend: { wait_seconds: [1, 1, 1], undelivered_wait_seconds: 1 },
  limits: { number: [{ max: 100, window_seconds: 60 }], ip: [{ max: 3, window_seconds: 3600 }] },
  flows: { default: { step_up: ["email"] }, login: {} },
  compat: { twilio: { services: { [SERVICE]: "default", [LOGIN]: "login" }, custom_codes: true } },
};

let service: DropInService;
let key: string;
let loginKey: string;
let carefulKey: string;
let people = 0;

beforeAll(async () => {
  service = await startDropIn(POLICY);
  key = await service.mintKey("default");
  loginKey = await service.mintKey("login");
  carefulKey = await service.mintKey("default", "--expires", "1h");
}, 300_000);
afterAll(() => service?.stop());

const newNumber = () => `+9198765${String(20_000 + people++)}`;

function verify(password = key, sid = SERVICE) {
  const client = twilio(ACCOUNT, password, { autoRetry: true, maxRetries: 3 });
  client.verify.baseUrl = service.url;
  return client.verify.v2.services(sid);
}

const create = (to: string, more: object = {}) =>
  verify().verifications.create({ to, channel: "sms", ...more });
const check = (to: string, code: string) => verify().verificationChecks.create({ to, code });

describe("the way of a person", () => {
  test("a code is sent, typed wrong, typed right with a proof, and used once", async () => {
    const to = newNumber();
    const sent = await create(to, { locale: "de", tags: '{"order":"7"}' });
    expect(sent).toMatchObject({
      sid: expect.stringMatching(/^VE[0-9a-f]{32}$/),
      serviceSid: SERVICE,
      accountSid: ACCOUNT,
      to,
      channel: "sms",
      status: "pending",
      valid: false,
      dateCreated: expect.any(Date),
      sendCodeAttempts: [{ channel: "SMS", attempt_sid: expect.stringMatching(/^VL[0-9a-f]{32}$/) }],
    });
    const code = await service.codeFor(to);
    expect(await check(to, wrongCode(code))).toMatchObject({
      status: "pending",
      valid: false,
      sid: sent.sid,
    });
    // The client's own class drops fields that it does not know; the proof is one.
    const { body: right } = await twilio(ACCOUNT, key).request({
      method: "post",
      uri: `${service.url}/v2/Services/${SERVICE}/VerificationCheck`,
      data: { VerificationSid: sent.sid, Code: code },
    });
    const { proof, ...known } = typeof right === "string" ? JSON.parse(right) : right;
    expect(known).toMatchObject({ status: "approved", valid: true, to, sid: sent.sid });
    expect(decodeJwt(proof)).toMatchObject({ phone_number: to, ref: '{"order":"7"}' });
    expect(await outcome(check(to, code))).toEqual({ status: 404, code: 20404 });
    expect(await outcome(verify().verifications(sent.sid).fetch())).toEqual({ status: 404, code: 20404 });
  });

  test("a retry within ten seconds is the same verification; the sixth create is too many", async () => {
    const to = newNumber();
    const first = await create(to);
    for (let i = 0; i < 4; i++) expect((await create(to)).sid).toBe(first.sid);
    expect(await service.messages(to)).toHaveLength(1);
    expect(await outcome(create(to))).toEqual({ status: 429, code: 60203 });
  });

  test("creates at once make one message", async () => {
    const to = newNumber();
    const all = await Promise.all(Array.from({ length: 5 }, () => outcome(create(to))));
    const sids = all.flatMap((one) => ("sid" in one ? one.sid : []));
    expect(sids.length).toBeGreaterThan(0);
    expect(new Set(sids).size).toBe(1);
    expect(await service.messages(to)).toHaveLength(1);
  });

  test("ten seconds later a create is a resend of the same code", async () => {
    const to = newNumber();
    const first = await create(to);
    await wait(10_500);
    const again = await create(to);
    expect(again.sid).toBe(first.sid);
    expect(again.sendCodeAttempts).toHaveLength(2);
    const texts = await service.messages(to);
    expect(texts).toHaveLength(2);
    expect(texts[0]?.body).toBe(texts[1]?.body);
  });

  test("it is fetched by its SID and by its number, cancelled once, and then gone", async () => {
    const to = newNumber();
    const { sid } = await create(to);
    expect(await verify().verifications(sid).fetch()).toMatchObject({ sid, to, status: "pending" });
    expect(await verify().verifications(to).fetch()).toMatchObject({ sid, status: "pending" });
    const code = await service.codeFor(to);
    expect(await verify().verifications(sid).update({ status: "canceled" })).toMatchObject({
      sid,
      status: "canceled",
      valid: false,
    });
    const gone = { status: 404, code: 20404 };
    expect(await outcome(verify().verifications(sid).update({ status: "canceled" }))).toEqual(gone);
    expect(await outcome(verify().verifications(sid).fetch())).toEqual(gone);
    expect(await outcome(check(to, code))).toEqual(gone);
  });

  test("a guess inside a wait and after the lock-out is 429/60202", async () => {
    const to = newNumber();
    await create(to);
    const wrong = wrongCode(await service.codeFor(to));
    expect(await check(to, wrong)).toMatchObject({ status: "pending" });
    const atOnce = await Promise.all(Array.from({ length: 4 }, () => outcome(check(to, wrong))));
    expect(atOnce).toContainEqual({ status: 429, code: 60202 });
    let left = 4 - atOnce.filter(({ status }) => status === "pending").length;
    while (left > 0) {
      if ((await outcome(check(to, wrong))).status === "pending") left--;
      else await wait(300);
    }
    expect(await outcome(check(to, await service.codeFor(to)))).toEqual({ status: 429, code: 60202 });
    expect(await verify().verifications(to).fetch()).toMatchObject({ status: "max_attempts_reached" });
  });

  test("fifty checks at once give one approved", async () => {
    const to = newNumber();
    await create(to);
    const code = await service.codeFor(to);
    const all = await Promise.all(Array.from({ length: 50 }, () => outcome(check(to, code))));
    expect(all.filter((one) => one.status === "approved")).toHaveLength(1);
    expect(all.filter((one) => one.status === 404)).toHaveLength(49);
  });
});

const contract = contractFile("twilio/verify_v2.json");

test.skipIf(contract === null)("answers keep to the vendor's description", async () => {
  const judge = await judgeAnswers(contract ?? "", service.url);
  const headers = {
    authorization: `Basic ${btoa(`${ACCOUNT}:${key}`)}`,
    "content-type": "application/x-www-form-urlencoded",
  };
  const to = newNumber();
  const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
  const ask = (path: string, body?: string) =>
    judge(`/v2/Services/${SERVICE}/${path}`, { method: body === undefined ? "get" : "post", headers, body });
  const created = await ask("Verifications", form({ To: to, Channel: "sms" }));
  expect(created).toMatchObject({ status: 201, breaches: [] });
  expect(await ask(`Verifications/${to}`)).toMatchObject({ status: 200, breaches: [] });
  const code = await service.codeFor(to);
  expect(await ask("VerificationCheck", form({ To: to, Code: code }))).toMatchObject({
    status: 200,
    breaches: [],
  });
  const other = newNumber();
  await create(other);
  expect(await ask(`Verifications/${other}`, form({ Status: "canceled" }))).toMatchObject({
    status: 200,
    breaches: [],
  });
});

describe("refusals have the vendor's codes", () => {
  test.each([
    ["no number", "12345", 400, 60200],
    ["a number without +", "919876543210", 400, 60200],
    ["a premium number", "+499001234567", 400, 60200],
    ["a landline", "+4930901820", 400, 60205],
    ["a country that is not served", "+447911123456", 403, 60605],
    ["an e-mail address", "a@example.com", 400, 60200],
  ])("%s", async (_, to, status, code) => {
    expect(await outcome(create(to))).toEqual({ status, code });
  });

  test.each([
    ["channel", { channel: "email" }],
    ["channel", { channel: "sna" }],
    ["device address", { deviceIp: "300.1.1.1" }],
    ["rate limits", { rateLimits: "[]" }],
    ["address among the rate limits", { rateLimits: { end_user_ip_address: "here" } }],
    ["language", { locale: "not a language" }],
    ["app hash", { appHash: "short" }],
    ["tags", { tags: "no table" }],
  ])("a bad %s is 60200", async (_, more) => {
    const to = newNumber();
    expect(await outcome(create(to, more))).toEqual({ status: 400, code: 60200 });
    expect(await service.messages(to)).toHaveLength(0);
  });

  test("a blocked source, a key that cannot show a challenge, and an address at its limit", async () => {
    expect(await outcome(create(newNumber(), { deviceIp: "203.0.113.9" }))).toEqual({
      status: 429,
      code: 60203,
    });
    const careful = verify(carefulKey).verifications.create({ to: newNumber(), channel: "sms" });
    expect(await outcome(careful)).toEqual({ status: 403, code: 60410 });
    const rateLimits = { end_user_ip_address: "192.0.2.7" };
    for (let i = 0; i < 3; i++) await create(newNumber(), { rateLimits });
    expect(await outcome(create(newNumber(), { rateLimits }))).toEqual({ status: 429, code: 60203 });
    expect(await outcome(create(newNumber(), { deviceIp: "192.0.2.7" }))).toEqual({
      status: 429,
      code: 60203,
    });
    expect(await create(newNumber())).toMatchObject({ status: "pending" });
  });

  test("keys and services of others find nothing", async () => {
    const to = newNumber();
    const { sid } = await create(to);
    const code = await service.codeFor(to);
    const options = { to, channel: "sms" };
    expect(await outcome(verify("wrong").verifications.create(options))).toEqual({
      status: 401,
      code: 20003,
    });
    expect(await outcome(verify(loginKey).verifications.create(options))).toEqual({
      status: 403,
      code: 20003,
    });
    expect(await outcome(verify(key, LOGIN).verifications.create(options))).toEqual({
      status: 403,
      code: 20003,
    });
    const unknown = verify(key, `VA${"f".repeat(32)}`);
    expect(await outcome(unknown.verifications.create(options))).toEqual({ status: 404, code: 20404 });
    const login = verify(loginKey, LOGIN);
    expect(await outcome(login.verifications(sid).fetch())).toEqual({ status: 404, code: 20404 });
    for (const request of [
      { to, code },
      { verificationSid: sid, code },
    ]) {
      expect(await outcome(login.verificationChecks.create(request))).toEqual({ status: 404, code: 20404 });
    }
    expect(await check(to, code)).toMatchObject({ status: "approved" });
  });

  test.each(["123 456", "12345678901", "12", "１２３４５６", ""])(
    "a code that is none is 60200: %j",
    async (code) => {
      const to = newNumber();
      await create(to);
      expect(await outcome(check(to, code))).toEqual({ status: 400, code: 60200 });
    },
  );

  test("a number with no verification is 404", async () => {
    expect(await outcome(check(newNumber(), "123456"))).toEqual({ status: 404, code: 20404 });
  });
});

describe("a code of the caller's own", () => {
  test("is delivered as it is, once, and approved by the caller's word", async () => {
    const to = newNumber();
    const sent = await create(to, { customCode: "0123456" });
    const again = await create(to, { customCode: "0123456" });
    expect(again.sid).toBe(sent.sid);
    expect(await service.codeFor(to)).toBe("0123456");
    expect(await service.messages(to)).toHaveLength(1);
    const approved = await verify().verifications(sent.sid).update({ status: "approved" });
    expect(approved).toMatchObject({ status: "approved", valid: true });
    expect(await outcome(check(to, "0123456"))).toEqual({ status: 404, code: 20404 });
  });

  test("is checked here all the same, and no word counts for a code of ours", async () => {
    const to = newNumber();
    await create(to, { customCode: "778899" });
    expect(await check(to, "778899")).toMatchObject({ status: "approved" });
    const { sid } = await create(newNumber());
    expect(await outcome(verify().verifications(sid).update({ status: "approved" }))).toEqual({
      status: 400,
      code: 60200,
    });
  });
});

describe("bodies that are no forms", () => {
  const post = (body: string, type = "application/x-www-form-urlencoded", path = "Verifications") =>
    fetch(`${service.url}/v2/Services/${SERVICE}/${path}`, {
      method: "POST",
      body,
      headers: { "content-type": type, authorization: `Basic ${btoa(`${ACCOUNT}:${key}`)}` },
    });

  test.each([
    ["JSON", () => post(JSON.stringify({ To: newNumber(), Channel: "sms" }), "application/json")],
    ["a field twice", () => post(`To=%2B919876500001&To=%2B919876500002&Channel=sms`)],
    ["bytes that are no UTF-8", () => post("To=%ff%fe&Channel=sms")],
    ["nothing", () => post("")],
    ["a check without a name", () => post("Code=123456", undefined, "VerificationCheck")],
  ])("%s is 400", async (_, send) => {
    const answer = await send();
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 60200, status: 400, more_info: expect.any(String) });
  });
});
