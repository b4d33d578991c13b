import { parse } from "smol-toml";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Acme, ANSWERS, makeAcme, removeCheckouts, SETTINGS } from "../support/cloudflare/acme.ts";
import type { Run } from "../support/cloudflare/checkout.ts";
import type { World } from "../support/cloudflare/world.ts";

const WAIT_MS = 300_000;
const ALL_SECRETS = [
  "ADMIN_TOKENS",
  "CAPTCHA_FRESH_SECRET_KEY",
  "CAPTCHA_SECRET_KEY",
  "ENCRYPTION_KEYS",
  "PEPPER_KEYS",
  "PROOF_KEYS",
  "SESSION_KEYS",
  "SLACK_WEBHOOK_URL",
  "TWILIO_ACCOUNT_SID",
  "TWILIO_AUTH_TOKEN",
  "TWILIO_MESSAGING_SERVICE_SID",
  "UPSTASH_REDIS_REST_TOKEN",
];
/** Without a terminal nobody would see the token. */
const UNSEEN = ALL_SECRETS.filter((name) => name !== "ADMIN_TOKENS");

let acme: Acme;
beforeEach(async () => {
  acme = await makeAcme();
});
afterEach(async () => {
  expect(acme.world.unknown).toEqual([]);
  await acme.close();
});
afterAll(removeCheckouts);

const secretsOf = (world: World) =>
  world.scripts.get("tollgate-production")?.secrets ?? new Map<string, string>();
const names = (world: World) => ({
  namespaces: world.namespaces.map(({ title }) => title),
  databases: world.databases.map(({ name }) => name),
  queues: world.queues.map(({ queue_name }) => queue_name).sort(),
  widgets: world.widgets.map(({ name }) => name),
});
const ALL = {
  namespaces: ["tollgate-production-control"],
  databases: ["tollgate-production"],
  queues: [
    "tollgate-ledger-dead-production",
    "tollgate-ledger-production",
    "tollgate-outbox-dead-production",
    "tollgate-outbox-production",
  ],
  widgets: ["tollgate-production", "tollgate-production-fresh"],
};
const changes = (world: World) => world.requests.filter((line) => !line.startsWith("GET "));
const tablesOf = (world: World) =>
  world.databases[0]?.sqlite
    .prepare("select name from sqlite_master where type = 'table'")
    .all()
    .map(({ name }) => name) ?? [];

/** Nothing that people or machines may not see is on the screen. */
function expectNoSecrets({ out, error }: Run, world: World): void {
  const shown = out + error;
  for (const value of [
    ...secretsOf(world).values(),
    ...world.widgets.map(({ secret }) => secret),
    world.token,
  ]) {
    expect(shown.includes(value)).toBe(false);
  }
  for (const [name, value] of Object.entries(SETTINGS)) {
    if (name !== "UPSTASH_REDIS_REST_URL") expect(shown.includes(value)).toBe(false);
  }
}

describe("an empty account", () => {
  test(
    "one command and five answers make all of it, and the second run changes nothing",
    async () => {
      // Whoever looks into wrangler's requests finds no secret in its log either.
      const first = await acme.checkout.run("provision", ANSWERS, { WRANGLER_LOG_SANITIZE: "false" });
      expect(first).toMatchObject({ code: 0 });
      expect(names(acme.world)).toEqual(ALL);
      expect([...secretsOf(acme.world).keys()].sort()).toEqual(UNSEEN);
      expect(tablesOf(acme.world)).toContain("ledger");
      expectNoSecrets(first, acme.world);
      const file = await acme.checkout.settings();
      expect(parse(file)).toMatchObject({
        env: {
          production: {
            account_id: acme.world.account.id,
            routes: [{ pattern: "verify.acme.test", custom_domain: true }],
            kv_namespaces: [{ id: acme.world.namespaces[0]?.id }],
            d1_databases: [{ database_id: acme.world.databases[0]?.uuid }],
            vars: {
              UPSTASH_REDIS_REST_URL: SETTINGS.UPSTASH_REDIS_REST_URL,
              POLICY: {
                countries: { allow: ["IN", "US"] },
                captcha: {
                  site_key: acme.world.widgets[0]?.sitekey,
                  hostnames: ["acme.test", "www.acme.test"],
                },
                proof: { issuer: "https://verify.acme.test", audience: "acme" },
              },
            },
          },
        },
      });

      const [ordinary, fresh] = acme.world.widgets;
      expect(secretsOf(acme.world).get("CAPTCHA_SECRET_KEY")).toBe(ordinary?.secret);
      expect(secretsOf(acme.world).get("CAPTCHA_FRESH_SECRET_KEY")).toBe(fresh?.secret);
      expect(await acme.checkout.logs()).not.toMatch(/of-acme|secret-path|secret-of/);

      const secrets = new Map(secretsOf(acme.world));
      acme.world.requests.length = 0;
      const second = await acme.checkout.run("provision", ANSWERS);
      expect(second).toMatchObject({ code: 0 });
      expect(await acme.checkout.settings()).toBe(file);
      expect(secretsOf(acme.world)).toEqual(secrets);
      // The database is asked which migrations it has by a query.
      expect(changes(acme.world).filter((line) => !/\/d1\/database\/[^/]+\/query$/.test(line))).toEqual([]);
    },
    WAIT_MS,
  );

  test(
    "--yes alone makes what needs no answer, a bucket among it, and lists what is left; a second checkout adopts it",
    async () => {
      const bucket = `\n[[env.production.r2_buckets]]\nbinding = "ARCHIVE"\nbucket_name = "tollgate-archive-production"\n`;
      await acme.checkout.write("wrangler.toml", `${await acme.checkout.settings()}${bucket}`);
      const run = await acme.checkout.run("provision", ["--env", "production", "--yes", "--json"]);
      expect(run).toMatchObject({ code: 0 });
      const told = JSON.parse(run.out);
      expect(acme.world.buckets).toEqual([{ name: "tollgate-archive-production" }]);
      expect(names(acme.world)).toEqual({ ...ALL, widgets: [] });
      expect(told.left.join("\n")).toContain("--domain");
      expect(told.left.join("\n")).toContain("secret TWILIO_AUTH_TOKEN");
      expect(told.left.join("\n")).toContain("an operator's token");
      expect(secretsOf(acme.world).has("ADMIN_TOKENS")).toBe(false);

      const keys = secretsOf(acme.world).get("SESSION_KEYS");
      const second = await acme.another();
      const adopting = await second.run("provision", ANSWERS);
      expect(adopting).toMatchObject({ code: 0 });
      expect(adopting.out).toContain("adopted what was there\n  - KV namespace tollgate-production-control");
      expect(names(acme.world)).toEqual(ALL);
      expect(secretsOf(acme.world).get("SESSION_KEYS")).toBe(keys);
    },
    WAIT_MS,
  );

  test(
    "a dry run and a run that nobody can be asked in change nothing",
    async () => {
      const file = await acme.checkout.settings();
      const dry = await acme.checkout.run("provision", [...ANSWERS, "--dry-run"]);
      expect(dry).toMatchObject({ code: 0 });
      expect(dry.out).toContain("would make\n  - KV namespace tollgate-production-control");
      const silent = await acme.checkout.run("provision", ["--env", "production"]);
      expect(silent).toMatchObject({ code: 1 });
      expect(silent.error).toContain("Nothing was changed: add --yes");
      expect(changes(acme.world)).toEqual([]);
      expect(await acme.checkout.settings()).toBe(file);
    },
    WAIT_MS,
  );
});

test(
  "broken off at any step it ends with the API's own message, and each rerun goes on where it stopped",
  async () => {
    const refusal = { status: 400, code: 12345, message: "the stand-in does not want to" };
    const steps = [
      { method: "POST", path: /\/storage\/kv\/namespaces$/, kind: refusal },
      { method: "POST", path: /\/d1\/database$/, kind: "break before" },
      { method: "POST", path: /\/queues$/, kind: "break after" },
      { method: "POST", path: /\/challenges\/widgets$/, kind: refusal },
      { method: "PATCH", path: /\/secrets-bulk$/, kind: refusal },
      { method: "POST", path: /\/d1\/database\/[^/]+\/query$/, kind: refusal },
      // The first one asks which migrations there are, the next ones are wrangler's.
      { method: "POST", path: /\/d1\/database\/[^/]+\/query$/, kind: refusal, passes: 1 },
    ] as const;
    for (const step of steps) {
      acme.world.faults = [{ ...step, times: 1 }];
      const broken = await acme.checkout.run("provision", ANSWERS);
      expect(broken.code).toBe(1);
      expect(broken.error).toContain(
        step.kind === refusal ? refusal.message : `The connection to the API broke at POST`,
      );
      expectNoSecrets(broken, acme.world);
    }
    acme.world.faults = [];
    const keys = secretsOf(acme.world).get("SESSION_KEYS");
    expect(await acme.checkout.run("provision", ANSWERS)).toMatchObject({ code: 0 });
    expect(names(acme.world)).toEqual(ALL);
    expect([...secretsOf(acme.world).keys()].sort()).toEqual(UNSEEN);
    expect(secretsOf(acme.world).get("SESSION_KEYS")).toBe(keys);
    expect(tablesOf(acme.world)).toContain("ledger");
  },
  WAIT_MS,
);

test(
  "a rate limit is waited out",
  async () => {
    const kind = { status: 429, code: 10429, message: "too many requests", retryAfter: "1" };
    acme.world.faults = [{ path: /\/queues/, kind, times: 2 }];
    const dry = await acme.checkout.run("provision", [...ANSWERS, "--dry-run"]);
    expect(dry).toMatchObject({ code: 0 });
    expect(acme.world.requests.filter((line) => line.includes("/queues"))).toHaveLength(3);
  },
  WAIT_MS,
);

describe("what cannot go well is told in one line, and nothing is changed", () => {
  const cases: [
    name: string,
    prepare: (acme: Acme) => void,
    words: string[],
    variables: Record<string, string>,
    said: string,
  ][] = [
    ["no login", () => {}, ANSWERS, { CLOUDFLARE_API_TOKEN: "" }, "Nobody is logged in at Cloudflare."],
    [
      "a token that is none",
      () => {},
      ANSWERS,
      { CLOUDFLARE_API_TOKEN: "wrong" },
      "Cloudflare does not accept the login",
    ],
    [
      "a wrong account",
      () => {},
      [...ANSWERS, "--account", "other"],
      {},
      "Wrong account: the login has no account other",
    ],
    [
      "a wrong environment",
      () => {},
      ["--env", "prod", "--yes"],
      {},
      'no environment "prod" (it has: staging, production)',
    ],
    ["no environment", () => {}, ["--yes"], {}, "Say which environment"],
    ["an option that is none", () => {}, ["--env", "production", "--surprise"], {}, "--surprise"],
    [
      "a missing permission",
      ({ world }) => world.denied.push(/\/d1\//),
      ANSWERS,
      {},
      'it needs the permission "D1: Edit"',
    ],
    [
      "a queue with another consumer",
      ({ world }) =>
        world.queues.push({
          queue_id: "1",
          queue_name: "tollgate-outbox-production",
          producers: [],
          consumers: [{ consumer_id: "1", script: "billing", type: "worker", settings: {} }],
        }),
      ANSWERS,
      {},
      "has another consumer, billing",
    ],
    [
      "a domain of another account",
      ({ world }) => {
        const [zone] = world.zones;
        if (zone) zone.account = { id: "b".repeat(32), name: "Other" };
      },
      ANSWERS,
      {},
      "belongs to zone acme.test of another account",
    ],
    [
      "a domain of nobody",
      () => {},
      [...ANSWERS, "--domain", "verify.elsewhere.test"],
      {},
      "No zone of this login holds",
    ],
    ["a host that is none", () => {}, [...ANSWERS, "--domain", "https://x/"], {}, "is no host name"],
    [
      "a host of another Worker",
      ({ world }) =>
        world.domains.push({
          id: "1",
          hostname: "verify.acme.test",
          service: "shop",
          zone_id: "f",
          zone_name: "acme.test",
        }),
      ANSWERS,
      {},
      "leads to the Worker shop already",
    ],
    [
      "a host with DNS records",
      ({ world }) => world.zones[0]?.records.push({ type: "CNAME", name: "verify.acme.test" }),
      ANSWERS,
      {},
      "has DNS records already (CNAME)",
    ],
    [
      "a policy that the Worker refuses",
      () => {},
      [...ANSWERS, "--providers", "pigeon"],
      {},
      "POLICY.delivery.providers",
    ],
    ["owners that are none", () => {}, [...ANSWERS, "--owners", "Ada"], {}, "is not NAME:channels"],
    [
      "an API in the clear",
      () => {},
      ANSWERS,
      { CLOUDFLARE_API_BASE_URL: "http://198.51.100.1" },
      "must be https",
    ],
  ];
  test.each(cases)(
    "%s",
    async (name, prepare, words, variables, said) => {
      prepare(acme);
      const file = await acme.checkout.settings();
      const run = await acme.checkout.run("provision", words, variables);
      expect(run.code).toBe(name === "an option that is none" ? 2 : 1);
      expect(run.error).toContain(said);
      expect(run.error).not.toContain("    at ");
      expect(changes(acme.world)).toEqual([]);
      expect(await acme.checkout.settings()).toBe(file);
    },
    WAIT_MS,
  );

  test.each([
    [
      "a line end in a secret",
      'TWILIO_AUTH_TOKEN="line\nend-of-secret"',
      "TWILIO_AUTH_TOKEN holds a line end",
      "end-of-secret",
    ],
    [
      "a value of a wrong shape",
      "TWILIO_ACCOUNT_SID=wrong-value",
      "TWILIO_ACCOUNT_SID: must be AC",
      "wrong-value",
    ],
    [
      "a name that is no setting",
      "TWILIO_TOKEN=some-secret-value",
      '"TWILIO_TOKEN" is no setting',
      "some-secret-value",
    ],
    [
      "a file that is no JSON",
      '{"TWILIO_AUTH_TOKEN": "some-secret-value"',
      "is not a JSON object",
      "some-secret-value",
    ],
  ])(
    "%s is told by the setting's name, never by its value",
    async (_name, content, said, value) => {
      await acme.checkout.write("settings.env", content);
      const run = await acme.checkout.run("provision", ANSWERS);
      expect(run.code).toBe(1);
      expect(run.error).toContain(said);
      expect(run.out + run.error).not.toContain(value);
      expect(changes(acme.world)).toEqual([]);
    },
    WAIT_MS,
  );
});
