/** The age of the keys, and new ones. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { addedSecretName, RING_SETTINGS } from "../../src/config/keyrings.ts";
import { KEYRING_NAMES, type KeyringName } from "../../src/domain/access/key-age.ts";
import type { KeysAnswer } from "../../src/http/admin/evidence-contract.ts";
import { CommandError, ROOT, UsageError } from "../lib/command.ts";
import { mintKeyring, mintProofKeys, proofKeySignsFromMs } from "../lib/mint.ts";
import { environmentOf, readSettings } from "../lib/settings.ts";
import { QUIET_WRANGLER } from "../lib/wrangler.ts";
import { askJson, type Service } from "./client.ts";
import type { Command } from "./command.ts";
import { clock, number, plain, styled, table } from "./format.ts";
import { WHY, why } from "./options.ts";

/** Until when what an old key made may still come back, and what follows when the key is dropped sooner. */
const OVERLAPS: Readonly<Record<KeyringName, string>> = {
  session: "an hour: sessions live for ten minutes",
  proof: "a day: proofs live for 15 minutes at most, and backends remember the public keys for a while",
  encryption: "until keys status says that it holds nothing: retention.numbers, 30 days by default",
  pepper:
    "180 days, as long as numbers and devices are known: whoever did not come back by then is a stranger once, and shows a CAPTCHA",
};

/** Puts a secret in its place. @throws CommandError in wrangler's words */
export type PutSecret = (environment: string, name: string, value: string) => Promise<void>;

export const KEYS: readonly Command[] = [
  {
    name: "keys status",
    usage: "keys status",
    about: "how old the keys are, when the next are due, what old ones still hold",
    help: "",
    options: [],
    words: [0, 0],
    run: async (service, { json }) => {
      const answer = await askJson<KeysAnswer>(service, "GET", "/keys");
      console.log(json ? JSON.stringify(answer, null, 2) : keysLines(answer).join("\n"));
    },
  },
  {
    name: "keys rotate",
    usage: `keys rotate ${KEYRING_NAMES.join("|")} --env NAME --why "..."`,
    about: "make a new key and put it first; the old ones go on checking what they made",
    help: `${WHY}

Cloudflare gives no secret back, so the new key is a secret of its own beside the old ones, like
SESSION_KEYS_20261121T234501Z: nobody needs the old value at hand. The latest makes, all of them check.`,
    options: ["why"],
    words: [1, 1],
    run: async (service, { words: [word = ""], values }) => {
      const ring = KEYRING_NAMES.find((known) => known === word);
      if (ring === undefined) throw new UsageError(`"${word}" is no ring: ${KEYRING_NAMES.join(", ")}.`);
      console.log((await rotateKey(service, ring, why(values), putSecret, Date.now())).join("\n"));
    },
  },
];

export function keysLines({ rotate_days, rings, faults }: KeysAnswer): string[] {
  const rows = rings.flatMap(({ ring, due, overdue, keys }) =>
    keys.map((key) => [
      key.makes ? ring : "",
      key.id,
      key.makes ? "makes" : "checks",
      key.age_days === null ? "-" : number(key.age_days),
      !key.makes || due === null
        ? ""
        : {
            text: overdue ? `overdue since ${clock(due)}` : clock(due),
            ...(overdue && { style: "red" as const }),
          },
      key.holds === null ? "" : number(key.holds),
    ]),
  );
  return [
    ...table(
      [
        { title: "ring" },
        { title: "key" },
        { title: "does" },
        { title: "days", right: true },
        { title: `due (every ${rotate_days} days)` },
        { title: "holds", right: true },
      ],
      rows,
    ),
    ...faults.map((fault) => styled("red", plain(fault))),
  ];
}

/**
 * Makes a key, puts it in its place and has the service write that down.
 *
 * @returns what was done and what is left to do, in lines
 * @throws CommandError where the service is no environment of wrangler.toml, or wrangler fails: nothing has changed then
 */
export async function rotateKey(
  service: Service,
  ring: KeyringName,
  reason: string,
  put: PutSecret,
  nowMs: number,
): Promise<string[]> {
  const environment = service.name;
  // A local service has fresh keys at each start, and an address alone names no place for secrets.
  environmentOf(await readSettings(), environment);
  const before = await askJson<KeysAnswer>(service, "GET", "/keys");
  const value =
    ring === "proof" ? await mintProofKeys(nowMs, "", proofKeySignsFromMs(nowMs)) : mintKeyring(nowMs);
  const secret = addedSecretName(ring, nowMs);
  const keyId = ring === "proof" ? JSON.parse(value)[0].kid : value.slice(0, value.indexOf(":"));
  await put(environment, secret, value);
  const noted = await askJson<{ recorded: boolean }>(service, "POST", "/keys/rotated", {
    ring,
    key_id: keyId,
    secret,
    why: reason,
  }).catch(() => ({ recorded: false }));
  const old = before.rings.find((state) => state.ring === ring)?.keys ?? [];
  const setting = RING_SETTINGS[ring];
  return [
    `${environment}: ${keyId} ${begins(ring, nowMs)}, as ${secret}; ${old.map(({ id }) => id).join(", ")} still checks.`,
    ...(noted.recorded ? [] : ["It is not written down who did this: write it down yourself."]),
    "In the seconds until every place has heard of it, a code asked for at one may be refused at another.",
    `Keep the old ones for ${OVERLAPS[ring]}.`,
    "Then drop them, by the names that npx wrangler secret list shows:",
    `  npx wrangler secret delete ${setting}_<older time> --env ${environment}`,
    `  npm run -s keys -- ${ring} | npx wrangler secret put ${setting} --env ${environment}`,
    `The second fills ${setting} itself, which wrangler.toml requires, with a key that nothing was made with.`,
  ];
}

/** Proofs are checked by backends that keep the public keys for a while: a new one is published before it signs. */
const begins = (ring: KeyringName, nowMs: number): string =>
  ring === "proof"
    ? `is published now and signs from ${new Date(proofKeySignsFromMs(nowMs)).toISOString().slice(0, 19)}Z on`
    : "makes from now on";

const WRANGLER = fileURLToPath(new URL("../../node_modules/wrangler/bin/wrangler.js", import.meta.url));

/** The value goes to wrangler's standard input: never into an argument, which everybody on the machine may read. */
const putSecret: PutSecret = (environment, name, value) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, "secret", "put", name, "--env", environment], {
      cwd: ROOT,
      env: { ...process.env, ...QUIET_WRANGLER },
      stdio: ["pipe", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(new CommandError(`wrangler did not put ${name}; nothing has changed.\n${said.trim()}`));
    });
    child.stdin.end(value);
  });
