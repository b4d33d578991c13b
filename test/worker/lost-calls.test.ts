/** Calls to a session's object that are lost on the way there or on the way back. */
import { env } from "cloudflare:workers";
import { beforeEach, expect, test, vi } from "vitest";
import { objectSessions } from "../../src/adapters/cloudflare/object-sessions.ts";
import { createApp } from "../../src/http/app.ts";
import { inbox } from "../support/outside-control.ts";
import { codeFor, DUMMY_TOKEN, eventually, from, makeService } from "../support/service.ts";

const PHONE = "+919876543210";

type Loss = { before?: Error; after?: Error };

/** How calls of each method fail, in turn; what is not named goes through. */
const losses = new Map<string, Loss[]>();
const stubs = { made: 0, calls: [] as string[] };
beforeEach(() => {
  losses.clear();
  Object.assign(stubs, { made: 0, calls: [] });
});

const lost = () => Object.assign(new Error("Network connection lost."), { retryable: true });
const reset = () => new Error("Durable Object reset because its code was updated.");
const overloaded = () =>
  Object.assign(new Error("Durable Object is overloaded."), { overloaded: true, retryable: true });

/** The objects, over a line that loses calls; a stub that lost one loses all that come after, as the platform's do. */
const namespace = {
  idFromName: (name: string) => env.SESSIONS.idFromName(name),
  get(id: DurableObjectId) {
    stubs.made += 1;
    const stub = env.SESSIONS.get(id);
    let broken: Error | null = null;
    return new Proxy(stub, {
      get:
        (_, method: string) =>
        async (...args: unknown[]) => {
          stubs.calls.push(method);
          if (broken) throw broken;
          const loss = losses.get(method)?.shift();
          if (loss?.before) {
            broken = loss.before;
            throw broken;
          }
          const methods = stub as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
          const result = await methods[method]?.(...args);
          if (loss?.after) throw loss.after;
          return result;
        },
    });
  },
} as unknown as typeof env.SESSIONS;

function serve() {
  const { deps } = makeService({ attempts: { wait_seconds: [0] } });
  const app = createApp({ ...deps, sessions: objectSessions(namespace) }, "development");
  return async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const response = await app.request(`http://localhost${path}`, {
      method,
      headers: { "content-type": "application/json", ...from("198.18.0.1"), ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    // biome-ignore lint/suspicious/noExplicitAny: tests look at answers as a client without types would
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  };
}

const SEND = { phone: PHONE, captcha_token: DUMMY_TOKEN };

test.each([
  ["on the way there", { before: lost() }],
  ["on the way back", { after: lost() }],
  ["by an error without flags", { before: reset() }],
])("an opening that is lost once %s is repeated on a new stub: one session, one message", async (_, loss) => {
  losses.set("open", [loss]);
  const ask = serve();
  const sent = await ask("POST", "/v1/send", SEND);
  expect(sent.status).toBe(202);
  expect(stubs.calls.filter((method) => method === "open")).toHaveLength(2);
  expect(await inbox(PHONE)).toHaveLength(1);
  const verified = await ask("POST", "/v1/verify", {
    session: sent.body.session,
    code: await codeFor(PHONE),
  });
  expect(verified.status).toBe(200);
});

test("a status that is lost once is asked for again, twice is 503 with a time to return", async () => {
  const ask = serve();
  const { body } = await ask("POST", "/v1/send", SEND);
  const look = () => ask("GET", "/v1/session", undefined, { authorization: `Bearer ${body.session}` });
  losses.set("view", [{ before: lost() }]);
  expect((await look()).status).toBe(200);
  losses.set("view", [{ before: lost() }, { before: lost() }]);
  const refused = await look();
  expect(refused.body).toMatchObject({ status: 503, code: "sending_paused", retry_after: 2 });
  expect(refused.headers.get("retry-after")).toBe("2");
  expect((await look()).status).toBe(200);
});

test("an overloaded object is not asked again", async () => {
  const ask = serve();
  const { body } = await ask("POST", "/v1/send", SEND);
  stubs.calls.length = 0;
  losses.set("view", [{ before: overloaded() }]);
  const refused = await ask("GET", "/v1/session", undefined, { authorization: `Bearer ${body.session}` });
  expect([refused.status, refused.body.code]).toEqual([503, "sending_paused"]);
  expect(stubs.calls).toEqual(["view"]);
});

test.each([{ before: lost() }, { after: lost() }])(
  "an attempt without a key is not repeated, and is 503 when it is lost (%j)",
  async (loss) => {
    const ask = serve();
    const { body } = await ask("POST", "/v1/send", SEND);
    losses.set("attempt", [loss]);
    stubs.calls.length = 0;
    const refused = await ask("POST", "/v1/verify", { session: body.session, code: await codeFor(PHONE) });
    expect([refused.status, refused.body.code, refused.body.retry_after]).toEqual([503, "sending_paused", 2]);
    expect(stubs.calls).toEqual(["attempt"]);
  },
);

test.each([{ before: lost() }, { after: lost() }])(
  "an attempt under a key is repeated when it is lost, counts once, teaches once and has one proof (%j)",
  async (loss) => {
    const lines: string[] = [];
    const print = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    const ask = serve();
    const { body } = await ask("POST", "/v1/send", SEND);
    losses.set("attemptOnce", [loss, loss]);
    const verify = (code: string, key: string) =>
      ask("POST", "/v1/verify", { session: body.session, code }, { "idempotency-key": key });
    losses.set("attemptOnce", [loss]);
    const wrong = await verify("0000000", "a-key-of-more-than-22-characters");
    expect(wrong.body).toMatchObject({ code: "code_incorrect", attempts_left: 4 });
    losses.set("attemptOnce", [loss]);
    expect((await verify(await codeFor(PHONE), "another-key-of-22-characters")).status).toBe(200);
    print.mockRestore();
    const facts = lines.map((line) => JSON.parse(line).fact).filter((fact) => fact.startsWith("attempt_"));
    expect(facts).toEqual(["attempt_incorrect", "attempt_verified"]);
  },
);

test("a send whose session cannot be opened is 503, sends nothing and leaves its key free", async () => {
  const ask = serve();
  const headers = { "idempotency-key": "9d0f1a34-5a0d-4a44-9f56-2c9b1d6f0a12" };
  losses.set("open", [{ before: lost() }, { before: lost() }]);
  const refused = await ask("POST", "/v1/send", SEND, headers);
  expect(refused.body).toMatchObject({ status: 503, code: "sending_paused", retry_after: 2 });
  expect(await inbox(PHONE)).toHaveLength(0);
  const repeated = await eventually(
    () => ask("POST", "/v1/send", SEND, headers),
    ({ status }) => status === 202,
  );
  expect(repeated.body).toMatchObject({ channel: "sms" });
  expect(await inbox(PHONE)).toHaveLength(1);
});

test("a message that left counts though its settling is lost", async () => {
  const ask = serve();
  losses.set("settle", [{ before: lost() }, { before: lost() }]);
  const sent = await ask("POST", "/v1/send", SEND);
  expect(sent.status).toBe(202);
  const code = await codeFor(PHONE);
  expect((await ask("POST", "/v1/verify", { session: sent.body.session, code })).status).toBe(200);
});

test("the log says that a session was lost, and nothing of the platform's words", async () => {
  const lines: string[] = [];
  const print = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
  const ask = serve();
  const { body } = await ask("POST", "/v1/send", SEND);
  losses.set("view", [{ before: new Error(`lost ${PHONE}`) }, { before: new Error(`lost ${PHONE}`) }]);
  await ask("GET", "/v1/session", undefined, { authorization: `Bearer ${body.session}` });
  print.mockRestore();
  expect(lines.join("\n")).toContain("session object lost");
  expect(lines.join("\n")).not.toContain(PHONE);
});
