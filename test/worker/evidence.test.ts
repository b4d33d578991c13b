import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mintKeyring, mintProofKeys } from "../../scripts/lib/mint.ts";
import { addedSecretName } from "../../src/config/keyrings.ts";
import { OPERATOR_TOKEN, OUTSIDE, UPSTASH_TOKEN, VIEWER_TOKEN } from "../support/addresses.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, DUMMY_TOKEN, from, makeService } from "../support/service.ts";

const PHONE = "+919876543210";
const OTHER = "+919876599999";
const IP = "198.51.100.77";
const why = "for the test";
const TABLES = [
  "verifications",
  "ledger",
  "ledger_numbers",
  "ledger_addresses",
  "refusals",
  "dead_letters",
  "operator_actions",
];

beforeEach(async () => {
  for (const table of TABLES) await env.DB.prepare(`DELETE FROM ${table}`).run();
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function serve(variables: Record<string, string> = {}) {
  const service = makeService(ROOMY, variables);
  return {
    ...service,
    admin: (method: string, path: string, body?: unknown, token = OPERATOR_TOKEN) =>
      service.call(method, `/admin/v1${path}`, body, { authorization: `Bearer ${token}` }),
    ask: (phone: string, more: Record<string, unknown> = {}) =>
      service.call("POST", "/v1/send", { phone, captcha_token: DUMMY_TOKEN, ...more }, from(IP)),
  };
}
type Service = ReturnType<typeof serve>;

/** Sends and verifies, and waits until the ledger has it. */
async function journey(service: Service, phone: string) {
  const { body: sent } = await service.ask(phone);
  const { body: verified } = await service.verify({ session: sent.session, code: await codeFor(phone) });
  expect(verified.proof).toBeDefined();
  await inLedger("verified", sent.correlation_id);
  return { sent, verified };
}

const inLedger = (kind: string, correlationId: string) =>
  vi.waitFor(
    async () => {
      const row = await env.DB.prepare("SELECT 1 FROM ledger_events WHERE kind = ?1 AND correlation_id = ?2")
        .bind(kind, correlationId)
        .first();
      expect(row).not.toBeNull();
    },
    { timeout: 10_000, interval: 200 },
  );

/** A window around now. */
const around = () => ({
  from: new Date(Date.now() - 3_600_000).toISOString(),
  to: new Date(Date.now() + 3_600_000).toISOString(),
});

async function redis<T>(...command: string[]): Promise<T> {
  const response = await fetch(OUTSIDE.upstash, {
    method: "POST",
    headers: { authorization: `Bearer ${UPSTASH_TOKEN}` },
    body: JSON.stringify(command),
  });
  return ((await response.json()) as { result: T }).result;
}

/** Everything Redis and the database hold, as text: names and values. */
async function dump(): Promise<string> {
  const said: unknown[] = [];
  for (const key of await redis<string[]>("KEYS", "*")) {
    const type = await redis<string>("TYPE", key);
    const read = { string: ["GET"], hash: ["HGETALL"], zset: ["ZRANGE"], set: ["SMEMBERS"] }[type] ?? ["GET"];
    const args = type === "zset" ? [...read, key, "0", "-1"] : [...read, key];
    said.push(key, await redis(...args));
  }
  for (const table of TABLES) said.push((await env.DB.prepare(`SELECT * FROM ${table}`).all()).results);
  return JSON.stringify(said);
}

test("one person is erased from every store and the others stay; a second look shows nothing", async () => {
  const service = serve();
  await journey(service, OTHER);
  const { sent } = await journey(service, PHONE);
  const [tag, otherTag] = await Promise.all([
    service.deps.vault.tag("number", PHONE),
    service.deps.vault.tag("number", OTHER),
  ]);
  const device = await service.deps.vault.tag("device of", PHONE);
  expect(await dump()).toContain(tag);

  const held = await service.admin("POST", "/person", { number: PHONE, why });
  expect(held.status).toBe(200);
  const stores = held.body.held.map(({ store }: { store: string }) => store);
  expect(stores).toEqual(
    expect.arrayContaining([
      "known numbers",
      "number limits",
      "numbers an address asked for",
      "message owners",
    ]),
  );
  expect(held.body).toMatchObject({ sessions: 1, recorded: true });

  const erased = await service.admin("POST", "/erase", { number: PHONE, why });
  expect([erased.status, erased.body.remaining]).toEqual([200, {}]);
  expect(erased.body.removed).toMatchObject({ sessions: 1, "known numbers": 1 });
  expect(erased.body.removed["encrypted numbers and addresses"]).toBeGreaterThanOrEqual(1);
  expect(erased.body.out_of_reach.join(" ")).toContain("Time Travel");

  const left = await dump();
  for (const trace of [tag, device, PHONE, PHONE.slice(1)]) expect(left).not.toContain(trace);
  expect(left).toContain(otherTag);
  const again = await service.admin("POST", "/person", { number: PHONE, why });
  expect(again.body).toMatchObject({ ledger: [], held: [], sessions: 0 });
  expect((await service.session(sent.session)).body.code).toBe("session_gone");
  const actions = await service.admin("GET", "/actions");
  expect(actions.body.actions.map(({ what }: { what: string }) => what)).toContain("person erased");
});

test("a session that waits for its code is ended by an erasure, and the code is worth nothing", async () => {
  const service = serve();
  const { body: sent } = await service.ask(PHONE);
  await inLedger("sent", sent.correlation_id);
  const code = await codeFor(PHONE);
  expect((await service.admin("POST", "/erase", { number: PHONE, why })).body.remaining).toEqual({});
  expect((await service.verify({ session: sent.session, code })).body.code).toBe("session_gone");
});

test("numbers are exported to operators alone, written down, page by page with our own cursor only", async () => {
  const service = serve();
  await journey(service, PHONE);
  const body = { ...around(), why };
  expect((await service.admin("POST", "/events/export", body, VIEWER_TOKEN)).status).toBe(403);

  const page = await service.admin("POST", "/events/export", body);
  expect(page.body.messages).toMatchObject([
    { number: PHONE, ip: IP, country: "IN", verified: true, range: "+91987654" },
  ]);
  const { body: actions } = await service.admin("GET", "/actions");
  expect(actions.actions).toMatchObject([{ what: "numbers exported", why, who: "tests" }]);

  for (const cursor of ["0.0", `0.0~${"x".repeat(27)}`]) {
    const forged = await service.admin("POST", "/events/export", { ...body, cursor });
    expect([forged.status, forged.body.errors?.[0]?.field]).toEqual([400, "cursor"]);
  }
  const { from: begin, to } = around();
  const events = await service.admin("GET", `/events?from=${begin}&to=${to}`, undefined, VIEWER_TOKEN);
  expect(events.status).toBe(200);
  expect(events.body.events.length).toBeGreaterThanOrEqual(3);
  expect(JSON.stringify(events.body)).not.toContain("9876543210");
  expect(JSON.stringify(events.body)).not.toContain(IP);
});

test("a page's cursor of ours leads on, and not to another window", async () => {
  const service = serve();
  await journey(service, PHONE);
  const window = around();
  const cursors = await Promise.all(
    ["1.1", "2.2"].map(async (position) => {
      const bound = JSON.stringify(["tests", Date.parse(window.from), Date.parse(window.to), null, position]);
      return `${position}~${await service.deps.vault.tag("export cursor", bound)}`;
    }),
  );
  const [cursor = ""] = cursors;
  expect((await service.admin("POST", "/events/export", { ...window, why, cursor })).status).toBe(200);
  const elsewhere = { ...window, country: "IN", why, cursor };
  expect((await service.admin("POST", "/events/export", elsewhere)).status).toBe(400);
});

test("facts and volumes are there for viewers, and a window must make sense", async () => {
  const service = serve();
  await journey(service, PHONE);
  const { from: begin, to } = around();
  const look = (path: string) => service.admin("GET", path, undefined, VIEWER_TOKEN);
  const facts = await look(`/report-facts?from=${begin}&to=${to}`);
  expect(facts.body).toMatchObject({ environment: "development", currency: "USD", faults: [] });
  const volumes = await look(`/volumes?by=provider&from=${begin}&to=${to}`);
  expect(volumes.body.rows).toMatchObject([{ subject: "sandbox", sent: 1, verified: 1, ratio: 1 }]);
  for (const query of [
    `from=${to}&to=${begin}`,
    `from=${begin}`,
    `from=yesterday&to=${to}`,
    `from=${begin}&to=${to}&x=1`,
  ]) {
    expect((await look(`/volumes?${query}`)).status).toBe(400);
  }
});

test("a viewer reads how full each store is", async () => {
  const service = serve();
  await journey(service, PHONE);
  const { status, body } = await service.admin("GET", "/storage", undefined, VIEWER_TOKEN);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    ledger: {
      verifications: 1,
      verifications_last_day: 1,
      older_events: 0,
      bytes: expect.any(Number),
      limit_bytes: 10_000_000_000,
      steady_verifications: 400,
      held_by: "events_days",
      full_at: null,
    },
    redis: { keys: expect.any(Number) },
    faults: [],
  });
  expect(body.ledger.bytes).toBeGreaterThan(4096);
  expect(body.redis.keys).toBeGreaterThan(0);
});

test("a number never comes in a URL, and what is none is refused without repeating it", async () => {
  const service = serve();
  expect((await service.admin("GET", `/person?number=${encodeURIComponent(PHONE)}`)).status).toBe(405);
  const refused = await service.admin("POST", "/erase", { number: "98765-nobody", why });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).not.toContain("98765-nobody");
  expect((await service.admin("POST", "/erase", { number: PHONE, why }, VIEWER_TOKEN)).status).toBe(403);
});

test("a number that opted out is lifted by an operator, by nobody else, and gets its next message", async () => {
  const service = serve();
  const { marks, vault } = service.deps;
  await marks.refuseNumber(await vault.tag("number", PHONE), ["sms"], "opted_out", 3600);
  expect((await service.ask(PHONE)).body).toMatchObject({ code: "number_opted_out", channels: [] });
  const lift = (token?: string) => service.admin("POST", "/numbers/lift", { number: PHONE, why }, token);
  expect((await lift(VIEWER_TOKEN)).status).toBe(403);
  expect((await service.admin("POST", "/numbers/lift", { number: PHONE })).status).toBe(400);
  expect((await service.ask(PHONE)).body.code).toBe("number_opted_out");
  expect(await lift()).toMatchObject({ status: 200, body: { recorded: true } });
  expect((await service.ask(PHONE)).status).toBe(202);
  expect((await lift()).body.notes.join(" ")).toContain("Nothing was kept against this number");
});

test("sessions asked for before a rotation of the session ring are verified after it", async () => {
  const before = serve();
  const { body: sent } = await before.ask(PHONE);
  const after = serve({ [addedSecretName("session", Date.now())]: mintKeyring(Date.now()) });
  const verified = await after.verify({ session: sent.session, code: await codeFor(PHONE) });
  expect(verified.status).toBe(200);
  const dropped = serve({ SESSION_KEYS: mintKeyring(Date.now()) });
  const { body: next } = await after.ask(OTHER);
  const gone = await dropped.verify({ session: next.session, code: await codeFor(OTHER) });
  expect(gone.body.code).toBe("session_gone");
});

test("after a rotation of the proof ring the old key is still published and the new one signs", async () => {
  const before = serve();
  const { verified } = await journey(before, PHONE);
  const after = serve({ [addedSecretName("proof", Date.now())]: await mintProofKeys(Date.now()) });
  const kid = (token: string) => JSON.parse(atob((token.split(".")[0] ?? "").replaceAll("-", "+"))).kid;
  const { verified: later } = await journey(after, OTHER);
  const { body } = await after.call("GET", "/.well-known/jwks.json");
  const kids = body.keys.map((key: { kid: string }) => key.kid);
  expect(kids).toEqual([kid(later.proof), kid(verified.proof)]);
  expect(kids[0]).toMatch(/^k\d{8}[a-z]{3}$/);
});

test("numbers and codes sealed before a rotation of the encryption ring are opened after it", async () => {
  const before = serve();
  await journey(before, PHONE);
  const after = serve({ [addedSecretName("encryption", Date.now())]: mintKeyring(Date.now()) });
  const page = await after.admin("POST", "/events/export", { ...around(), why });
  expect(page.body.messages).toMatchObject([{ number: PHONE, ip: IP }]);
  const status = await after.admin("GET", "/keys", undefined, VIEWER_TOKEN);
  const { keys } = status.body.rings.find(({ ring }: { ring: string }) => ring === "encryption");
  expect(keys).toMatchObject([{ makes: true, holds: 0 }, { makes: false }]);
  expect(keys[1].holds).toBeGreaterThanOrEqual(2);

  const lost = serve({ ENCRYPTION_KEYS: mintKeyring(Date.now()) });
  const unreadable = await lost.admin("POST", "/events/export", { ...around(), why });
  expect(unreadable.body.messages).toMatchObject([{ number: null, ip: "198.51.100.0/24", country: "IN" }]);
  expect((await lost.admin("GET", "/keys")).body.faults[0]).toContain("cannot be read any more");
});

test("after a rotation of the pepper ring people are no strangers: marks, limits, devices and the ledger follow", async () => {
  const before = serve();
  const { verified } = await journey(before, PHONE);
  // Verified, the number may be asked for again at once, and this message draws on its limit.
  expect((await before.ask(PHONE)).status).toBe(202);
  const after = serve({ [addedSecretName("pepper", Date.now())]: mintKeyring(Date.now()) });
  const [present = "", older = ""] = await after.deps.vault.tags("number", PHONE);
  expect(await redis("EXISTS", `tg:known:${older}`)).toBe(1);

  // One message a minute: the limit that was drawn on before the rotation holds after it.
  const soon = await after.ask(PHONE);
  expect([soon.status, soon.body.code]).toEqual([429, "too_many_requests"]);
  expect(await redis("EXISTS", `tg:known:${present}`)).toBe(1);
  expect(await redis("EXISTS", `tg:known:${older}`)).toBe(0);

  const own = await after.ask(PHONE, { device_token: verified.device_token });
  expect(own.status).toBe(202);
  expect(await redis("GET", `tg:draws:number:${present}.own`)).toMatch(/^\d+:[0-9a-f]+$/);
  await inLedger("sent", own.body.correlation_id);
  await inLedger("refused", soon.body.correlation_id);

  const found = await after.admin("POST", "/person", { number: PHONE, why });
  expect(found.body.ledger.length).toBeGreaterThanOrEqual(3);
  const erased = await after.admin("POST", "/erase", { number: PHONE, why });
  expect(erased.body.remaining).toEqual({});
  const left = await dump();
  for (const tag of [present, older]) expect(left).not.toContain(tag);
});

test("the keys' ages are shown to viewers, a rotation is written down, and no key is in either", async () => {
  const service = serve();
  const { body } = await service.admin("GET", "/keys", undefined, VIEWER_TOKEN);
  expect(body.rotate_days).toBe(90);
  expect(body.rings.map(({ ring }: { ring: string }) => ring)).toEqual([
    "session",
    "pepper",
    "encryption",
    "proof",
  ]);
  expect(JSON.stringify(body)).not.toContain(String(env.SESSION_KEYS).split(":")[1]);
  const noted = { ring: "session", key_id: "k20261121abc", secret: "SESSION_KEYS_20261121T090030Z", why };
  expect((await service.admin("POST", "/keys/rotated", noted, VIEWER_TOKEN)).status).toBe(403);
  expect((await service.admin("POST", "/keys/rotated", noted)).body.recorded).toBe(true);
  const { body: actions } = await service.admin("GET", "/actions");
  expect(actions.actions).toMatchObject([{ what: "key rotated", details: { key_id: "k20261121abc" } }]);
});
