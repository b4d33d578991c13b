/** What the account holds for an environment. Only reads. */
import { parsePolicy } from "../../src/config/config.ts";
import { DAY_MS } from "../../src/domain/kernel/time.ts";
import { ApiError } from "../lib/cloudflare.ts";
import { CommandError } from "../lib/command.ts";
import type { Account } from "../lib/login.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import { checkAddress } from "../provision/address.ts";
import { pendingMigrations } from "../provision/migrations.ts";
import { type Place, surveyResources, workerName } from "../provision/resources.ts";
import { type Finding, finding, ok } from "./finding.ts";
import { type LedgerCounts, storageFinding } from "./storage.ts";

export async function accountFindings(place: Place, account: Account): Promise<Finding[]> {
  const parts = [
    resourceFindings,
    storedSecretFindings,
    storageFindings,
    migrationFindings,
    triggerFindings,
    widgetFindings,
  ].map((look) => look(place).catch(asFinding));
  return [...(await Promise.all(parts)).flat(), ...(await hostFindings(place, account).catch(asFinding))];
}

/** A refusal of the API is a finding like any other; a fault of this program is not. */
function asFinding(error: unknown): Finding[] {
  if (!(error instanceof CommandError)) throw error;
  const [what = "", ...rest] = error.message.split("\n");
  const why = "this part could not be looked at";
  return [finding("error", "account", what, { why, mend: rest.join(" ") || "see the message" })];
}

async function resourceFindings(place: Place): Promise<Finding[]> {
  const resources = await surveyResources(place);
  const missing = resources.filter(({ state }) => state !== "kept");
  return missing.length === 0
    ? [ok("resources", `${resources.length} are there`)]
    : missing.map(({ noun, name, state }) =>
        finding(
          "error",
          "resources",
          state === "missing"
            ? `the ${noun} ${name} is missing`
            : `wrangler.toml lacks the id of the ${noun} ${name}`,
          {
            why: "wrangler could not deploy",
            mend: `npm run provision -- --env ${place.name}`,
          },
        ),
      );
}

/** Secrets of the account's Secrets Store that wrangler.toml binds. */
async function storedSecretFindings({ api, accountId, environment }: Place): Promise<Finding[]> {
  const bound = Array.isArray(environment.secrets_store_secrets)
    ? environment.secrets_store_secrets.filter(isTable)
    : [];
  const found: Finding[] = [];
  for (const { binding, store_id, secret_name } of bound) {
    const path = `/accounts/${accountId}/secrets_store/stores/${String(store_id)}/secrets`;
    const secrets = await api.list<{ name: string }>(path, { search: String(secret_name) });
    found.push(
      secrets.some(({ name }) => name === secret_name)
        ? ok("secrets-store", `holds ${String(secret_name)} for ${String(binding)}`)
        : finding("error", "secrets-store", `does not hold ${String(secret_name)} for ${String(binding)}`, {
            why: "the Worker would answer 500 misconfigured to everything",
            mend: `npx wrangler secrets-store secret create ${String(store_id)} --name ${String(secret_name)} --scopes workers --remote`,
          }),
    );
  }
  return found;
}

async function storageFindings({ api, accountId, environment }: Place): Promise<Finding[]> {
  const databases = Array.isArray(environment.d1_databases) ? environment.d1_databases.filter(isTable) : [];
  const found: Finding[] = [];
  for (const { database_id } of databases) {
    const path = `/accounts/${accountId}/d1/database/${String(database_id)}`;
    const database = await api.find<{ file_size?: number }>(path);
    if (database === null) continue;
    const counts = await ledgerCounts(api, path, environment);
    found.push(storageFinding(database.file_size ?? 0, counts, Date.now()));
  }
  return found;
}

async function ledgerCounts(
  api: Place["api"],
  databasePath: string,
  environment: Table,
): Promise<LedgerCounts | null> {
  const policy = parsePolicy(policyOf(environment));
  if (!policy.ok) return null;
  const sql = `SELECT (SELECT count(*) FROM verifications) AS rows,
    (SELECT count(*) FROM verifications WHERE at >= ?1) AS rowsLastDay`;
  try {
    const [answer] = await api.post<{ results: { rows: number; rowsLastDay: number }[] }[]>(
      `${databasePath}/query`,
      { sql, params: [Date.now() - DAY_MS] },
    );
    const [counts] = answer?.results ?? [];
    return counts ? { ...counts, retention: policy.value.retention } : null;
  } catch (error) {
    // Before its migration there is no such table.
    if (error instanceof ApiError && /no such table/i.test(error.message)) return null;
    throw error;
  }
}

async function migrationFindings(place: Place): Promise<Finding[]> {
  const pending = await pendingMigrations(place);
  return [
    pending.length === 0
      ? ok("migrations", "all are applied")
      : finding("error", "migrations", `${pending.join(", ")} are not applied`, {
          why: "the ledger would have nowhere to write",
          mend: `npm run provision -- --env ${place.name}`,
        }),
  ];
}

/** A Worker that only got its secrets has no cron yet. */
async function triggerFindings(place: Place): Promise<Finding[]> {
  const { api, accountId, environment, name } = place;
  const wanted =
    isTable(environment.triggers) && Array.isArray(environment.triggers.crons)
      ? environment.triggers.crons
      : [];
  const answer = await api.find<{ schedules: { cron: string }[] }>(
    `/accounts/${accountId}/workers/scripts/${workerName(place)}/schedules`,
  );
  const there = (answer?.schedules ?? []).map(({ cron }) => cron);
  return wanted.every((cron) => there.includes(String(cron)))
    ? [ok("deployed", "the Worker is there with its cron")]
    : [
        finding("warning", "deployed", "the Worker is not deployed, or without its cron", {
          why: "nothing answers, and nobody looks for attacks",
          mend: `npm run deploy -- --env ${name}`,
        }),
      ];
}

/** A widget works on the hosts that it lists, and on those below them. */
async function widgetFindings({ api, accountId, environment, name }: Place): Promise<Finding[]> {
  const captcha = isTable(policyOf(environment).captcha) ? (policyOf(environment).captcha as Table) : {};
  if ((captcha.provider ?? "turnstile") !== "turnstile") return [];
  const hostnames = (Array.isArray(captcha.hostnames) ? captcha.hostnames : []).map(String);
  const widgets = await api.list<{ sitekey: string; domains: string[] }>(
    `/accounts/${accountId}/challenges/widgets`,
  );
  return [captcha.site_key, captcha.fresh_site_key].flatMap((key) => {
    if (key === undefined) return [];
    const widget = widgets.find(({ sitekey }) => sitekey === key);
    if (widget === undefined) {
      return finding("warning", "widgets", `the account has no widget ${String(key)}`, {
        why: "its hosts and secret could not be looked at",
        mend: `npm run provision -- --env ${name}`,
      });
    }
    const without = hostnames.filter(
      (host) => !widget.domains.some((domain) => host === domain || host.endsWith(`.${domain}`)),
    );
    return without.length === 0
      ? ok("widgets", `${widget.sitekey} works on ${hostnames.join(", ")}`)
      : finding("error", "widgets", `${widget.sitekey} does not list ${without.join(", ")}`, {
          why: "nobody could solve the CAPTCHA there",
          mend: `npx wrangler turnstile widget update ${widget.sitekey} --domain ${[...widget.domains, ...without].join(",")}`,
        });
  });
}

async function hostFindings(place: Place, account: Account): Promise<Finding[]> {
  const routes = Array.isArray(place.environment.routes) ? place.environment.routes.filter(isTable) : [];
  const found: Finding[] = [];
  for (const { pattern, custom_domain: isCustom } of routes) {
    if (isCustom !== true || typeof pattern !== "string") continue;
    const { zone, notes } = await checkAddress(place.api, account, pattern, workerName(place));
    found.push(ok("zone", `${pattern} is in zone ${zone}`));
    for (const note of notes)
      found.push(
        finding("warning", "zone", note, {
          why: "people could not reach it",
          mend: "see the zone's page at Cloudflare",
        }),
      );
  }
  return found;
}
