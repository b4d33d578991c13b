import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashApiKeySecret, readApiKeyRecord } from "../../../../src/adapters/cloudflare/kv-api-keys.ts";
import {
  type ApiKeyRecord,
  isApiKeyValid,
  mayUseFlow,
  parseApiKey,
} from "../../../../src/domain/access/api-key.ts";

const ID = "abcdefgh2345";
const SECRET = "A".repeat(43);
const NOW = 1_900_000_000_000;

const record = async (over: Partial<ApiKeyRecord> = {}): Promise<ApiKeyRecord> => ({
  name: "shop-backend",
  hash: await hashApiKeySecret(SECRET),
  flows: ["login"],
  skip_captcha: false,
  max_per_minute: 60,
  created_at_ms: NOW - 1000,
  expires_at_ms: null,
  ...over,
});

describe("a key's text", () => {
  test("comes apart into id and secret, whatever bytes the secret was made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const secret = Buffer.from(bytes).toString("base64url");
        expect(parseApiKey(`tg_${ID}_${secret}`)).toEqual({ id: ID, secret });
      }),
    );
  });

  test.each([`${"_".repeat(43)}`, `${"-".repeat(43)}`, `_tg_${"-_".repeat(19)}x`])(
    "keeps the underscores and hyphens of the secret %s",
    (secret) => {
      expect(parseApiKey(`tg_${ID}_${secret}`)).toEqual({ id: ID, secret });
    },
  );

  test.each([
    ["nothing", ""],
    ["another prefix", `xx_${ID}_${SECRET}`],
    ["a capital prefix", `TG_${ID}_${SECRET}`],
    ["a short id", `tg_${ID.slice(1)}_${SECRET}`],
    ["a long id", `tg_${ID}a_${SECRET}`],
    ["capitals in the id", `tg_${ID.toUpperCase()}_${SECRET}`],
    ["a digit outside base32 in the id", `tg_${ID.slice(0, 11)}1_${SECRET}`],
    ["a short secret", `tg_${ID}_${SECRET.slice(1)}`],
    ["a long secret", `tg_${ID}_${SECRET}A`],
    ["plain base64 in the secret", `tg_${ID}_${SECRET.slice(2)}+/`],
    ["a space behind", `tg_${ID}_${SECRET} `],
    ["a line break behind", `tg_${ID}_${SECRET}\n`],
    ["letters that look alike", `tg_${ID}_${SECRET.replaceAll("A", "А")}`],
  ])("with %s is no key", (_, text) => {
    expect(parseApiKey(text)).toBeNull();
  });

  test("of any other shape is no key and no fault", () => {
    fc.assert(fc.property(fc.string(), (text) => parseApiKey(text) === null));
  });
});

describe("a record", () => {
  test("opens for its secret and for no other", async () => {
    const kept = await record();
    expect(isApiKeyValid(kept, await hashApiKeySecret(SECRET), NOW)).toBe(true);
    expect(isApiKeyValid(kept, await hashApiKeySecret(`${SECRET.slice(1)}B`), NOW)).toBe(false);
    expect(isApiKeyValid(kept, SECRET, NOW)).toBe(false);
    expect(isApiKeyValid(kept, "", NOW)).toBe(false);
  });

  test("is good until its last millisecond", async () => {
    const kept = await record({ expires_at_ms: NOW });
    expect(isApiKeyValid(kept, kept.hash, NOW - 1)).toBe(true);
    expect(isApiKeyValid(kept, kept.hash, NOW)).toBe(false);
  });

  test("allows the flows it names, and all with *", async () => {
    expect(mayUseFlow(await record(), "login")).toBe(true);
    expect(mayUseFlow(await record(), "payment")).toBe(false);
    expect(mayUseFlow(await record({ flows: ["*"] }), "payment")).toBe(true);
  });

  test("holds the SHA-256 of the secret in base64url, and nothing of the secret", async () => {
    // FIPS 180-2 appendix B.1: SHA-256 of "abc".
    const abc = Buffer.from("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "hex");
    expect(await hashApiKeySecret("abc")).toBe(abc.toString("base64url"));
    const secret = randomBytes(32).toString("base64url");
    expect(JSON.stringify(await record({ hash: await hashApiKeySecret(secret) }))).not.toContain(secret);
  });

  test("is read as it was written", async () => {
    for (const kept of [await record(), await record({ flows: ["*"], expires_at_ms: NOW })]) {
      expect(readApiKeyRecord(JSON.stringify(kept))).toEqual(kept);
    }
  });

  test.each([
    ["no JSON", "{"],
    ["no object", '"key"'],
    ["no hash", { hash: undefined }],
    ["a hash in another coding", { hash: "ab".repeat(32) }],
    ["no flows", { flows: [] }],
    ["* beside a flow", { flows: ["*", "login"] }],
    ["a flow of another shape", { flows: ["Login!"] }],
    ["skip_captcha as text", { skip_captcha: "false" }],
    ["no limit", { max_per_minute: undefined }],
    ["a limit of zero", { max_per_minute: 0 }],
    ["no word on its end", { expires_at_ms: undefined }],
    ["its end as a date", { expires_at_ms: "2027-01-01" }],
    ["a field nobody knows", { admin: true }],
  ])("with %s is no record", async (_, change) => {
    const text = typeof change === "string" ? change : JSON.stringify({ ...(await record()), ...change });
    expect(readApiKeyRecord(text)).toBeNull();
  });
});

describe("npm run api-keys", () => {
  const run = (args: string[]) =>
    new Promise<{ code: number; out: string; errors: string }>((resolve) => {
      const [node, script] = ["node_modules/node/bin/node", "scripts/api-keys.ts"].map((path) =>
        fileURLToPath(new URL(`../../../../${path}`, import.meta.url)),
      );
      execFile(node ?? "", [script ?? "", ...args], (error, out, errors) =>
        resolve({ code: Number(error?.code ?? 0), out, errors }),
      );
    });
  const mint = ["mint", "--name", "shop", "--flows", "login"];

  test("explains itself", async () => {
    const { code, out } = await run(["--help"]);
    expect([code, out]).toEqual([0, expect.stringContaining("mint --name shop-backend")]);
  });

  test.each([
    ["no command", [], "mint, list, revoke"],
    ["an unknown command", ["make"], "mint, list, revoke"],
    ["an unknown option", ["list", "--all"], "--all"],
    ["no name", ["mint", "--flows", "login"], "--name"],
    ["a name with spaces", ["mint", "--name", "my shop", "--flows", "login"], '--name "my shop"'],
    ["no flows", ["mint", "--name", "shop"], "--flows"],
    ["an unknown flow", ["mint", "--name", "shop", "--flows", "login,lgoin"], '"lgoin"'],
    ["an empty flow", ["mint", "--name", "shop", "--flows", "login,"], '""'],
    [
      "a flow named like a part of every object",
      ["mint", "--name", "s", "--flows", "__proto__"],
      "__proto__",
    ],
    ["a limit of zero", [...mint, "--per-minute", "0"], '--per-minute "0"'],
    ["a limit too high", [...mint, "--per-minute", "6001"], '--per-minute "6001"'],
    ["half a request", [...mint, "--per-minute", "1.5"], '--per-minute "1.5"'],
    ["an end without unit", [...mint, "--expires", "365"], '--expires "365"'],
    ["an end too soon", [...mint, "--expires", "59m"], '--expires "59m"'],
    ["an unknown environment", [...mint, "--env", "prod"], '"prod"'],
    ["two places", [...mint, "--env", "staging", "--local"], "exclude each other"],
    ["mint's options with list", ["list", "--name", "shop"], "--name belongs to mint"],
    ["revoke without an id", ["revoke"], "one id"],
    ["revoke with two ids", ["revoke", ID, ID], "one id"],
  ])("refuses %s, by name and with the exit code of a wrong call", async (what, args, words) => {
    const { code, out, errors } = await run(args);
    // Which environments there are, wrangler.toml says.
    const expected = what === "an unknown environment" ? 1 : 2;
    expect([code, out, errors]).toEqual([expected, "", expect.stringContaining(words)]);
    expect(errors, "a message, not a stack").not.toMatch(/^\s+at /m);
  });

  test("does not repeat a whole key given where an id belongs", async () => {
    const { code, errors } = await run(["revoke", `tg_${ID}_${SECRET}`]);
    expect([code, errors.includes(SECRET)]).toEqual([2, false]);
  });
});
