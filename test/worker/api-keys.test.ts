import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { beforeEach, describe, expect, test } from "vitest";
import {
  API_KEY_RECORD_PREFIX,
  type ApiKeyStore,
  hashApiKeySecret,
  kvApiKeys,
} from "../../src/adapters/cloudflare/kv-api-keys.ts";
import type { ApiKeyRecord } from "../../src/domain/access/api-key.ts";
import { authenticate, clientFacts, type StatedClient } from "../../src/http/authenticate.ts";

const START = 1_900_000_000_000;
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";

let nowMs = START;
let reads: string[] = [];
let facts: { fact: string; evidence: object }[] = [];

beforeEach(() => {
  nowMs = START;
  reads = [];
  facts = [];
});

/** The real KV, its reads counted. */
const counted: ApiKeyStore = {
  get(key, options) {
    reads.push(key);
    return env.CONTROL.get(key, options);
  },
};

const broken: ApiKeyStore = { get: () => Promise.reject(new Error("KV GET failed: 500 for tg_secret")) };

const open = (store: ApiKeyStore = counted) =>
  kvApiKeys(
    store,
    () => nowMs,
    (fact, evidence) => facts.push({ fact, evidence }),
  );

const random = (length: number, letters: string) =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => letters[byte % letters.length]).join(
    "",
  );

const newId = () => random(12, LETTERS);
const newSecret = () => random(43, `${LETTERS}_-`);

async function mint(over: Partial<ApiKeyRecord> = {}) {
  const [id, secret] = [newId(), newSecret()];
  const record: ApiKeyRecord = {
    name: "shop-backend",
    hash: await hashApiKeySecret(secret),
    flows: ["login", "payment"],
    skip_captcha: true,
    max_per_minute: 60,
    created_at_ms: START,
    expires_at_ms: null,
    ...over,
  };
  await env.CONTROL.put(API_KEY_RECORD_PREFIX + id, JSON.stringify(record));
  return { id, secret, text: `tg_${id}_${secret}` };
}

describe("the keys in KV", () => {
  test("a minted key is found with what it may do, and without its hash", async () => {
    const key = await mint();
    expect(await open().find(key.text)).toEqual({
      keyId: key.id,
      name: "shop-backend",
      flows: ["login", "payment"],
      skipCaptcha: true,
      maxPerMinute: 60,
    });
  });

  test("a key that nobody minted is none", async () => {
    expect(await open().find(`tg_${newId()}_${newSecret()}`)).toBeNull();
  });

  test("the right id with a wrong secret, or another key's, is none", async () => {
    const [one, other] = [await mint(), await mint()];
    const keys = open();
    expect(await keys.find(`tg_${one.id}_${newSecret()}`)).toBeNull();
    expect(await keys.find(`tg_${one.id}_${other.secret}`)).toBeNull();
    expect(await keys.find(one.text), "a wrong guess spoils nothing").not.toBeNull();
  });

  test("the hash at rest opens nothing", async () => {
    const key = await mint();
    const { hash } = JSON.parse((await env.CONTROL.get(API_KEY_RECORD_PREFIX + key.id)) ?? "");
    expect(await open().find(`tg_${key.id}_${hash}`)).toBeNull();
  });

  test("a key ends when it expires, also where it is remembered", async () => {
    const key = await mint({ expires_at_ms: START + 1000 });
    const keys = open();
    nowMs = START + 999;
    expect(await keys.find(key.text)).not.toBeNull();
    nowMs = START + 1000;
    expect(await keys.find(key.text)).toBeNull();
    expect(reads).toHaveLength(1);
  });

  test("a revoked key is refused where nobody remembers it, and after 30 s where somebody does", async () => {
    const key = await mint();
    const keys = open();
    expect(await keys.find(key.text)).not.toBeNull();
    await env.CONTROL.delete(API_KEY_RECORD_PREFIX + key.id);
    expect(await open().find(key.text)).toBeNull();
    nowMs = START + 29_999;
    expect(await keys.find(key.text)).not.toBeNull();
    nowMs = START + 30_000;
    expect(await keys.find(key.text)).toBeNull();
  });

  test("KV is read once in 30 s for a key, known or unknown", async () => {
    const keys = open();
    for (const text of [(await mint()).text, `tg_${newId()}_${newSecret()}`]) {
      reads = [];
      nowMs = START;
      for (let i = 0; i < 5; i++) await keys.find(text);
      expect(reads).toHaveLength(1);
      nowMs = START + 30_000;
      await keys.find(text);
      expect(reads).toHaveLength(2);
    }
  });

  test("guessing at secrets of a known id reads KV no more than its holder does", async () => {
    const key = await mint();
    const keys = open();
    for (let i = 0; i < 20; i++) await keys.find(`tg_${key.id}_${newSecret()}`);
    expect(reads).toHaveLength(1);
  });

  test.each([
    "",
    "tg_",
    "emergency-mode",
    `tg_${"a".repeat(12)}_short`,
    `tg_../../emergency_${"a".repeat(43)}`,
    `tg_${"A".repeat(12)}_${"a".repeat(43)}`,
    "x".repeat(100_000),
  ])("junk never reaches KV (%#)", async (junk) => {
    expect(await open().find(junk)).toBeNull();
    expect(reads).toEqual([]);
  });

  test("a flood of made-up ids pushes out itself and not the keys in use", async () => {
    const key = await mint();
    const empty: ApiKeyStore = {
      get: (name, options) => (name.endsWith(key.id) ? counted.get(name, options) : count(name)),
    };
    const count = async (name: string) => {
      reads.push(name);
      return null;
    };
    const keys = open(empty);
    await keys.find(key.text);
    const first = `tg_${newId()}_${newSecret()}`;
    await keys.find(first);
    for (let i = 0; i < 1000; i++) await keys.find(`tg_${newId()}_${newSecret()}`);
    reads = [];
    expect(await keys.find(key.text)).not.toBeNull();
    expect(reads, "the key in use is remembered").toEqual([]);
    await keys.find(first);
    expect(reads, "the first made-up id is forgotten").toHaveLength(1);
  });

  test.each(["{", "null", "[]", '{"name": "shop-backend"}'])(
    "a record like %s is no key, and told once in the log",
    async (text) => {
      const key = await mint();
      await env.CONTROL.put(API_KEY_RECORD_PREFIX + key.id, text);
      const keys = open();
      expect(await keys.find(key.text)).toBeNull();
      expect(await keys.find(key.text)).toBeNull();
      expect(facts).toEqual([{ fact: "api_key_unreadable", evidence: { key_id: key.id } }]);
    },
  );

  test("a record with one field more than known is no key", async () => {
    const key = await mint({ ...({ is_admin: true } as object) });
    expect(await open().find(key.text)).toBeNull();
  });

  test("a KV that does not answer is unavailable, and asked again the next time", async () => {
    const key = await mint();
    let down = true;
    const keys = open({ get: (...args) => (down ? broken : counted).get(...args) });
    expect(await keys.find(key.text)).toEqual({ kind: "unavailable", cause: "KV does not answer" });
    down = false;
    expect(await keys.find(key.text)).toMatchObject({ keyId: key.id });
    down = true;
    expect(await keys.find(key.text), "remembered").toMatchObject({ keyId: key.id });
    nowMs = START + 30_000;
    expect(await keys.find(key.text)).toMatchObject({ kind: "unavailable" });
  });
});

describe("the kind of caller", () => {
  const user: StatedClient = { ip: "192.0.2.1", country: "IN", asn: 64500 };

  async function ask(authorization: string | undefined, client?: StatedClient, store?: ApiKeyStore) {
    const keys = open(store);
    const app = new Hono().get("/", async (c) => c.json(await authenticate(c, client, keys)));
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    return (await app.request("/", { headers })).json();
  }

  test("without an Authorization header it is public, and KV is not asked", async () => {
    expect(await ask(undefined)).toEqual({ kind: "public" });
    expect(reads).toEqual([]);
  });

  test("a public caller that states a client is refused by that field's name", async () => {
    expect(await ask(undefined, user)).toEqual({
      kind: "invalid_request",
      errors: [{ field: "client", reason: "is for servers with an API key only" }],
    });
  });

  test.each(["Bearer", "bearer", "BEARER"])(
    "a good key after %s is a server with its end user",
    async (s) => {
      const key = await mint();
      expect(await ask(`${s} ${key.text}`, user)).toEqual({
        kind: "server",
        keyId: key.id,
        name: "shop-backend",
        flows: ["login", "payment"],
        skipCaptcha: true,
        maxPerMinute: 60,
        user: { ip: "192.0.2.1", country: "IN", asn: 64500 },
      });
    },
  );

  test("what a server does not know of its end user is null, never the server's own", async () => {
    const key = await mint();
    const { user: stated } = (await ask(`Bearer ${key.text}`, { ip: "2001:db8::1" })) as { user: object };
    expect(stated).toEqual({ ip: "2001:db8::1", country: null, asn: null });
  });

  test("a server that does not state its end user is refused by that field's name", async () => {
    const key = await mint();
    expect(await ask(`Bearer ${key.text}`)).toMatchObject({
      kind: "invalid_request",
      errors: [{ field: "client" }],
    });
  });

  test.each([
    "",
    "Bearer",
    "Basic dXNlcjpwYXNz",
    "Bearer a b",
    "Bearer session.token",
    `Bearer tg_${"a".repeat(56)}`,
  ])('the header "%s" is unauthorized, never a public caller, and costs no read', async (header) => {
    for (const client of [undefined, user]) {
      expect(await ask(header, client)).toMatchObject({ kind: "unauthorized" });
    }
    expect(reads).toEqual([]);
  });

  test("an unknown, an expired and a wrong key are unauthorized alike", async () => {
    const [good, old] = [await mint(), await mint({ expires_at_ms: START })];
    for (const text of [`tg_${newId()}_${newSecret()}`, old.text, `tg_${good.id}_${newSecret()}`]) {
      expect(await ask(`Bearer ${text}`, user)).toEqual({ kind: "unauthorized", cause: "no such key" });
    }
  });

  test("a key that cannot be checked is a time to come back, not a public caller and no 401", async () => {
    const key = await mint();
    expect(await ask(`Bearer ${key.text}`, user, broken)).toEqual({
      kind: "sending_paused",
      cause: "API keys: KV does not answer",
      retryAfterSeconds: 5,
    });
  });
});

describe("the stated client", () => {
  test("is an address, and a country and a network where they are known", () => {
    expect(clientFacts.parse({ ip: "2001:db8::1", country: "in", asn: 4_294_967_295 })).toEqual({
      ip: "2001:db8::1",
      country: "IN",
      asn: 4_294_967_295,
    });
    expect(clientFacts.parse({ ip: "192.0.2.1", country: "T1" }).country, "Tor, as the edge calls it").toBe(
      "T1",
    );
  });

  test.each([
    {},
    { ip: "" },
    { ip: "localhost" },
    { ip: "192.0.2.1, 198.51.100.1" },
    { ip: "192.0.2.1/32" },
    { ip: "192.0.2.256" },
    { ip: "192.0.2.1", country: "IND" },
    { ip: "192.0.2.1", country: null },
    { ip: "192.0.2.1", country: "T2" },
    { ip: "192.0.2.1", asn: 0 },
    { ip: "192.0.2.1", asn: 4_294_967_296 },
    { ip: "192.0.2.1", asn: 1.5 },
    { ip: "192.0.2.1", asn: "64500" },
    { ip: "192.0.2.1", user: "x" },
    "192.0.2.1",
    null,
  ])("is refused like %j", (client) => {
    expect(clientFacts.safeParse(client).success).toBe(false);
  });
});
