import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { runCommand, UsageError } from "./lib/command.ts";
import { mintKeyring, mintProofKeys } from "./lib/mint.ts";

const HELP = `Mints the secrets of an environment. Nothing is stored: the value is printed, once.

  npm run -s keys -- session       key that signs session tokens
  npm run -s keys -- pepper        key that hashes codes and numbers
  npm run -s keys -- encryption    key that encrypts numbers kept for disputes
  npm run -s keys -- proof         key that signs proofs (private ES256 JWK)
  npm run -s keys -- --all         all four, as lines for .dev.vars

  --add-to VALUE   put the new key before those of VALUE, which go on verifying; "-" reads VALUE from standard input,
                   where it stays out of the shell's history

A proof key that is put before others is published at once and signs after 15 minutes, when nobody holds the key set without it
any more: store the value within a minute.

To rotate: mint with --add-to, store the result (npx wrangler secret put NAME --env production), and drop the last key
once nothing that it made is still alive.
`;

type Mint = (nowMs: number, older?: string) => string | Promise<string>;
const KINDS = new Map<string, { secret: string; mint: Mint }>([
  ["session", { secret: "SESSION_KEYS", mint: mintKeyring }],
  ["pepper", { secret: "PEPPER_KEYS", mint: mintKeyring }],
  ["encryption", { secret: "ENCRYPTION_KEYS", mint: mintKeyring }],
  ["proof", { secret: "PROOF_KEYS", mint: mintProofKeys }],
]);

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: {
      all: { type: "boolean" },
      "add-to": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) return console.log(HELP);
  const nowMs = Date.now();

  if (values.all) {
    if (positionals.length > 0 || values["add-to"] !== undefined) {
      throw new UsageError("--all mints all four anew and takes nothing else");
    }
    for (const { secret, mint } of KINDS.values()) console.log(`${secret}='${await mint(nowMs)}'`);
    return;
  }

  const [name, ...rest] = positionals;
  const kind = KINDS.get(name ?? "");
  if (kind === undefined || rest.length > 0) {
    throw new UsageError(`Say which key: ${[...KINDS.keys()].join(", ")} or --all. Try --help.`);
  }
  const older = values["add-to"] === "-" ? await text(process.stdin) : values["add-to"];
  try {
    console.log(await kind.mint(nowMs, older?.trim()));
  } catch (error) {
    throw new UsageError(`--add-to: ${(error as Error).message}`);
  }
});
