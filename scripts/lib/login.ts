/** The login and the account that a command works with. */
import { readFile } from "node:fs/promises";
import { type ApiError, type Cloudflare, type Credentials, openCloudflare } from "./cloudflare.ts";
import { CommandError, ROOT } from "./command.ts";
import type { Table } from "./settings.ts";
import { wrangler } from "./wrangler.ts";

export interface Account {
  id: string;
  name: string;
}

export interface Login {
  api: Cloudflare;
  account: Account;
}

/**
 * Logs in with what wrangler knows (CLOUDFLARE_API_TOKEN, or `wrangler login`), and finds the account.
 *
 * The account is the one asked for, or the one the environment stands in, or the only one of the login.
 *
 * @param asked an account's id or name
 * @param environment its table of wrangler.toml, whose `account_id` must be the same
 * @throws CommandError without a login, or where the account is not clear or another than the environment's
 */
export async function logIn(
  asked: string | undefined,
  environment: Table,
  say: (line: string) => void,
): Promise<Login> {
  await refuseOldWrangler();
  const api = openCloudflare(await readCredentials(), say);
  const accounts = await api.list<Account>("/accounts").catch((error: ApiError) => {
    if (error.status !== 400 && error.status !== 401 && error.status !== 403) throw error;
    throw new CommandError(
      `Cloudflare does not accept the login: ${error.message.split("\n")[0]}\n${LOG_IN}`,
    );
  });
  const noted = typeof environment.account_id === "string" ? environment.account_id : undefined;
  const wanted = asked || noted || process.env.CLOUDFLARE_ACCOUNT_ID;
  const account = choose(accounts, wanted);
  if (noted !== undefined && noted !== account.id) {
    throw new CommandError(
      `Wrong account: wrangler.toml's environment stands in account ${noted}, and this would work in ${account.id} (${account.name}).`,
    );
  }
  return { api, account };
}

const LOG_IN = "Log in with npx wrangler login, or set CLOUDFLARE_API_TOKEN.";

function choose(accounts: readonly Account[], wanted: string | undefined): Account {
  const names = accounts.map(({ id, name }) => `${id} (${name})`).join(", ") || "none";
  if (wanted !== undefined) {
    const found = accounts.filter(({ id, name }) => id === wanted || name === wanted);
    if (found[0] !== undefined && found.length === 1) return found[0];
    throw new CommandError(`Wrong account: the login has no account ${wanted}; it has ${names}.`);
  }
  if (accounts[0] !== undefined && accounts.length === 1) return accounts[0];
  throw new CommandError(`Say which account: --account ID. The login has ${names}.`);
}

/** What wrangler itself would use, so that both are always the same login. */
async function readCredentials(): Promise<Credentials> {
  const { CLOUDFLARE_API_TOKEN: token } = process.env;
  if (token) return { token };
  const run = await wrangler(["auth", "token", "--json"]);
  const read = run.code === 0 ? readJson(run.stdout) : null;
  if (typeof read?.token === "string") return { token: read.token };
  if (typeof read?.key === "string" && typeof read.email === "string") {
    return { key: read.key, email: read.email };
  }
  throw new CommandError(`Nobody is logged in at Cloudflare. ${LOG_IN}`);
}

function readJson(text: string): Table | null {
  try {
    return JSON.parse(text) as Table;
  } catch {
    return null;
  }
}

async function refuseOldWrangler(): Promise<void> {
  const [wanted, found] = await Promise.all([
    readFile(`${ROOT}package.json`, "utf8").then(
      (text) => JSON.parse(text).devDependencies.wrangler as string,
    ),
    readFile(`${ROOT}node_modules/wrangler/package.json`, "utf8").then(
      (text) => JSON.parse(text).version as string,
    ),
  ]);
  const parts = (version: string) => version.replace(/^\D+/, "").split(".").map(Number);
  const [major = 0, minor = 0] = parts(wanted);
  const [foundMajor = 0, foundMinor = 0] = parts(found);
  if (foundMajor > major || (foundMajor === major && foundMinor >= minor)) return;
  throw new CommandError(`wrangler ${found} is too old: ${wanted} is needed. Run npm ci.`);
}
