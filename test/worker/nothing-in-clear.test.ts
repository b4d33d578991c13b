import { createExecutionContext, runInDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CUSTOMER_EVENT_TYPES } from "../../src/domain/session/customer-event.ts";
import { monitor } from "../../src/flows/monitor/monitor.ts";
import worker from "../../src/worker.ts";
import { OPERATOR_TOKEN, OUTSIDE, UPSTASH_TOKEN, VIEWER_TOKEN } from "../support/addresses.ts";
import { outsideFaults } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, DUMMY_TOKEN, eventually, from, makeService, wrong } from "../support/service.ts";

const PHONE = "+919876543210";
const LEFT = "+919123456780";
const FAILED = "+919234567801";
const LATE = "+919345678012";
const IP = "198.51.100.77";
const IPV6 = "2001:db8:1234:5678::77";
const KEY = "7d0c8f0e-5a51-4a0e-9d1c-000000000001";
const HOOK = {
  EVENTS_WEBHOOK_URL: `${OUTSIDE.alerts}/hooks/customer`,
  EVENTS_WEBHOOK_SECRET: `whsec_${btoa("nothing in clear".repeat(2))}`,
};
const why = "for the test";

/** What anybody could read later, by where it was found. */
let outputs: { where: string; text: string }[];

const keep = (where: string, what: unknown) =>
  outputs.push({ where, text: typeof what === "string" ? what : (JSON.stringify(what) ?? "") });

beforeEach(() => {
  outputs = [];
  for (const level of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, level).mockImplementation((...said) => {
      keep(`console.${level}`, said.map(String).join(" "));
    });
  }
  watchQueue("OUTBOX");
  watchQueue("LEDGER");
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  const { keys } = await env.CONTROL.list();
  for (const { name } of keys) await env.CONTROL.delete(name);
});

/** Keeps what is put on a queue, and puts it there. */
function watchQueue(name: "OUTBOX" | "LEDGER") {
  const queue = env[name];
  const send = queue.send.bind(queue);
  const sendBatch = queue.sendBatch.bind(queue);
  vi.spyOn(queue, "send").mockImplementation((body, options) => {
    keep(`queue ${name}`, body);
    return send(body, options);
  });
  vi.spyOn(queue, "sendBatch").mockImplementation((messages, options) => {
    const all = [...messages];
    for (const { body } of all) keep(`queue ${name}`, body);
    return sendBatch(all, options);
  });
}

async function redis<T>(...command: string[]): Promise<T> {
  const response = await fetch(OUTSIDE.upstash, {
    method: "POST",
    headers: { authorization: `Bearer ${UPSTASH_TOKEN}` },
    body: JSON.stringify(command),
  });
  return ((await response.json()) as { result: T }).result;
}

const READ: Readonly<Record<string, (key: string) => string[]>> = {
  string: (key) => ["GET", key],
  hash: (key) => ["HGETALL", key],
  zset: (key) => ["ZRANGE", key, "0", "-1"],
  set: (key) => ["SMEMBERS", key],
};

async function keepStores() {
  const keys = await redis<string[]>("KEYS", "*");
  expect(keys.length).toBeGreaterThan(10);
  for (const key of keys) {
    const read = READ[await redis<string>("TYPE", key)];
    // A kind nobody reads here would be a place nobody looks.
    expect(read, key).toBeDefined();
    keep("Upstash key", key);
    keep("Upstash value", await redis(...(read?.(key) ?? [])));
  }
  const tables = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
    name: string;
  }>();
  const names = tables.results.map(({ name }) => name).filter((name) => !name.startsWith("_cf"));
  expect(names).toEqual(expect.arrayContaining(["ledger", "dead_letters", "incidents", "operator_actions"]));
  for (const name of names) {
    for (const row of (await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results)
      keep(`D1 ${name}`, row);
  }
  const { keys: documents } = await env.CONTROL.list();
  expect(documents.length).toBeGreaterThan(0);
  for (const { name } of documents) {
    keep("KV key", name);
    keep("KV value", await env.CONTROL.get(name));
  }
}

const operator = { authorization: `Bearer ${OPERATOR_TOKEN}` };

/** Everything an operator can look at; the export, which opens what is sealed, is there to do so. */
async function keepAnswers(correlationIds: readonly string[]) {
  const hour = 3_600_000;
  const [begin, end] = [-hour, hour].map((offset) => new Date(Date.now() + offset).toISOString());
  const window = `from=${begin}&to=${end}`;
  const rangesBy = ["country", "prefix", "block", "network", "provider", "flow"];
  const paths = [
    "/status",
    "/blocks",
    ...rangesBy.map((by) => `/ranges?by=${by}`),
    "/rules?span=window",
    "/incidents",
    "/actions",
    "/dead-letters",
    "/routes",
    "/webhooks",
    "/keys",
    "/metrics",
    `/events?${window}&limit=1000`,
    `/report-facts?${window}`,
    ...[...rangesBy, "subnet", "address", "user", "channel"].map((by) => `/volumes?by=${by}&${window}`),
    ...correlationIds.map((id) => `/trace/${id}`),
  ];
  for (const path of paths) {
    const context = createExecutionContext();
    const request = new Request(`http://localhost/admin/v1${path}`, { headers: operator });
    const answer = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, context);
    expect(answer.status, path).toBe(200);
    keep(`admin ${path}`, new TextDecoder().decode(await answer.arrayBuffer()));
    await waitOnExecutionContext(context);
  }
}

/** A code stands alone: six digits of a longer number or of a hash are none. */
const alone = (code: string) => new RegExp(`(?<![0-9A-Za-z])${code}(?![0-9A-Za-z])`);
const national = (e164: string) => e164.slice(3);
const ringSecret = (ring: unknown) => String(ring).split(":")[1] ?? "";

/** @returns where something of it stands */
const found = (wanted: string | RegExp) =>
  outputs.flatMap(({ where, text }) =>
    (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text)) ? [where] : [],
  );

test("a whole journey and a flood leave no number, code, token, key or full address in any output or store", async () => {
  const policy = { ...ROOMY, challenge: "emergency", events: { types: [...CUSTOMER_EVENT_TYPES] } };
  const service = makeService({ ...policy, attempts: { max: 3, wait_seconds: [0] } }, HOOK);
  const secrets = new Map<string, string | RegExp>();
  const codes: string[] = [];

  // The journey: asked for twice by a key, a wrong code, the right one, and once more by the device that is known.
  const ask = { phone: PHONE, flow: "login", reference: "order-9", device_id: "device-of-the-test" };
  const headers = { ...from(IP), "idempotency-key": KEY };
  const { body: sent } = await service.send(ask, headers);
  const { body: again } = await service.send(ask, headers);
  expect(again.session, "repeated, not sent again").toBe(sent.session);
  const code = await codeFor(PHONE);
  codes.push(code, wrong(code));
  const missed = await service.verify({ session: sent.session, code: wrong(code), reference: "order-9" });
  expect(missed.body.code).toBe("code_incorrect");
  keep("answer", missed.body);
  const verified = await service.verify({ session: sent.session, code, reference: "order-9" });
  expect(verified.status).toBe(200);
  const known = { ...ask, device_token: verified.body.device_token };
  const refused = await service.send(known, from(IPV6));
  secrets.set("session token", sent.session);
  secrets.set("device token", verified.body.device_token);
  secrets.set("proof", verified.body.proof);
  if (refused.body.session) secrets.set("second session token", refused.body.session);

  // One that ends without its code, one that is locked, and providers that fail.
  const { body: left } = await service.send({ phone: LEFT }, from(IPV6));
  secrets.set("third session token", left.session);
  codes.push(await codeFor(LEFT));
  for (let i = 0; i < 3; i++)
    await service.verify({ session: left.session, code: wrong(codes.at(-1) ?? "") });
  const claims = await service.deps.tokens.open(left.session);
  await runInDurableObject(
    env.SESSIONS.get(env.SESSIONS.idFromName(claims?.sessionId ?? "")),
    async (object, state) => {
      keep("session object", state.storage.kv.get("session"));
      await object.alarm();
    },
  );
  for (const mode of ["refuse", "lose"] as const) {
    await outsideFaults({ inbox: { mode } });
    // What the refused one took comes back behind its answer.
    const answer = await eventually(
      () => service.send({ phone: FAILED }, from(IP)),
      ({ status }) => status !== 429,
    );
    expect(answer.status).toBe(mode === "refuse" ? 502 : 202);
    if (answer.body.session) secrets.set("token of a lost message", answer.body.session);
    else keep("answer", answer.body);
  }
  await outsideFaults({ inbox: { mode: "deliver" } });

  // The flood: messages nobody answers, numbers that are none, one number again and again, and codes for no session.
  const flooded = Array.from({ length: 40 }, (_, i) => `+9190123${45_000 + i}`);
  for (const phone of flooded) await service.send({ phone }, from(IP));
  for (let i = 0; i < 20; i++) {
    for (const phone of [FAILED, "+91987", `${PHONE}1`])
      keep("answer", (await service.send({ phone }, from(IP))).body);
    keep("answer", (await service.verify({ session: left.session, code: codes[0] ?? "" }, from(IP))).body);
  }
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const minute of [3, 4]) {
    vi.setSystemTime(start + minute * 60_000);
    await monitor(service.deps, start + minute * 60_000);
  }
  vi.useRealTimers();
  await worker.scheduled(
    { cron: "* * * * *", scheduledTime: start + 60_000, noRetry: () => undefined } as ScheduledController,
    env,
  );

  // People act, and an event that no queue takes becomes a letter.
  const shut = { ip: IP, for_seconds: 3600, why };
  expect((await service.call("POST", "/admin/v1/blocks", shut, operator)).status).toBe(200);
  vi.mocked(env.OUTBOX.sendBatch).mockRejectedValueOnce(new Error("away"));
  const { body: late } = await service.send({ phone: LATE }, from("203.0.113.9", 64511));
  secrets.set("fourth session token", late.session);

  await vi.waitFor(
    async () => {
      const rows = await env.DB.prepare("SELECT DISTINCT kind FROM ledger_events").all<{ kind: string }>();
      const kinds = rows.results.map(({ kind }) => kind);
      expect(kinds).toEqual(
        expect.arrayContaining([
          "requested",
          "refused",
          "sent",
          "attempt_failed",
          "locked",
          "verified",
          "expired",
        ]),
      );
      const letters = await env.DB.prepare("SELECT count(*) AS many FROM dead_letters").first<{
        many: number;
      }>();
      expect(letters?.many).toBeGreaterThan(0);
    },
    { timeout: 15_000, interval: 300 },
  );
  await keepStores();
  await keepAnswers([sent.correlation_id, left.correlation_id]);

  const places = new Set(outputs.map(({ where }) => where.split(" ")[0]));
  expect([...places]).toEqual(
    expect.arrayContaining(["console.log", "queue", "Upstash", "D1", "KV", "session", "admin", "answer"]),
  );
  for (const phone of [PHONE, LEFT, FAILED, LATE, ...flooded])
    secrets.set(`number ${phone}`, national(phone));
  for (const [i, shown] of codes.entries()) secrets.set(`code ${i}`, alone(shown));
  secrets.set("address", IP);
  secrets.set("IPv6 address", "2001:db8:1234:5678");
  secrets.set("idempotency key", KEY);
  secrets.set("CAPTCHA token", DUMMY_TOKEN);
  secrets.set("operator token", OPERATOR_TOKEN);
  secrets.set("viewer token", VIEWER_TOKEN);
  secrets.set("Upstash token", UPSTASH_TOKEN);
  secrets.set("CAPTCHA secret", String(env.CAPTCHA_SECRET_KEY));
  secrets.set("webhook secret", HOOK.EVENTS_WEBHOOK_SECRET);
  secrets.set("webhook path", "hooks/customer");
  for (const ring of ["SESSION_KEYS", "PEPPER_KEYS", "ENCRYPTION_KEYS"] as const) {
    secrets.set(ring, ringSecret(env[ring]));
  }
  secrets.set("proof key", JSON.parse(String(env.PROOF_KEYS))[0].d);

  // The search finds what is there.
  keep("planted", { phone: PHONE, code: ` ${code} ` });
  expect([found(national(PHONE)), found(alone(code))]).toEqual([["planted"], ["planted"]]);
  outputs.pop();
  for (const [name, wanted] of secrets) {
    expect(typeof wanted === "string" ? wanted.length : 6, name).toBeGreaterThanOrEqual(6);
    expect(found(wanted), name).toEqual([]);
  }
});

test("what is sealed is there, and opens only with its key", async () => {
  const service = makeService(ROOMY);
  const { body: sent } = await service.send({ phone: PHONE }, from(IP));
  const story = () => service.deps.ledger.story(sent.correlation_id);
  await vi.waitFor(
    async () => {
      const read = await story();
      const row = read.kind === "answered" ? read.rows.find(({ kind }) => kind === "sent") : undefined;
      const { vault } = service.deps;
      expect(await vault.unsealFromLedger(row?.id ?? "", row?.sealedNumber ?? "")).toBe(PHONE);
      expect(await vault.unsealFromLedger(row?.id ?? "", row?.sealedAddress ?? "")).toBe(IP);
      expect(await vault.unsealFromLedger("sent.another", row?.sealedNumber ?? "")).toBeNull();
    },
    { timeout: 10_000, interval: 200 },
  );
});
