import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { sumTallies } from "../../src/domain/monitor/tally.ts";
import { inbox, outsideFaults, outsideState } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, eventually, from, makeService, wrong } from "../support/service.ts";
import { STRICT } from "../support/strict.ts";

let numbers = 0;
/** A number nobody used yet, in a block of its own. */
const fresh = () => `+9198${String(70_000_000 + 10_007 * numbers++).slice(0, 8)}`;
let addresses = 0;
const home = () => from(`49.36.${addresses >> 8}.${addresses++ & 255}`, 55_836, "IN");

type Service = ReturnType<typeof makeService>;

/** Sends unanswered messages from new addresses until one is not let through. */
async function pump(service: Service, most: number) {
  for (let out = 0; out < most; out++) {
    const answer = await service.send({ phone: fresh() }, home());
    if (answer.status !== 202) return { out, answer };
  }
  throw new Error(`${most} messages left`);
}

async function verified(service: Service, phone: string, body: Record<string, unknown> = {}) {
  const sent = await service.send({ phone, ...body }, home());
  const answer = await service.verify({ session: sent.body.session, code: await codeFor(phone) });
  expect(answer.status).toBe(200);
  await quiet();
  return answer.body.device_token as string;
}

// First, because refusals are counted some seconds later, by a command that would be counted here.
test("a rule in record-only mode that is met and heard of costs no request and no command more", async () => {
  const service = makeService({ ...ROOMY, risk: { ...ROOMY.risk, record_only: ["hosting_network"] } });
  const journey = async (headers: Record<string, string>) => {
    const before = await quiet();
    const phone = fresh();
    const { body } = await service.send({ phone }, headers);
    expect((await service.verify({ session: body.session, code: await codeFor(phone) })).status).toBe(200);
    const { upstash } = await quiet();
    return [upstash.requests - before.upstash.requests, upstash.commands - before.upstash.commands];
  };
  // Redis learns the scripts.
  await journey(home());
  expect(await journey(from("203.0.113.78", 16_276))).toEqual(await journey(home()));
  const window = await service.deps.counters.window(Math.floor(Date.now() / 60_000), 5);
  const counted = window.kind === "answered" ? sumTallies(window.minutes.map(({ tally }) => tally)) : null;
  expect(counted?.get("rule hosting_network/default")).toMatchObject({ met: 1, sent: 1, verified: 1 });
});

test("an allowed send takes five commands in three hops, a refused one four in two and no object", async () => {
  const service = makeService(STRICT);
  const ask = (key: string) =>
    service.send({ phone: fresh(), device_id: "d-1" }, { ...home(), "idempotency-key": key });
  // Redis learns the scripts.
  await ask("count-0");
  const start = await quiet();
  expect((await ask("count-1")).status).toBe(202);
  const allowed = await quiet();
  // Admission beside the limits of wrong codes and of the device, reservation, and behind the answer the binding.
  expect(allowed.upstash.commands - start.upstash.commands).toBe(5);
  expect(allowed.upstash.requests - start.upstash.requests).toBe(3);

  await pump(service, 20);
  const before = await quiet();
  const objects = (await listDurableObjectIds(env.SESSIONS)).length;
  expect((await ask("count-2")).status).toBe(403);
  const after = await quiet();
  // Admission with the same two limits, and behind the answer the key and the demand.
  expect(after.upstash.commands - before.upstash.commands).toBe(4);
  expect(after.upstash.requests - before.upstash.requests).toBe(2);
  expect((await listDurableObjectIds(env.SESSIONS)).length).toBe(objects);

  await service.send({ phone: "+18002345678" }, home());
  await service.send({ phone: "+91123" }, home());
  const hygiene = await quiet();
  expect(hygiene.upstash.commands, "counted with the next ones").toBe(after.upstash.commands);
  const window = await service.deps.counters.window(Math.floor(Date.now() / 60_000), 5);
  const counted = window.kind === "answered" ? sumTallies(window.minutes.map(({ tally }) => tally)) : null;
  expect(counted?.get("overall all")).toMatchObject({
    "refused:number_type_refused": 1,
    "refused:number_invalid": 1,
  });
});

test("an attack on a country stops itself after its budget, whatever addresses it comes from", async () => {
  const service = makeService(STRICT);
  const { out, answer } = await pump(service, 20);
  expect(out).toBe(5);
  expect([answer.status, answer.body.code]).toEqual([403, "challenge_required"]);
  expect(answer.body.challenge.fresh).toBe(true);
});

test("with the country used up a stranger passes a fresh challenge, and someone known passes without", async () => {
  const service = makeService({ ...STRICT, limits: { number: [{ max: 9, window_seconds: 60 }] } });
  const known = fresh();
  await verified(service, known);
  await pump(service, 20);

  expect((await service.send({ phone: known }, home())).status).toBe(202);

  const [stranger, address] = [fresh(), home()];
  expect((await service.send({ phone: stranger }, address)).body.code).toBe("challenge_required");
  await eventually(
    () => service.send({ phone: stranger, captcha_token: `once-${stranger}` }, address),
    ({ status }) => status === 202,
  );
  expect(await inbox(stranger)).toHaveLength(1);
});

test("when the second purse is empty too, another factor is named; a flow without one says no like any limit", async () => {
  const service = makeService({
    ...STRICT,
    exposure: { ...STRICT.exposure, challenged: { country: { base: 0 } } },
    flows: { signup: { step_up: ["email", "passkey"] }, login: { step_up: [] } },
  });
  for (let i = 0; i < 5; i++) await service.send({ phone: fresh(), flow: "signup" }, home());
  const stepUp = await service.send({ phone: fresh(), flow: "signup" }, home());
  expect([stepUp.status, stepUp.body.code]).toEqual([403, "step_up_required"]);
  expect(stepUp.body.step_up).toEqual({ factors: ["email", "passkey"] });
  const denied = await service.send({ phone: fresh(), flow: "login" }, home());
  const limited = await limitedAnswer(service);
  expect(denied.status).toBe(429);
  expect(Object.keys(denied.body).sort()).toEqual(Object.keys(limited.body).sort());
  expect(denied.body.title).toBe(limited.body.title);
});

/** The same number twice within its minute. */
async function limitedAnswer(service: Service) {
  const known = makeService();
  const phone = fresh();
  await known.send({ phone }, home());
  return service.send({ phone, flow: "login" }, home());
}

test("a verification gives its unit back and earns room", async () => {
  const service = makeService(STRICT);
  for (let i = 0; i < 6; i++) await verified(service, fresh());
  // 5 units of base and half a unit for each of six verifications.
  expect((await pump(service, 20)).out).toBe(8);
});

test("a provider's refusal gives the unit back, and an idle device token opens nothing it was not issued for", async () => {
  const service = makeService(STRICT);
  await outsideFaults({ inbox: { mode: "refuse" } });
  for (let i = 0; i < 10; i++) expect((await service.send({ phone: fresh() }, home())).status).toBe(502);
  await outsideFaults({ inbox: { mode: "deliver" } });
  await eventually(outsideState, ({ upstash }) => (upstash.byName.incrby ?? 0) >= 0);
  expect((await pump(service, 20)).out).toBe(5);
  const forged = await service.send({ phone: fresh(), device_token: "not.a.token" }, home());
  expect(forged.body.code).toBe("challenge_required");
});

test("machines of a hosting network and callers from abroad bring a fresh challenge from the start", async () => {
  const service = makeService(STRICT);
  for (const source of [
    from("52.1.2.3", 16_509, "IN"),
    from("81.2.3.4", 2856, "GB"),
    from("198.51.100.7", 60_729, "T1"),
  ]) {
    const answer = await service.send({ phone: fresh() }, source);
    expect(answer.body).toMatchObject({ code: "challenge_required", challenge: { fresh: true } });
  }
});

test("blocked sources are refused like any limit", async () => {
  const service = makeService({
    ...STRICT,
    source: { block_ips: ["203.0.113.0/24"], block_networks: [64_666], block_countries: ["KP"] },
  });
  for (const source of [
    from("203.0.113.9"),
    from("49.36.1.1", 64_666),
    from("175.45.176.1", 131_279, "KP"),
  ]) {
    expect((await service.send({ phone: fresh() }, source)).body.code).toBe("too_many_requests");
  }
});

test("a bombed victim still logs in on the own device", async () => {
  const service = makeService(STRICT);
  const victim = fresh();
  const device_token = await verified(service, victim, { flow: "login" });
  let bombs = 0;
  for (let i = 0; i < 30; i++)
    bombs += (await service.send({ phone: victim }, home())).status === 202 ? 1 : 0;
  expect(bombs).toBeLessThanOrEqual(1);
  const own = await service.send({ phone: victim, flow: "login", device_token }, home());
  expect(own.status).toBe(202);
});

test("failures of strangers make strangers wait, and never the owner's device", async () => {
  const service = makeService({
    ...STRICT,
    attempts: { wait_seconds: [0] },
    limits: { number: [{ max: 9, window_seconds: 60 }] },
  });
  const phone = fresh();
  const device_token = await verified(service, phone);
  const sent = await service.send({ phone }, home());
  const code = await codeFor(phone);
  for (let i = 0; i < 5; i++) await service.verify({ session: sent.body.session, code: wrong(code) });
  const stranger = await eventually(
    () => service.send({ phone }, home()),
    ({ status }) => status === 429,
  );
  expect(stranger.body.code).toBe("too_many_requests");
  expect((await service.send({ phone, device_token }, home())).status).toBe(202);
});

test("a decoy looks like a send, sends nothing, and its session verifies nothing", async () => {
  const service = makeService({ ...STRICT, risk: { decoy: true }, source: { block_networks: [64_666] } });
  const phone = fresh();
  const decoy = await service.send({ phone }, from("49.36.2.2", 64_666));
  const real = await service.send({ phone: fresh() }, home());
  expect(decoy.status).toBe(202);
  expect(Object.keys(decoy.body)).toEqual(Object.keys(real.body));
  expect(await inbox(phone)).toHaveLength(0);
  expect((await service.session(decoy.body.session)).body).toMatchObject({
    status: "pending",
    delivery: "accepted",
  });
  expect((await service.verify({ session: decoy.body.session, code: "123456" })).body.code).toBe(
    "code_incorrect",
  );
  expect([...decoy.headers.keys()].sort()).toEqual([...real.headers.keys()].sort());
});

test("rules in record-only mode stop nobody", async () => {
  const service = makeService({ ...STRICT, risk: { record_only: ["exposure"] } });
  await expect(pump(service, 12)).rejects.toThrow("12 messages left");
  const all = makeService({ ...STRICT, risk: { record_all: true } });
  await expect(pump(all, 12)).rejects.toThrow("12 messages left");
});

test("a spend cap pauses sending, and what it refused cost nothing", async () => {
  const caps = { hour_micros: 7000, day_micros: 1_000_000, month_micros: 1_000_000 };
  const service = makeService({ money: { country_caps: { IN: caps } } });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await service.send({ phone: fresh() }, home())).status);
  expect(statuses).toEqual([202, 202, 503, 503]);
  expect((await service.send({ phone: "+6591234567" }, from("49.36.9.9", 9506, "SG"))).status).toBe(202);
});

test("an operator may lift the caps for a while", async () => {
  const policy = {
    money: { country_caps: { IN: { hour_micros: 3000, day_micros: 3000, month_micros: 3000 } } },
  };
  const nowMs = Date.now();
  const lifted = {
    posture: "normal",
    since_ms: nowMs,
    until_ms: nowMs + 60_000,
    by: "operator",
    why: "campaign",
  };
  await env.CONTROL.put("operator-mode", JSON.stringify({ ...lifted, caps_lifted: true }));
  const service = makeService(policy);
  for (let i = 0; i < 3; i++) expect((await service.send({ phone: fresh() }, home())).status).toBe(202);
  await env.CONTROL.delete("operator-mode");
  expect((await makeService(policy).send({ phone: fresh() }, home())).body.code).toBe("sending_paused");
});

test("a cap that is reached refuses without a session object", async () => {
  const service = makeService({
    money: { country_caps: { IN: { hour_micros: 1, day_micros: 1, month_micros: 1 } } },
  });
  const before = (await listDurableObjectIds(env.SESSIONS)).length;
  const answer = await service.send({ phone: fresh() }, home());
  expect([answer.status, answer.body.code]).toEqual([503, "sending_paused"]);
  expect((await listDurableObjectIds(env.SESSIONS)).length).toBe(before);
});

test("a device token opens the door of its own number and of no other", async () => {
  const service = makeService(STRICT);
  const device_token = await verified(service, fresh());
  await pump(service, 20);
  expect((await service.send({ phone: fresh(), device_token }, home())).body.code).toBe("challenge_required");
  const odd = await service.send({ phone: fresh(), device_token }, from("52.1.2.3", 16_509, "US"));
  expect(odd.body.code).toBe("challenge_required");
});

test("failures against a number stop whoever brings the token of another one", async () => {
  const service = makeService({ ...STRICT, attempts: { wait_seconds: [0] } });
  const device_token = await verified(service, fresh());
  const victim = fresh();
  const sent = await service.send({ phone: victim }, home());
  const code = await codeFor(victim);
  for (let i = 0; i < 5; i++) await service.verify({ session: sent.body.session, code: wrong(code) });
  const loose = makeService({ ...STRICT, limits: { number: [{ max: 9, window_seconds: 60 }] } });
  const answer = await eventually(
    () => loose.send({ phone: victim, device_token }, home()),
    ({ status }) => status === 429,
  );
  expect(answer.body.code).toBe("too_many_requests");
});

test("one solved token, sent twice under one idempotency key, is not a fresh challenge", async () => {
  const service = makeService(STRICT);
  await pump(service, 20);
  const [phone, address] = [fresh(), home()];
  const headers = { ...address, "idempotency-key": "8b8f5f0e-96a8-4a5c-9d70-3b1f7e1f0001" };
  const ask = (captcha_token: string) => service.send({ phone, captcha_token }, headers);
  expect((await ask("once-same")).body.code).toBe("challenge_required");
  await quiet();
  expect((await ask("once-same")).body.code).toBe("challenge_required");
  expect((await ask("once-other")).status).toBe(202);
});

test("verifying the same number over and over proves no address", async () => {
  const service = makeService({ ...STRICT, limits: { number: [{ max: 99, window_seconds: 60 }] } });
  const [phone, address] = [fresh(), home()];
  for (let i = 0; i < 5; i++) {
    const sent = await service.send({ phone }, address);
    await service.verify({ session: sent.body.session, code: await codeFor(phone) });
    await quiet();
  }
  await pump(service, 20);
  expect((await service.send({ phone: fresh() }, address)).status).toBe(403);
});

test("a group of countries has its own, tighter rules", async () => {
  const groups = { tight: { countries: ["IN"], exposure: { country: { base: 1, gain: 0 } } } };
  expect((await pump(makeService({ ...STRICT, groups }), 20)).out).toBe(1);
});

test("every stranger is challenged where policy demands it by posture or by unanswered messages", async () => {
  const strict = makeService({ ...STRICT, postures: { elevated: { fresh_challenge: true } } });
  const nowMs = Date.now();
  const document = { posture: "elevated" as const, since_ms: nowMs, until_ms: nowMs + 60_000 };
  await strict.deps.control.writeCron({ ...document, by: "cron", why: "test", healthy_since_ms: null });
  expect((await strict.send({ phone: fresh() }, home())).body.code).toBe("challenge_required");
  await strict.deps.control.writeCron(null);
  const second = makeService({ ...STRICT, captcha: { demand: { from_unverified: 1 } } });
  const address = home();
  expect((await second.send({ phone: fresh() }, address)).status).toBe(202);
  expect((await second.send({ phone: fresh() }, address)).body.code).toBe("challenge_required");
});

test("headers tell of the caller's own limits and of nothing else", async () => {
  const service = makeService(STRICT);
  const answer = await service.send({ phone: fresh() }, home());
  expect(answer.headers.get("ratelimit-policy")).toBe('"own";q=10');
  expect(answer.headers.get("ratelimit")).toBe('"own";r=9');
});

/** The outside once nothing goes on behind an answer any more. */
async function quiet() {
  for (let last = -1; ; ) {
    const state = await outsideState();
    if (state.upstash.commands === last) return state;
    last = state.upstash.commands;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("sends at once into a budget of five let five out, and the others leave nothing behind", async () => {
  const service = makeService(STRICT);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => service.send({ phone: fresh() }, home())),
  );
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(5);
});
