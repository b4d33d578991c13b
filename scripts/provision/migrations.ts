import { CommandError } from "../lib/command.ts";
import { wrangler } from "../lib/wrangler.ts";

/**
 * Applies the database's migrations that are not applied yet.
 *
 * @returns the names of the migrations that were applied now
 * @throws CommandError in wrangler's words
 */
export async function applyMigrations(environment: string, accountId: string): Promise<string[]> {
  const args = ["d1", "migrations", "apply", "DB", "--env", environment, "--remote"];
  const run = await wrangler(args, false, { CLOUDFLARE_ACCOUNT_ID: accountId });
  if (run.code !== 0) {
    throw new CommandError(
      `The migrations were not applied; run again.\n${(run.stderr || run.stdout).trim()}`,
    );
  }
  if (/no migrations to apply/i.test(run.stdout)) return [];
  return [...new Set(run.stdout.match(/\b\d{4}_\w+\.sql\b/g) ?? [])].sort();
}
