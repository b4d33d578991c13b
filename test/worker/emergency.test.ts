import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { monitor } from "../../src/flows/monitor/monitor.ts";
import worker from "../../src/worker.ts";
import { outsideFaults, outsideState } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, DUMMY_TOKEN, eventually, from, makeService } from "../support/service.ts";

const MINUTE = 60_000;
/** Tomorrow's noon: alarms run on the real clock, and one set in its past would delete a session at once. */
const NOON = (Math.floor(Date.now() / 86_400_000) + 1.5) * 86_400_000 + 5000;

afterEach(async () => {
  vi.useRealTimers();
  for (const key of ["emergency-mode", "cron-blocks", "operator-mode"]) await env.CONTROL.delete(key);
});

function at(ms: number) {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(ms);
}

test("a pump raises the flag, the flag demands the challenge, and healthy minutes take it down step by step", async () => {
  at(NOON);
  const service = makeService({ challenge: "emergency", ...ROOMY });
  const bare = (i: number) =>
    service.call("POST", "/v1/send", { phone: `+9198765${43000 + i}` }, from(`192.0.2.${i}`));
  for (let i = 0; i < 40; i++) expect((await bare(i)).status).toBe(202);
  // Each asks twice, with the limit of wrong codes beside, and is counted.
  await eventually(outsideState, ({ upstash }) => (upstash.byName.evalsha ?? 0) >= 40 * 4);

  await monitor(service.deps, NOON + 10_000);
  expect(await env.CONTROL.get("emergency-mode"), "too young to judge").toBeNull();

  at(NOON + 2 * MINUTE);
  await monitor(service.deps, NOON + 2 * MINUTE);
  const flag = JSON.parse((await env.CONTROL.get("emergency-mode")) ?? "null");
  expect(flag).toMatchObject({ posture: "emergency", by: "cron", until_ms: NOON + 62 * MINUTE });

  expect((await bare(50)).body.code).toBe("challenge_required");
  // Another range and another network: those of the pump are shut.
  const withToken = { phone: "+919012345051", captcha_token: DUMMY_TOKEN };
  const answer = await service.call("POST", "/v1/send", withToken, from("203.0.113.51", 64511));
  expect(answer.status).toBe(202);

  const postures: string[] = [];
  for (let minute = 18; minute <= 52; minute++) {
    at(NOON + minute * MINUTE);
    const phone = `+9190123450${minute}`;
    const elsewhere = from(`203.0.113.${minute}`, 64511);
    const { body } = await service.send({ phone }, elsewhere);
    await service.verify({ session: body.session, code: await codeFor(phone) });
    await monitor(service.deps, NOON + minute * MINUTE);
    postures.push(JSON.parse((await env.CONTROL.get("emergency-mode")) ?? "{}").posture ?? "normal");
  }
  const steps = postures.filter((posture, i) => posture !== postures[i - 1]);
  expect(steps, "step by step").toEqual(["emergency", "elevated", "normal"]);
  expect((await bare(60)).body.code, "the pump's range stays shut for its hour").toBe("challenge_required");
  const other = await service.call(
    "POST",
    "/v1/send",
    { phone: "+919012345060" },
    from("203.0.113.60", 64511),
  );
  expect(other.status).toBe(202);
});

test("an attack that lasts extends the flag, and honest traffic never raises it", async () => {
  at(NOON);
  const service = makeService(ROOMY);
  for (let i = 0; i < 35; i++) {
    const phone = `+9198765${44000 + i}`;
    const { body } = await service.send({ phone });
    if (i % 3 > 0) await service.verify({ session: body.session, code: await codeFor(phone) });
  }
  await eventually(outsideState, ({ upstash }) => (upstash.byName.evalsha ?? 0) >= 35 * 4 + 23);
  at(NOON + 3 * MINUTE);
  await monitor(service.deps, NOON + 3 * MINUTE);
  expect(await env.CONTROL.get("emergency-mode")).toBeNull();
});

test("shutdown answers 503 to sends while codes already out still verify", async () => {
  const service = makeService();
  const { body } = await service.send({ phone: "+919876543210" });
  const code = await codeFor("+919876543210");
  const nowMs = Date.now();
  await service.deps.control.writeCron({
    posture: "shutdown",
    since_ms: nowMs,
    until_ms: nowMs + 3_600_000,
    by: "operator",
    why: "test",
    healthy_since_ms: null,
  });
  const paused = await service.send({ phone: "+919876543211" });
  expect([paused.status, paused.body.code]).toEqual([503, "sending_paused"]);
  expect((await service.verify({ session: body.session, code })).status).toBe(200);
});

test("what people set wins over the cron's flag, whatever the cron does", async () => {
  const nowMs = Date.now();
  const shutdown = {
    posture: "shutdown",
    since_ms: nowMs,
    until_ms: nowMs + 3_600_000,
    by: "operator",
    why: "test",
  };
  const service = makeService();
  await service.deps.control.read();
  await env.CONTROL.put("operator-mode", JSON.stringify(shutdown));
  await service.deps.control.writeCron({
    ...shutdown,
    posture: "emergency",
    by: "cron",
    healthy_since_ms: null,
  });
  const elsewhere = makeService();
  expect((await elsewhere.send({ phone: "+919876543210" })).body.code).toBe("sending_paused");
  await env.CONTROL.delete("operator-mode");
});

test("an emergency halves the limits", async () => {
  const service = makeService(ROOMY);
  await service.deps.control.writeCron({
    posture: "emergency",
    since_ms: Date.now(),
    until_ms: Date.now() + 3_600_000,
    by: "operator",
    why: "test",
    healthy_since_ms: null,
  });
  const ask = (i: number) => service.send({ phone: `+91987654301${i}` }, from("192.0.2.9"));
  for (let i = 0; i < 5; i++) expect((await ask(i)).status).toBe(202);
  expect((await ask(5)).status).toBe(429);
});

test.each(["{", '"normal"', '{"posture": "relaxed"}'])(
  "a control document like %s is an emergency",
  async (text) => {
    await env.CONTROL.put("emergency-mode", text);
    const service = makeService({ challenge: "emergency", ...ROOMY });
    const answer = await service.call("POST", "/v1/send", { phone: "+919876543210" }, from("192.0.2.1"));
    expect(answer.body.code).toBe("challenge_required");
  },
);

test("a blind watch changes nothing", async () => {
  const service = makeService();
  await outsideFaults({ upstash: { down: true } });
  await monitor(service.deps, Date.now());
  expect(await env.CONTROL.get("emergency-mode")).toBeNull();
});

test("an unknown cron string throws", async () => {
  const controller = { cron: "0 0 * * *", scheduledTime: Date.now(), noRetry: () => undefined };
  await expect(worker.scheduled(controller as ScheduledController, env)).rejects.toThrow("unknown cron");
});
