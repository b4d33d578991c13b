import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parse } from "smol-toml";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { sha256Hex } from "../../src/adapters/digest.ts";
import { type Acme, makeAcme, removeCheckouts, SETTINGS } from "../support/cloudflare/acme.ts";

const WAIT_MS = 300_000;
const TERMINAL = fileURLToPath(new URL("../support/terminal.py", import.meta.url));
const hasPty = spawnSync("python3", ["-c", "import pty"]).status === 0;
if (!hasPty) console.log("no python3 with a pty here: what provisioning asks on a terminal is not tried");
const onTerminal = test.skipIf(!hasPty);

let acme: Acme;
beforeEach(async () => {
  acme = await makeAcme();
});
afterEach(() => acme.close());
afterAll(removeCheckouts);

type Answers = [words: string, typed: string][];
const provision = (answers: Answers, words: readonly string[] = []) =>
  acme.checkout.runBy(["python3", TERMINAL, JSON.stringify(answers)], "provision", [
    "--env",
    "production",
    ...words,
  ]);
const changes = () => acme.world.requests.filter((line) => !line.startsWith("GET "));

/** An empty line takes what stands in brackets. */
const QUESTIONS: Answers = [
  ["Host of the service", "verify.acme.test\r"],
  ["Hosts of the pages.*\\[acme\\.test,www\\.acme\\.test\\]", "\r"],
  ["Brand that the messages name", "Acme\r"],
  ["Audience of the proofs.*\\[acme\\]", "\r"],
  ["Countries you send to.*\\[IN\\]", "in, us\r"],
  ["Providers in order.*\\[twilio\\]", "\r"],
  ["Owners of alerts", "Ada Lovelace:slack\r"],
  ["REST address of the Upstash", "https://acme.upstash.io\r"],
];
const SECRETS: Answers = ["UPSTASH_REDIS_REST_TOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"].map(
  (name) => [
    `${name}, or nothing to give it later \\(not shown\\)`,
    `${SETTINGS[name as keyof typeof SETTINGS]}\r`,
  ],
);
const LATER: Answers = [
  ["TWILIO_MESSAGING_SERVICE_SID, or nothing", "\r"],
  ["SLACK_WEBHOOK_URL, or nothing", "\r"],
];

onTerminal(
  "on a terminal it asks, shows no secret, and shows the first operator's token once",
  async () => {
    const run = await provision([...QUESTIONS, ...SECRETS, ...LATER, ["Do this \\(yes or no\\)", "yes\r"]]);
    expect(run.code).toBe(0);
    expect(run.out).toContain("secret SLACK_WEBHOOK_URL: npx wrangler secret put");
    for (const name of ["UPSTASH_REDIS_REST_TOKEN", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"] as const)
      expect(run.out).not.toContain(SETTINGS[name]);

    const held = acme.world.scripts.get("tollgate-production")?.secrets;
    const tokens = run.out.match(/tgo_[\w-]{43}/g) ?? [];
    expect(tokens).toHaveLength(1);
    expect(held?.get("ADMIN_TOKENS")).toBe(`admin:operator:${await sha256Hex(tokens[0] ?? "")}`);
    expect(held?.get("TWILIO_AUTH_TOKEN")).toBe(SETTINGS.TWILIO_AUTH_TOKEN);
    const file = await acme.checkout.settings();
    expect(parse(file)).toMatchObject({
      env: {
        production: { vars: { POLICY: { countries: { allow: ["IN", "US"] }, message: { brand: "Acme" } } } },
      },
    });

    // Again: only what is still open is asked, and nothing is made, shown or changed twice.
    const again = await provision([...LATER, ["Do this", "y\r"]]);
    expect(again.code).toBe(0);
    expect(again.out).not.toMatch(/tgo_/);
    expect(await acme.checkout.settings()).toBe(file);
    expect(acme.world.namespaces).toHaveLength(1);
  },
  WAIT_MS,
);

onTerminal(
  "a token whose secrets were put while the answer got lost is shown all the same",
  async () => {
    // The first one finds no Worker yet, and makes one.
    acme.world.faults = [
      { method: "PATCH", path: /\/secrets-bulk$/, kind: "break after", times: 99, passes: 1 },
    ];
    const run = await provision([...QUESTIONS, ...SECRETS, ...LATER, ["Do this", "yes\r"]]);
    expect(run.code).toBe(1);
    const [token = ""] = run.out.match(/tgo_[\w-]{43}/) ?? [];
    const held = acme.world.scripts.get("tollgate-production")?.secrets;
    expect(held?.get("ADMIN_TOKENS")).toBe(`admin:operator:${await sha256Hex(token)}`);
  },
  WAIT_MS,
);

onTerminal(
  "Ctrl-C at a question, Ctrl-D at a secret, and a no at the end change nothing and end the command",
  async () => {
    const file = await acme.checkout.settings();
    const left = await provision([QUESTIONS[0] as Answers[0], ["Hosts of the pages", "\u0003"]]);
    const secret = await provision([...QUESTIONS, ["UPSTASH_REDIS_REST_TOKEN", "\u0004"]]);
    const no = await provision([...QUESTIONS, ...SECRETS, ...LATER, ["Do this", "no\r"]]);
    for (const run of [left, secret]) expect(run.out).toContain("Left without an answer.");
    expect(no.out).toContain("Nothing was changed.");
    for (const { code, out } of [left, secret, no]) {
      expect(code).toBe(1);
      expect(out).not.toMatch(/ {4}at |Warning/);
    }
    expect(changes()).toEqual([]);
    expect(await acme.checkout.settings()).toBe(file);
  },
  WAIT_MS,
);
