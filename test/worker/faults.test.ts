import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { compositionFaults } from "../../src/compose/composition-faults.ts";
import { parseConfig, parseTables } from "../../src/config/config.ts";
import hosting from "../../src/data/hosting-asns.csv";
import prices from "../../src/data/prices.csv";
import { inbox, outsideFaults, outsideState } from "../support/outside-control.ts";
import { codeFor, eventually, makeService } from "../support/service.ts";

const PHONE = "+919876543210";

test.each([{ delayMs: 1500 }, { down: true }])(
  "with limits gone (%j) sends pause and verification goes on",
  async (fault) => {
    const service = makeService();
    const { body } = await service.send({ phone: PHONE });
    const code = await codeFor(PHONE);
    await outsideFaults({ upstash: fault });
    const refused = await service.send({ phone: "+919876543211" });
    expect([refused.status, refused.body.code]).toEqual([503, "sending_paused"]);
    expect(await inbox("+919876543211")).toHaveLength(0);
    expect((await service.verify({ session: body.session, code })).status).toBe(200);
  },
);

test("an outage poisons neither an idempotency key nor a number", async () => {
  const service = makeService();
  const ask = () =>
    service.send({ phone: PHONE }, { "idempotency-key": "9d0f1a34-5a0d-4a44-9f56-2c9b1d6f0a11" });
  await outsideFaults({ upstash: { delayMs: 1300 } });
  expect((await ask()).body.code).toBe("sending_paused");
  await outsideFaults({ upstash: { delayMs: 0 } });
  const retried = await eventually(ask, ({ status }) => status === 202);
  expect(retried.status).toBe(202);
});

test("a silent siteverify lets a clean caller through on a normal day only", async () => {
  await outsideFaults({ siteverify: { down: true } });
  expect((await makeService().send({ phone: PHONE })).status).toBe(202);
  for (const token of ["x".repeat(2049), "a token", "tökén"]) {
    const nonsense = await makeService().send({ phone: "+919876543212", captcha_token: token });
    expect([nonsense.status, nonsense.body.code]).toEqual([403, "challenge_failed"]);
  }
  const strict = await makeService({ captcha: { on_outage: "refuse" } }).send({ phone: "+919876543211" });
  expect([strict.status, strict.body.code]).toEqual([503, "sending_paused"]);
});

test("a provider that refuses is delivery_failed, and the number's limits are given back", async () => {
  const service = makeService();
  await outsideFaults({ inbox: { mode: "refuse" } });
  const failed = await service.send({ phone: PHONE });
  expect([failed.status, failed.body.code]).toEqual([502, "delivery_failed"]);
  await outsideFaults({ inbox: { mode: "deliver" } });
  const retried = await eventually(
    () => service.send({ phone: PHONE }),
    ({ status }) => status === 202,
  );
  expect(retried.status).toBe(202);
});

test("a provider that falls silent leaves an unknown message, which is never sent a second time by itself", async () => {
  const service = makeService({ delivery: { timeout_ms: 500 } });
  await outsideFaults({ inbox: { mode: "time_out" } });
  const sent = await service.send({ phone: PHONE });
  expect(sent.status).toBe(202);
  expect((await service.session(sent.body.session)).body).toMatchObject({
    status: "pending",
    delivery: "unknown",
  });
});

test("an allowed send takes one round trip to Upstash before the message, and a refused one no more", async () => {
  const service = makeService({ limits: { ip: [{ max: 1, window_seconds: 3600 }] } });
  /** Requests to Upstash, once nothing goes on behind an answer any more. */
  const requests = async () => {
    for (let last = -1; ; ) {
      const { upstash } = await outsideState();
      if (upstash.requests === last) return last;
      last = upstash.requests;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  // Redis learns the scripts.
  await service.send({ phone: "+919876543299" }, { "idempotency-key": "k-0" });
  const before = await requests();
  await service.send({ phone: PHONE }, { "idempotency-key": "k-1" });
  // Admission, reservation, and one behind the answer.
  expect((await requests()) - before).toBe(3);
});

test("nothing that names a person or proves a secret reaches the log", async () => {
  const lines: string[] = [];
  const print = console.log;
  console.log = (...parts: unknown[]) => lines.push(parts.join(" "));
  try {
    const service = makeService({ attempts: { wait_seconds: [0] } });
    const sent = await service.send(
      { phone: PHONE, reference: "transfer-17" },
      { "idempotency-key": "secret-key" },
    );
    const code = await codeFor(PHONE);
    await service.verify({ session: sent.body.session, code: "0000", reference: "transfer-17" });
    const verified = await service.verify({ session: sent.body.session, code, reference: "transfer-17" });
    await service.send({ phone: PHONE });
    await outsideFaults({ inbox: { mode: "refuse" } });
    await service.send({ phone: "+919876543219" });
    const log = lines.join("\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.every((line) => typeof JSON.parse(line).fact === "string")).toBe(true);
    for (const secret of [
      PHONE,
      "9876543",
      code,
      sent.body.session,
      verified.body.proof,
      "secret-key",
      "198.18.",
    ]) {
      expect(log).not.toContain(secret);
    }
    expect(log).toContain(sent.body.correlation_id);
  } finally {
    console.log = print;
  }
});

test("faults of the configuration are listed by name, never by value", () => {
  const wrong = parseConfig({
    ...env,
    SESSION_KEYS: "k1:c2hvcnQ",
    UPSTASH_REDIS_REST_URL: undefined,
    POLICY: {
      ...(env.POLICY as unknown as object),
      attempts: { max: 0 },
      code: { ttl_seconds: 900 },
      limits: { number: [{ max: 1, window_seconds: 0 }] },
      surprise: true,
    },
  });
  expect(wrong.ok).toBe(false);
  const faults = wrong.ok ? "" : wrong.faults.join("\n");
  for (const name of [
    "POLICY.attempts.max",
    "POLICY.code.ttl_seconds",
    "POLICY.limits.number.0.window_seconds",
    "POLICY: does not know surprise",
    "SESSION_KEYS: key k1",
    "UPSTASH_REDIS_REST_URL: is missing",
  ]) {
    expect(faults).toContain(name);
  }
  expect(faults).not.toContain("c2hvcnQ");
});

test("production refuses what must never reach people outside", () => {
  const wrong = parseConfig({ ...env, ENVIRONMENT: "production" });
  const faults = wrong.ok ? "" : wrong.faults.join("\n");
  expect(faults).toContain("POLICY.delivery.providers: must be real providers in production");
  const development = parseConfig(env);
  const tables = parseTables({ prices, hosting });
  if (!development.ok || !tables.ok) throw new Error("the test's own configuration is good");
  expect(
    compositionFaults({ ...development.value, ENVIRONMENT: "production" }, tables.value, () => {}),
  ).toEqual(["CAPTCHA_SECRET_KEY: is a published test secret, which lets everybody through"]);
});
