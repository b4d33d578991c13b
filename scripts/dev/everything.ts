import { randomBytes } from "node:crypto";
import { CommandError } from "../lib/command.ts";
import { mintKeyring, mintProofKeys } from "../lib/mint.ts";
import type { Table } from "../lib/settings.ts";
import { mintOperatorToken } from "../ops/token.ts";
import { makeInbox } from "./inbox.ts";
import { type LocalRedis, openRedis } from "./redis.ts";
import { serveLocally } from "./serve.ts";
import { ALWAYS_PASSES_SECRET, makeSiteverify } from "./siteverify.ts";
import { makeUpstash } from "./upstash.ts";
import { startLocalWorker } from "./worker.ts";

export interface Everything {
  redis: LocalRedis;
  upstash: { url: string; token: string };
  /** Of an operator who may act. */
  operatorToken: string;
  /** The names of the given settings that the Worker got. */
  given: string[];
}

/**
 * The Worker and all it needs, on this machine, with secrets of its own: everything ends with this process.
 *
 * @param settings more of the Worker's, by their names; what is started here stands above them
 * @param cron false leaves the cron out
 * @throws CommandError when a part of it does not start
 */
export async function startEverything(options: {
  port: number;
  inboxPort: number;
  policy: Table;
  settings?: Readonly<Record<string, string>>;
  cron?: boolean;
}): Promise<Everything> {
  const { port, inboxPort, policy, settings = {}, cron = true } = options;
  const redis = await openRedis().catch((error: Error) => {
    throw new CommandError(error.message);
  });
  const token = randomBytes(24).toString("base64url");
  const upstash = await serveLocally(makeUpstash({ redis: redis.client, token }).handle);
  const siteverify = await serveLocally(makeSiteverify().handle);
  const receiptSecret = `whsec_${randomBytes(32).toString("base64")}`;
  const providers = ["sandbox", "sandbox_b", "sandbox_c"];
  const inbox = await serveLocally(makeInbox({ providers, receiptSecret }).app.fetch, inboxPort);
  const operator = await mintOperatorToken("you", "operator");

  const nowMs = Date.now();
  const own = {
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: token,
    SANDBOX_URL: inbox.url,
    SANDBOX_RECEIPT_SECRET: receiptSecret,
    SLACK_WEBHOOK_URL: `${inbox.url}/hooks/slack`,
    ADMIN_TOKENS: operator.entry,
    CAPTCHA_SITEVERIFY_URL: siteverify.url,
    CAPTCHA_SECRET_KEY: ALWAYS_PASSES_SECRET,
    SESSION_KEYS: mintKeyring(nowMs),
    PEPPER_KEYS: mintKeyring(nowMs),
    ENCRYPTION_KEYS: mintKeyring(nowMs),
    PROOF_KEYS: await mintProofKeys(nowMs),
  };
  await startLocalWorker({ port, policy, secrets: { ...settings, ...own }, cron });
  return {
    redis,
    upstash: { url: upstash.url, token },
    operatorToken: operator.token,
    given: Object.keys(settings).filter((name) => !(name in own)),
  };
}
