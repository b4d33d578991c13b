/** The gateway inside workerd: codes that belong to somebody else. */
import { describe, expect, test } from "vitest";
import { mintKey } from "../support/api-keys.ts";
import { inbox, outsideFaults } from "../support/outside-control.ts";
import { eventually, makeService } from "../support/service.ts";
import { STRICT } from "../support/strict.ts";

type Json = Record<string, unknown>;

const PHONE = "+919876543210";
const phone = (i: number) => `+9198765${String(10_000 + i)}`;

async function gateway(policy: Json = {}, over: Parameters<typeof mintKey>[0] = {}) {
  const service = makeService(policy);
  const key = await mintKey(over);
  const headers = { authorization: `Bearer ${key}` };
  return {
    service,
    deliver: (body: Json, more: Record<string, string> = {}) =>
      service.call("POST", "/v1/deliver", { to: PHONE, code: "012345", ...body }, { ...headers, ...more }),
    verified: (body: Json, more: Record<string, string> = {}) =>
      service.call("POST", "/v1/deliver/verified", body, { ...headers, ...more }),
  };
}

describe("delivering a code of somebody else", () => {
  test("the given code arrives as it is, and the news that it was typed is taken once", async () => {
    const { deliver, verified } = await gateway();
    const sent = await deliver({ ip: "192.0.2.1", reference: "r-1" });
    expect(sent.status).toBe(202);
    expect(sent.body).toEqual({
      correlation_id: expect.any(String),
      channel: "sms",
      masked_phone: "+91••••••••10",
      repeated: false,
    });
    expect((await inbox(PHONE))[0]?.body).toContain("012345");
    const { correlation_id } = sent.body;
    const news = { status: "verified", correlation_id };
    expect((await verified({ correlation_id })).body).toEqual({ ...news, repeated: false });
    expect((await verified({ correlation_id })).body).toEqual({ ...news, repeated: true });
    expect((await verified({ to: PHONE, code: "012345" })).body).toEqual({ ...news, repeated: true });
  });

  test("eight tries at once, with other ids each, make one message", async () => {
    const { deliver } = await gateway();
    const tries = await Promise.all(
      Array.from({ length: 8 }, (_, i) => deliver({ reference: `try-${i}`, user: `u-${i}` })),
    );
    expect(tries.map(({ status }) => status)).toEqual(Array(8).fill(202));
    expect(new Set(tries.map(({ body }) => body.correlation_id)).size).toBe(1);
    expect(tries.filter(({ body }) => !body.repeated)).toHaveLength(1);
    expect(await inbox(PHONE)).toHaveLength(1);
  });

  test("another code for the number at once is told when to come back", async () => {
    const { deliver } = await gateway();
    await deliver({});
    const other = await deliver({ code: "999999" });
    expect(other).toMatchObject({ status: 429, body: { code: "too_many_requests" } });
    expect(Number(other.headers.get("retry-after"))).toBeGreaterThan(50);
    expect(await inbox(PHONE)).toHaveLength(1);
  });

  test("one idempotency key is one number and one code", async () => {
    const { deliver } = await gateway();
    const key = { "idempotency-key": "5c3b5c4e-2d3f-4f54-a0b8-6a6f5bd0a6c1" };
    const first = await deliver({}, key);
    const again = await deliver({}, key);
    expect(again).toMatchObject({ status: 202, body: { ...first.body, repeated: true } });
    const other = await deliver({ to: phone(1) }, key);
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency_conflict" } });
    expect(await inbox(phone(1))).toHaveLength(0);
  });

  test.each([
    ["too short", { code: "123" }],
    ["too long", { code: "12345678901" }],
    ["digits of another script", { code: "١٢٣٤٥٦" }],
    ["spaces", { code: "123 456" }],
    ["letters where the policy has digits", { code: "A1B2C3" }],
    ["a number instead of text", { code: 123_456 }],
    ["an address that is none", { ip: "300.1.1.1" }],
    ["two addresses", { ip: "192.0.2.1, 192.0.2.2" }],
    ["an unknown flow", { flow: "nobody" }],
    ["a flow that every object has", { flow: "constructor" }],
    ["a channel that is not offered", { channel: "telegram" }],
    ["a field that is not known", { ttl: 5 }],
  ])("%s is 400, and nothing leaves", async (_, body) => {
    const { deliver } = await gateway();
    expect(await deliver(body)).toMatchObject({ status: 400, body: { code: "invalid_request" } });
    expect(await inbox(PHONE)).toHaveLength(0);
  });

  test("capital letters are for policies that have them, and small ones for none", async () => {
    const { deliver } = await gateway({ gateway: { codes: "alphanumeric" } });
    expect((await deliver({ code: "A1B2C3" })).status).toBe(202);
    expect((await inbox(PHONE))[0]?.body).toContain("A1B2C3");
    expect((await deliver({ to: phone(1), code: "a1b2c3" })).status).toBe(400);
  });

  test.each([
    ["a number that is none", "12345", 422, "number_invalid"],
    ["a premium number", "+911900123456", 422, "number_invalid"],
    ["a landline", "+912227546789", 422, "number_type_refused"],
    ["a country that is not served", "+447911123456", 422, "country_not_served"],
  ])("%s is refused as a send refuses it", async (_, to, status, code) => {
    const { deliver } = await gateway({ countries: { allow: ["IN"] } });
    expect(await deliver({ to })).toMatchObject({ status, body: { code } });
  });
});

describe("keys at the gateway", () => {
  test("no key and a wrong one are 401, another flow's is 403, for both calls", async () => {
    const { service, deliver, verified } = await gateway({}, { flows: ["login"] });
    for (const path of ["/v1/deliver", "/v1/deliver/verified"]) {
      const body = path === "/v1/deliver" ? { to: PHONE, code: "012345" } : { to: PHONE, code: "012345" };
      expect((await service.call("POST", path, body)).status).toBe(401);
      const authorization = `Bearer tg_${"a".repeat(12)}_${"b".repeat(43)}`;
      expect((await service.call("POST", path, body, { authorization })).status).toBe(401);
    }
    expect(await deliver({})).toMatchObject({ status: 403, body: { code: "flow_refused" } });
    expect(await verified({ to: PHONE, code: "012345" })).toMatchObject({ status: 403 });
    expect((await deliver({ flow: "login" })).status).toBe(202);
  });

  test("another flow's key hears nothing of a delivery by its id", async () => {
    const { service, deliver } = await gateway();
    const { body } = await deliver({});
    const other = await mintKey({ flows: ["login"] });
    const asked = await service.call(
      "POST",
      "/v1/deliver/verified",
      { correlation_id: body.correlation_id },
      { authorization: `Bearer ${other}` },
    );
    expect(asked).toMatchObject({ status: 403, body: { code: "flow_refused" } });
  });

  test.each([{}, { to: PHONE }, { code: "012345" }, { correlation_id: "x", to: PHONE, code: "012345" }])(
    "news without one name of a delivery is 400: %j",
    async (body) => {
      const { verified } = await gateway();
      expect((await verified(body)).status).toBe(400);
    },
  );

  test("news of a delivery that nobody made is 410", async () => {
    const { verified } = await gateway();
    expect((await verified({ to: phone(9999), code: "012345" })).status).toBe(410);
    expect((await verified({ correlation_id: "constructor" })).status).toBe(410);
  });

  test("a key whose sends need a CAPTCHA cannot deliver: a server has none to show", async () => {
    const { deliver } = await gateway({}, { skip_captcha: false });
    expect(await deliver({})).toMatchObject({ status: 403, body: { code: "step_up_required" } });
  });
});

describe("limits and budgets of deliveries", () => {
  test("an end user's address has its limits, and a server that states none draws on no address", async () => {
    const { deliver } = await gateway({ limits: { ip: [{ max: 3, window_seconds: 3600 }] } });
    const stated = await Promise.all([1, 2, 3].map((i) => deliver({ to: phone(i), ip: "192.0.2.9" })));
    expect(stated.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect((await deliver({ to: phone(4), ip: "192.0.2.9" })).status).toBe(429);
    for (let i = 10; i < 20; i++) expect((await deliver({ to: phone(i) })).status).toBe(202);
  });

  test("a demanded step-up or challenge is 403", async () => {
    const { deliver } = await gateway(STRICT);
    const answers = [];
    for (let i = 0; i < 9; i++) answers.push(await deliver({ to: phone(i * 10_000) }));
    expect(answers.filter(({ status }) => status === 202).length).toBeLessThanOrEqual(5);
    expect(answers.at(-1)).toMatchObject({ status: 403, body: { code: "step_up_required" } });
  });

  test("news of typed codes gives the room back", async () => {
    const { deliver, verified } = await gateway({
      ...STRICT,
      exposure: { ...STRICT.exposure, prefix: { base: 500 } },
    });
    for (let i = 0; i < 12; i++) {
      const sent = await deliver({ to: `+91${9_100_000_000 + i * 7_654_321}` });
      expect(sent.status, `delivery ${i}`).toBe(202);
      expect((await verified({ correlation_id: sent.body.correlation_id })).status).toBe(200);
    }
  });

  test("a flow whose verifications nobody reports has a pool of its own, and leaves the others'", async () => {
    const flows = { default: {}, quiet: { verified: "unknown" } };
    const { deliver } = await gateway({ ...STRICT, flows });
    let left = 0;
    for (let i = 0; i < 12; i++) {
      const sent = await deliver({ to: `+91${9_100_000_000 + i * 7_654_321}`, flow: "quiet" });
      if (sent.status === 202) left++;
    }
    expect(left).toBe(5);
    expect((await deliver({ to: "+919000000001", flow: "quiet" })).status).toBe(429);
    expect((await deliver({ to: "+919000000001" })).status).toBe(202);
  });

  test("a message that a provider refused can be tried again, and is one message", async () => {
    const { deliver } = await gateway();
    await outsideFaults({ inbox: { mode: "refuse" } });
    expect((await deliver({})).status).toBe(502);
    await outsideFaults({ inbox: { mode: "deliver" } });
    // What it took comes back behind its answer.
    const again = await eventually(
      () => deliver({}),
      ({ status }) => status !== 502,
    );
    expect(again.status).toBe(202);
    expect(await inbox(PHONE)).toHaveLength(1);
  });

  test("a silent store refuses, with a time to come back", async () => {
    const { deliver } = await gateway();
    await outsideFaults({ upstash: { down: true } });
    const answer = await deliver({});
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("30");
    await outsideFaults({ upstash: { down: false } });
  });
});
