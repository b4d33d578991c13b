/** Requests that break off: a client that leaves, a provider that takes its time, a handler that dies at any of its awaits. */
import { exports } from "cloudflare:workers";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { createApp } from "../../src/http/app.ts";
import { mortalParts, WAYS_TO_DIE, type WayToDie } from "../support/mortal-parts.ts";
import { inbox, outsideFaults } from "../support/outside-control.ts";
import { codeFor, eventually, from, makeService, wrong } from "../support/service.ts";

type Deps = ReturnType<typeof makeService>["deps"];

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers as a client without types would
type Answer = { status: number; body: any };

interface Ask {
  path: "/v1/send" | "/v1/verify";
  body: object;
  key: string;
  ip: string;
}

let numbers = 0;

/** Another person at each call: a number, an address and a single-use token of their own. */
function newPerson() {
  numbers += 1;
  const tail = String(numbers).padStart(5, "0");
  return { phone: `+9198765${tail}`, ip: `198.18.${numbers >> 8}.${numbers & 255}` };
}

function sendOf({ phone, ip } = newPerson()): Ask & { body: { phone: string } } {
  const body = { phone, captcha_token: `once-${crypto.randomUUID()}` };
  return { path: "/v1/send", body, key: crypto.randomUUID(), ip };
}

const verifyOf = (session: string, code: string, ip = "198.18.0.1"): Ask => ({
  path: "/v1/verify",
  body: { session, code },
  key: crypto.randomUUID(),
  ip,
});

const requestOf = ({ path, body, key, ip }: Ask, init: RequestInit = {}) =>
  new Request(`http://localhost${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key, ...from(ip) },
    body: JSON.stringify(body),
    ...init,
  });

const read = async (response: Response): Promise<Answer> => ({
  status: response.status,
  body: await response.json(),
});

const service = (deps: Deps) => {
  const app = createApp(deps, "development");
  return async (ask: Ask) => read(await app.request(requestOf(ask)));
};

/** The Worker itself, as a client reaches it. */
const worker = async (ask: Ask) => read(await exports.default.fetch(requestOf(ask)));

/** Repeats a request as a client does, until its answer is another one than to come back. */
async function repeat(ask: (ask: Ask) => Promise<Answer>, request: Ask, waitMs = 50): Promise<Answer> {
  for (let i = 0; ; i++) {
    const answer = await ask(request);
    if (!["in_progress", "sending_paused"].includes(answer.body.code) || i === 100) return answer;
    expect([answer.status, answer.body.retry_after > 0]).toEqual([
      answer.body.code === "in_progress" ? 409 : 503,
      true,
    ]);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

describe("a client that leaves in the middle of a send", () => {
  /** Leaves once the Worker is at work on it. */
  async function leave(ask: Ask, afterMs: number) {
    const leaving = new AbortController();
    const left = exports.default.fetch(requestOf(ask, { signal: leaving.signal }));
    setTimeout(() => leaving.abort(), afterMs);
    await expect(left).rejects.toThrow(/abort/i);
  }

  test.each([
    ["while its provider works", { inbox: { delay_ms: 1500 } }],
    ["while its token is checked", { siteverify: { delayMs: 800 } }],
    ["while the store is asked", { upstash: { delayMs: 400 } }],
  ])("%s gets its message once, and a repetition under its key gets the session", async (_, faults) => {
    await outsideFaults(faults);
    const ask = sendOf();
    await leave(ask, 200);
    const { phone } = ask.body;
    const [sent, another] = await Promise.all([repeat(worker, ask), repeat(worker, ask)]);
    expect([sent.status, another.status]).toEqual([202, 202]);
    expect(another.body.session).toBe(sent.body.session);
    await eventually(
      () => inbox(phone),
      ({ length }) => length > 0,
    );
    const verified = await worker(verifyOf(sent.body.session, await codeFor(phone)));
    expect(verified.status).toBe(200);
    expect(await inbox(phone)).toHaveLength(1);
  });

  test("never comes back, and its message leaves all the same", async () => {
    await outsideFaults({ siteverify: { delayMs: 500 } });
    const ask = sendOf();
    await leave(ask, 100);
    const messages = await eventually(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return inbox(ask.body.phone);
      },
      ({ length }) => length > 0,
    );
    expect(messages).toHaveLength(1);
  });
});

describe("a provider that takes its time", () => {
  test.each([
    ["a second and a half, within its time", 1500, "accepted"],
    ["7 s, beyond its time", 7000, "unknown"],
  ])(
    "of %s has one message, and a repetition meanwhile has the session of the first request",
    async (_, delayMs, delivery) => {
      await outsideFaults({ inbox: { delay_ms: delayMs } });
      const { deps, session } = makeService();
      const ask = service(deps);
      const request = sendOf();
      const { phone } = request.body;
      const answering = ask(request);
      const meanwhile = await repeat(ask, request);
      const first = await answering;
      const view = await session(first.body.session);
      expect(view.body).toMatchObject({ status: "pending", delivery });
      while ((await inbox(phone)).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
      const afterwards = await ask(request);
      expect([meanwhile, first, afterwards].map(({ status }) => status)).toEqual([202, 202, 202]);
      expect(new Set([meanwhile, first, afterwards].map(({ body }) => body.session)).size).toBe(1);
      expect(await inbox(phone)).toHaveLength(1);
      expect((await ask(verifyOf(first.body.session, await codeFor(phone)))).status).toBe(200);
    },
  );

  test("before whom the session is not open yet: a repetition is 409 with a time to return, then 202", async () => {
    const { deps } = makeService();
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const slow: Deps = {
      ...deps,
      challenge: { verify: (...token) => waiting.then(() => deps.challenge.verify(...token)) },
    };
    const ask = service({ ...deps, pause: async () => {} });
    const request = sendOf();
    const first = service(slow)(request);
    const held = await eventually(
      () => ask(request),
      ({ status }) => status === 409,
    );
    expect(held.body).toMatchObject({ status: 409, code: "in_progress", retry_after: 1 });
    goOn();
    const sent = await first;
    const again = await ask(request);
    expect([sent.status, again.status]).toEqual([202, 202]);
    expect(again.body.session).toBe(sent.body.session);
    expect(await inbox(request.body.phone)).toHaveLength(1);
  });
});

/** Quick to look again, and a clock that goes on by as much as the client waits. */
function healthy(deps: Deps) {
  let aheadMs = 0;
  const ask = service({
    ...deps,
    log: () => {},
    nowMs: () => Date.now() + aheadMs,
    pause: async () => {},
  });
  return async (request: Ask) => {
    const answer = await ask(request);
    if (answer.body.code === "in_progress") aheadMs += 5000;
    return answer;
  };
}

const LOOSE = {
  attempts: { wait_seconds: [0] },
  resend: { wait_seconds: [1] },
  limits: { number: [{ max: 10, window_seconds: 3600 }] },
};

/** Makes one request whose handler dies at its `at`th call; a handler that is gone has no answer, and one that lived no name of a call. */
async function dieAt(deps: Deps, way: WayToDie, at: number, request: Ask) {
  const dying = mortalParts(deps, way, at);
  const answering = service(dying.deps)(request);
  const answer = await Promise.race([
    answering,
    dying.death.then(() => (way === "with its isolate" ? null : answering)),
  ]);
  if (answer) await dying.settle();
  return { name: dying.calls[at - 1] ?? null, answer };
}

/**
 * Has a request die at each of its calls in turn, until it comes through alive.
 *
 * @param prepare makes the next request, with whatever it needs
 * @param outlive looks at what came of it
 * @returns the names of the calls it died at
 */
async function everyDeath<Case extends { request: Ask }>(
  deps: Deps,
  way: WayToDie,
  prepare: () => Promise<Case>,
  outlive: (prepared: Case, at: string, answer: Answer | null) => Promise<void>,
): Promise<string[]> {
  const names: string[] = [];
  // The first one learns which calls are awaited.
  const alive = await dieAt(deps, way, Number.POSITIVE_INFINITY, (await prepare()).request);
  for (let at = 1; ; at++) {
    const prepared = await prepare();
    const { name, answer } = await dieAt(deps, way, at, prepared.request);
    if (name === null) {
      expect(answer?.status).toBe(alive.answer?.status);
      return names;
    }
    names.push(name);
    await outlive(prepared, name, answer);
  }
}

describe.each(WAYS_TO_DIE)("a handler that dies %s", (way) => {
  test("at any await of a send: the same request gets a session, one message, and its code is verified", async () => {
    const { deps } = makeService(LOOSE);
    const ask = healthy(deps);
    const unsent: { at: string; session: string; phone: string; ip: string }[] = [];
    async function verifyAll(at: string, session: string, phone: string) {
      const verified = await ask(verifyOf(session, await codeFor(phone)));
      expect([verified.status, at], verified.body.code).toEqual([200, at]);
      expect(await inbox(phone), at).toHaveLength(1);
    }

    const names = await everyDeath(
      deps,
      way,
      async () => ({ request: sendOf() }),
      async ({ request }, at, answer) => {
        const { phone } = request.body;
        if (answer) expect([202, 500, 503], at).toContain(answer.status);
        const sent = await repeat(ask, request, 0);
        expect([sent.status, at], sent.body.code).toEqual([202, at]);
        const { session } = sent.body;
        if (answer?.status === 202) expect(session, at).toBe(answer.body.session);
        const isSent = (await inbox(phone)).length > 0;
        if (isSent) await verifyAll(at, session, phone);
        else unsent.push({ at, session, phone, ip: request.ip });
      },
    );
    // They died once their session was open and before their message left, which nobody can know: the person asks for another.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const { at, session, phone, ip } of unsent) {
      const again = sendOf({ phone, ip });
      const resent = await ask({ ...again, body: { ...again.body, session } });
      expect([resent.status, at], resent.body.code).toEqual([202, at]);
      await verifyAll(at, session, phone);
    }
    expect(names).toEqual(expect.arrayContaining(["admission.ask", "challenge.verify", "sessions.open"]));
    expect(names).toEqual(expect.arrayContaining(["budgets.reserve", "sandbox.send", "sessions.settle"]));
  });

  test("at any await of a verify: the same right code has the same proof, and teaches once", async () => {
    const { deps } = makeService(LOOSE);
    let taught: string[] = [];
    const { verified, failed } = deps.verifications;
    deps.verifications = {
      failed,
      async verified(code) {
        await verified(code);
        taught.push(code.numberTag);
      },
    };
    const ask = healthy(deps);
    const names = await everyDeath(
      deps,
      way,
      async () => {
        const { session, code, ip } = await opened(ask);
        taught = [];
        return { request: verifyOf(session, code, ip) };
      },
      async ({ request }, at, answer) => {
        if (answer) expect([200, 500, 503], at).toContain(answer.status);
        const again = await repeat(ask, request, 0);
        expect([again.status, at], again.body.code).toEqual([200, at]);
        if (answer?.status === 200) expect(jtiOf(again), at).toBe(jtiOf(answer));
        const other = await ask({ ...request, key: crypto.randomUUID() });
        expect([other.status, at], "a code is good once").toEqual([410, at]);
        await eventually(
          async () => taught,
          ({ length }) => length > 0 || mayTeachNothing(at),
        );
        if (!mayTeachNothing(at)) expect([taught.length, at]).toEqual([1, at]);
        expect(taught.length, at).toBeLessThan(2);
      },
    );
    expect(names).toEqual(
      expect.arrayContaining([
        "tokens.open",
        "sessions.attemptOnce",
        "proofs.sign",
        "verifications.verified",
      ]),
    );
  });

  test("at any await of a verify: the same wrong code counts once, and the right one is verified after it", async () => {
    const { deps } = makeService(LOOSE);
    const ask = healthy(deps);
    const names = await everyDeath(
      deps,
      way,
      async () => {
        const { session, code, ip } = await opened(ask);
        return { request: verifyOf(session, wrong(code), ip), session, code };
      },
      async ({ request, session, code }, at, answer) => {
        if (answer)
          expect([answer.body.code, at]).toEqual([
            expect.stringMatching(/^(code_incorrect|internal_error|sending_paused)$/),
            at,
          ]);
        const again = await repeat(ask, request, 0);
        expect([again.body.code, again.body.attempts_left, at]).toEqual(["code_incorrect", 4, at]);
        expect((await ask(verifyOf(session, code, request.ip))).status, at).toBe(200);
      },
    );
    expect(names).toEqual(
      expect.arrayContaining(["tokens.open", "sessions.attemptOnce", "verifications.failed"]),
    );
  });

  /** An answer that is lost, or that nobody is left to hear, teaches nothing but the ledger; nor does a store that is away. */
  const mayTeachNothing = (at: string) =>
    way === "with its isolate" ||
    at === "verifications.verified" ||
    (way === "on the way back" && at === "sessions.attemptOnce");
});

/** A person with a code. */
async function opened(ask: (ask: Ask) => Promise<Answer>) {
  const sending = sendOf();
  const { body } = await ask(sending);
  return { session: body.session as string, code: await codeFor(sending.body.phone), ip: sending.ip };
}

const jtiOf = ({ body }: Answer) => decodeJwt(body.proof).jti;
