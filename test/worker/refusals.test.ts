import { expect, test } from "vitest";
import { outsideFaults, outsideState } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, DUMMY_TOKEN, from, makeService, wrong } from "../support/service.ts";

const PHONE = "+919876543210";

async function began(
  service: ReturnType<typeof makeService>,
  body: Record<string, unknown> = {},
  phone = PHONE,
) {
  const sent = await service.send({ phone, ...body });
  expect(sent.status).toBe(202);
  return { session: sent.body.session as string, code: await codeFor(phone) };
}

test("a code works once", async () => {
  const service = makeService();
  const { session, code } = await began(service);
  expect((await service.verify({ session, code })).status).toBe(200);
  const again = await service.verify({ session, code });
  expect([again.status, again.body.code]).toEqual([410, "session_gone"]);
});

test("50 right codes in parallel over HTTP verify once", async () => {
  const service = makeService();
  const { session, code } = await began(service);
  const answers = await Promise.all(Array.from({ length: 50 }, () => service.verify({ session, code })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});

test("a code asked for in one session is worthless in another", async () => {
  const service = makeService();
  const first = await began(service);
  const second = await began(service, {}, "+919876543211");
  if (first.code !== second.code) {
    const answer = await service.verify({ session: second.session, code: first.code });
    expect([answer.status, answer.body.code]).toEqual([422, "code_incorrect"]);
  }
});

test("a code for transfer 17 does not confirm transfer 18, nor a transfer without a name", async () => {
  const service = makeService();
  const { session, code } = await began(service, { reference: "transfer-17" });
  expect((await service.verify({ session, code, reference: "transfer-18" })).body.code).toBe("session_gone");
  expect((await service.verify({ session, code })).body.code).toBe("session_gone");
  expect((await service.verify({ session, code, reference: "transfer-17" })).status).toBe(200);
});

test("forged tokens are refused before any storage is touched", async () => {
  const service = makeService();
  const { session, code } = await began(service);
  const before = await outsideState();
  for (const forged of ["x", "a.b.c.d.e", `${session}A`, session.slice(0, -2), session.replace(/^\w/, "f")]) {
    const answer = await service.verify({ session: forged, code });
    expect([answer.status, answer.body.code]).toEqual([410, "session_gone"]);
  }
  expect((await outsideState()).upstash.requests).toBe(before.upstash.requests);
});

test("wrong codes are counted down, then the right one comes too late", async () => {
  const service = makeService({ attempts: { wait_seconds: [0] } });
  const { session, code } = await began(service);
  for (const attemptsLeft of [4, 3, 2, 1, 0]) {
    const answer = await service.verify({ session, code: wrong(code) });
    expect([answer.status, answer.body.code, answer.body.attempts_left]).toEqual([
      422,
      "code_incorrect",
      attemptsLeft,
    ]);
  }
  const late = await service.verify({ session, code });
  expect([late.status, late.body.code]).toEqual([429, "too_many_attempts"]);
  expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0);
});

/** A code as keyboards, messages and assistive technology write it. */
const TYPED: [string, (code: string) => string][] = [
  [
    "in Arabic digits",
    (code) => code.replace(/\d/g, (digit) => String.fromCodePoint(0x0660 + Number(digit))),
  ],
  [
    "in Devanagari digits",
    (code) => code.replace(/\d/g, (digit) => String.fromCodePoint(0x0966 + Number(digit))),
  ],
  [
    "in full-width digits",
    (code) => code.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  ],
  ["in two groups", (code) => `${code.slice(0, 3)} ${code.slice(3)}`],
  ["with a dash", (code) => `${code.slice(0, 3)}-${code.slice(3)}`],
  ["behind a letter", (code) => `G-${code}`],
  ["with marks that nobody sees", (code) => `\u2068${[...code].join("\u200b")}\u2069`],
  ["with a line end", (code) => `\t${code}\r\n`],
  ["with no-break spaces", (code) => [...code].join("\u202f")],
];

test.each(TYPED)(
  "a code %s is right where it is right, and costs one attempt where it is wrong",
  async (_, typed) => {
    const service = makeService({ attempts: { wait_seconds: [0] } });
    const { session, code } = await began(service);
    const refused = await service.verify({ session, code: typed(wrong(code)) });
    expect([refused.status, refused.body.code, refused.body.attempts_left]).toEqual([
      422,
      "code_incorrect",
      4,
    ]);
    const again = await service.verify({ session, code: typed(wrong(code)) });
    expect(again.body.attempts_left).toBe(3);
    expect((await service.verify({ session, code: typed(code) })).status).toBe(200);
  },
);

test("all forms of a code are the same code under one idempotency key", async () => {
  const service = makeService({ attempts: { wait_seconds: [0] } });
  const { session, code } = await began(service);
  const key = { "idempotency-key": crypto.randomUUID() };
  for (const [, typed] of TYPED) {
    const { body } = await service.verify({ session, code: typed(wrong(code)) }, key);
    expect([body.code, body.attempts_left]).toEqual(["code_incorrect", 4]);
  }
});

test.each(["", "abcdef", "123", "12345678901", "your code is 123456", "123456 or 654321"])(
  "%j is no code: nothing is compared and no attempt is used",
  async (code) => {
    const service = makeService();
    const { session } = await began(service);
    expect((await service.verify({ session, code })).status).toBe(400);
    expect((await service.session(session)).body.attempts_left).toBe(5);
  },
);

test("the wait after a wrong code is kept, and an attempt made in it is not counted", async () => {
  const service = makeService({ attempts: { wait_seconds: [30] } });
  const { session, code } = await began(service);
  expect((await service.verify({ session, code: wrong(code) })).body).toMatchObject({
    attempts_left: 4,
    retry_in_seconds: 30,
  });
  expect((await service.verify({ session, code })).body).toMatchObject({
    code: "too_many_attempts",
    attempts_left: 4,
  });
});

test("a public client without a token is asked for the challenge before any network hop", async () => {
  const service = makeService();
  // What only counts it goes on behind the answer.
  await outsideFaults({ upstash: { down: true }, siteverify: { down: true } });
  const answer = await service.call("POST", "/v1/send", { phone: PHONE }, from("192.0.2.1"));
  expect([answer.status, answer.body.code]).toEqual([403, "challenge_required"]);
  expect(answer.body.challenge).toEqual({
    provider: "turnstile",
    site_key: "1x00000000000000000000AA",
    action: "send",
    fresh: false,
  });
  expect(await outsideState()).toMatchObject({ siteverify: { requests: 0 } });
});

test("a token is good for one send, one host and one action", async () => {
  const service = makeService();
  const send = (captcha_token: string, phone: string) => service.send({ phone, captcha_token });
  expect((await send("once-a", "+919876543220")).status).toBe(202);
  for (const token of ["once-a", "once-b?hostname=evil.example", "once-c?action=login", "nonsense"]) {
    const answer = await send(token, "+919876543221");
    expect([answer.status, answer.body.code]).toEqual([403, "challenge_failed"]);
  }
  // None of the failures used up the limits of the number.
  expect((await send("once-d", "+919876543221")).status).toBe(202);
});

test("a number gets one message a minute, whoever asks", async () => {
  const service = makeService();
  await began(service);
  const answer = await service.send({ phone: PHONE });
  expect([answer.status, answer.body.code]).toEqual([429, "too_many_requests"]);
  expect(answer.body.retry_after).toBeGreaterThan(55);
  expect(answer.headers.get("retry-after")).toBe(String(answer.body.retry_after));
});

test("an address gets ten an hour, and an IPv6 household counts as one", async () => {
  const service = makeService(ROOMY);
  const ask = (i: number, ip: string) => service.send({ phone: `+9198765440${10 + i}` }, from(ip));
  for (let i = 0; i < 10; i++) expect((await ask(i, `2001:db8:1:2::${i + 1}`)).status).toBe(202);
  expect((await ask(10, "2001:db8:1:2:ffff::1")).status).toBe(429);
  expect((await ask(10, "2001:db8:1:3::1")).status).toBe(202);
});

test("the same idempotency key is the same verification: one message, one answer", async () => {
  const service = makeService();
  const key = { "idempotency-key": "4f5a53a4-2f0e-4f0e-8d4b-0c7f8a9d1e2f" };
  const ask = () => service.send({ phone: PHONE, captcha_token: "once-idem" }, key);
  const answers = await Promise.all([ask(), ask(), ask()]);
  answers.push(await ask());
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  expect(new Set(answers.map(({ body }) => body.session)).size).toBe(1);
  expect(new Set(answers.map(({ body }) => body.correlation_id)).size).toBe(1);
  const { inbox } = await import("../support/outside-control.ts");
  expect(await inbox(PHONE)).toHaveLength(1);
  const other = await service.send({ phone: "+919876543212" }, key);
  expect([other.status, other.body.code]).toEqual([422, "idempotency_conflict"]);
  const stranger = await service.send({ phone: PHONE, captcha_token: "garbage" }, key);
  expect([stranger.status, stranger.body.code]).toEqual([403, "challenge_failed"]);
});

test("a token that was spent on one number is not good for another, whatever the idempotency keys", async () => {
  const service = makeService();
  const ask = (phone: string, key: string) =>
    service.send({ phone, captcha_token: "once-two-numbers" }, { "idempotency-key": key });
  expect((await ask(PHONE, "11111111-2222-4333-8444-555555555555")).status).toBe(202);
  for (const key of ["11111111-2222-4333-8444-555555555556", "1"]) {
    expect((await ask("+919876543233", key)).body.code).toBe("challenge_failed");
  }
});

test("a short idempotency key counts at its own address only", async () => {
  const service = makeService();
  const ask = (ip: string) => service.send({ phone: PHONE }, { ...from(ip), "idempotency-key": "1" });
  const [first, again, stranger] = [await ask("192.0.2.1"), await ask("192.0.2.1"), await ask("192.0.2.2")];
  expect([first.status, again.status, again.body.session]).toEqual([202, 202, first.body.session]);
  expect(stranger.body.code).toBe("too_many_requests");
});

test("tokens that are garbage never hold a number's place", async () => {
  const service = makeService();
  const garbage = Array.from({ length: 10 }, () => service.send({ phone: PHONE, captcha_token: "garbage" }));
  const [honest] = await Promise.all([service.send({ phone: PHONE }), ...garbage]);
  expect(honest?.status).toBe(202);
});

test("a resend takes the number from the session, and only after its wait", async () => {
  const service = makeService({
    resend: { wait_seconds: [1, 1] },
    limits: { number: [{ max: 9, window_seconds: 60 }] },
  });
  const { session, code } = await began(service, { flow: "login" });
  const soon = await service.send({ session });
  expect([soon.status, soon.body.code]).toEqual([429, "too_many_requests"]);
  expect((await service.send({ session, phone: "+919876543299" })).body).toMatchObject({
    code: "invalid_request",
    errors: [{ field: "phone" }],
  });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const again = await service.send({ session });
  expect(again.status).toBe(202);
  expect(again.body.session).toBe(session);
  expect(await codeFor(PHONE)).toBe(code);
  expect((await service.session(session)).body).toMatchObject({
    status: "pending",
    delivery: "accepted",
    sends: 2,
  });
  expect((await service.verify({ session, code })).status).toBe(200);
});

test("unknown flows and channels are named", async () => {
  const service = makeService();
  expect((await service.send({ phone: PHONE, flow: "nope" })).body).toMatchObject({
    code: "invalid_request",
    errors: [{ field: "flow" }],
  });
  expect((await service.send({ phone: PHONE, channel: "voice" })).body).toMatchObject({
    code: "invalid_request",
    errors: [{ field: "channel" }],
  });
});

test("the development header means nothing outside development", async () => {
  const { createApp } = await import("../../src/http/app.ts");
  const { deps } = makeService();
  const seen: string[] = [];
  const app = createApp(
    {
      ...deps,
      admission: {
        ...deps.admission,
        ask: async ({ draws }) => {
          seen.push(...draws.map(({ subject }) => subject));
          return { kind: "unavailable", cause: "test" };
        },
      },
    },
    "production",
  );
  for (const ip of ["192.0.2.1", "192.0.2.2"]) {
    await app.request("http://localhost/v1/send", {
      method: "POST",
      headers: { "content-type": "application/json", ...from(ip) },
      body: JSON.stringify({ phone: PHONE, captcha_token: DUMMY_TOKEN }),
    });
  }
  const [first, second] = [seen.slice(0, seen.length / 2), seen.slice(seen.length / 2)];
  expect(first.length).toBeGreaterThan(0);
  expect(first).toEqual(second);
});
