import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freeSteps, smokeLine } from "./deploy/smoke-steps.ts";
import { isTollgate, mainVersion, readDeployments, serviceUrl } from "./deploy/target.ts";
import { configurationFindings } from "./doctor/configuration.ts";
import { type Finding, findingLines } from "./doctor/finding.ts";
import { CommandError, runCommand } from "./lib/command.ts";
import { policyFaults } from "./lib/configuration.ts";
import { type Login, logIn } from "./lib/login.ts";
import { environmentOf, isTable, policyOf, readSettings, type Table } from "./lib/settings.ts";
import { wrangler } from "./lib/wrangler.ts";
import { checkAddress } from "./provision/address.ts";
import { applyMigrations } from "./provision/migrations.ts";
import { type Place, surveyResources, workerName } from "./provision/resources.ts";
import { heldSecrets } from "./provision/secrets.ts";

const HELP = `Deploys one environment: judges its configuration, applies migrations, builds, deploys, and tries what it deployed.

  npm run deploy -- --env staging|production [--dry-run]
  npm run deploy -- --env production --share 10        one request in ten goes to the new version

  --env NAME       the environment of wrangler.toml
  --dry-run        needs no account: names what is wrong, builds, prints bindings and sizes, deploys nothing
  --share PERCENT  1 to 99: the rest stays with the version that runs; deploy again without it for all
  --account ID     where the login has several accounts
  --url URL        where the smoke test finds the service, when it is not at the issuer yet
  --wait SECONDS   how long the address may take to answer; default 120
  --no-smoke       leaves the smoke test out
  --json           the outcome as JSON
  --help

Refused before anything leaves this machine: a configuration that the Worker would not start with, placeholders, an address
that leads nowhere or elsewhere, missing secrets. npm run provision makes what is missing.
`;

interface Options {
  share: number | null;
  url: string | undefined;
  waitMs: number;
  hasSmoke: boolean;
  isJson: boolean;
}

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      env: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      share: { type: "string" },
      account: { type: "string" },
      url: { type: "string" },
      wait: { type: "string", default: "120" },
      "no-smoke": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.env === undefined) throw new CommandError("Say which environment: --env NAME. Try --help.");
  const name = values.env;
  const options: Options = {
    share: readShare(values.share),
    url: values.url,
    waitMs: readSeconds(values.wait) * 1000,
    hasSmoke: !values["no-smoke"],
    isJson: values.json,
  };
  const settings = await readSettings();
  const environment = environmentOf(settings, name);
  const others = settings.env as Readonly<Record<string, Table>>;
  const judge = (held: readonly string[] | null) =>
    configurationFindings({ name, environment, others, held, known: {}, nowMs: Date.now() });

  if (values["dry-run"]) return dryRun(name, environment, await judge(null));
  refuse(name, await judge(null));
  const login = await logIn(values.account, environment, (line) => console.error(line));
  const place: Place = { api: login.api, accountId: login.account.id, name, environment };
  refuse(name, await judge(await heldSecrets(place.api, place.accountId, workerName(place))));
  await deploy(place, login, options);
});

/** What is wrong is told and not refused, but for a policy that no account could make good. */
async function dryRun(name: string, environment: Table, findings: readonly Finding[]): Promise<void> {
  const wrong = findings.filter(({ severity }) => severity === "error" || severity === "warning");
  for (const one of wrong) console.log(findingLines(one).join("\n"));
  const folder = await mkdtemp(join(tmpdir(), "tollgate-build-"));
  try {
    const { code } = await wrangler(["deploy", "--env", name, "--dry-run", "--outdir", folder], true);
    if (code !== 0) throw new CommandError(`wrangler ended with exit code ${code}; its own words are above.`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const faults = policyFaults(environment);
  if (faults.length > 0)
    throw new CommandError(`The Worker would refuse the policy of ${name}:\n  - ${faults.join("\n  - ")}`);
  console.log(`${name} builds; nothing was deployed.`);
}

function refuse(name: string, findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  throw new CommandError(
    `${name} was not deployed: it would not answer.\n${errors.flatMap(findingLines).join("\n")}`,
  );
}

async function deploy(place: Place, { account }: Login, options: Options): Promise<void> {
  const { api, accountId, name, environment } = place;
  const worker = workerName(place);
  for (const host of customDomains(environment)) await checkAddress(api, account, host, worker);
  const missing = (await surveyResources(place)).filter(({ state }) => state !== "kept");
  if (missing.length > 0) {
    const names = missing.map(({ noun, name: title }) => `${noun} ${title}`).join(", ");
    throw new CommandError(
      `${name} was not deployed: ${names} is not there. Mend: npm run provision -- --env ${name}`,
    );
  }
  const running = mainVersion((await readDeployments(api, accountId, worker))[0]);
  const before = running !== null && (await isTollgate(api, accountId, worker, running)) ? running : null;
  if (options.share !== null && before === null) {
    throw new CommandError("--share needs a version that runs: the first deploy is whole.");
  }
  const applied = await applyMigrations(place);
  if (!options.isJson && applied.length > 0) console.log(`Migrations applied: ${applied.join(", ")}`);

  if (options.share === null) await runWrangler(place, ["deploy", "--env", name], options);
  else await deployShare(place, before ?? "", options.share, options);

  const [now] = await readDeployments(api, accountId, worker);
  const back = before === null ? null : `npm run rollback -- --env ${name} --version ${before}`;
  const target = { name, environment, url: serviceUrl(policyOf(environment), options.url) };
  const steps = options.hasSmoke ? await freeSteps(target, options.waitMs) : [];
  const isGood = steps.every(({ state }) => state !== "failed");
  if (options.isJson) {
    console.log(
      JSON.stringify(
        { environment: name, deployment: now ?? null, before, rollback: back, ok: isGood, steps },
        null,
        2,
      ),
    );
  } else {
    for (const step of steps) console.log(smokeLine(step));
    console.log(`\n${name} is deployed${isGood ? "" : ", and does NOT work as it should"}.`);
    console.log(
      back === null ? "It is the first version: there is none to go back to." : `The way back: ${back}`,
    );
    if (isGood) console.log(`One real code: npm run smoke -- --env ${name} --to +…`);
  }
  if (!isGood) process.exitCode = 1;
}

/** The new version beside the one that runs. */
async function deployShare(place: Place, before: string, share: number, options: Options): Promise<void> {
  const { api, accountId, name } = place;
  await runWrangler(place, ["versions", "upload", "--env", name], options);
  const { items } = await api.get<{ items: { id: string; number: number }[] }>(
    `/accounts/${accountId}/workers/scripts/${workerName(place)}/versions`,
  );
  const newest = items.toSorted((a, b) => b.number - a.number)[0]?.id;
  if (newest === undefined || newest === before)
    throw new CommandError("The new version is not in the account's list; run again.");
  const parts = [`${newest}@${share}%`, `${before}@${100 - share}%`];
  await runWrangler(place, ["versions", "deploy", ...parts, "--env", name, "--yes"], options);
}

async function runWrangler({ accountId }: Place, words: string[], { isJson }: Options): Promise<void> {
  const run = await wrangler(words, !isJson, { CLOUDFLARE_ACCOUNT_ID: accountId });
  if (run.code === 0) return;
  throw new CommandError(
    `wrangler ended with exit code ${run.code}${isJson ? `:\n${run.stderr || run.stdout}` : "; its own words are above."}`,
  );
}

function customDomains({ routes }: Table): string[] {
  const all = Array.isArray(routes) ? routes.filter(isTable) : [];
  return all.flatMap(({ pattern, custom_domain }) =>
    custom_domain === true && typeof pattern === "string" ? [pattern] : [],
  );
}

function readShare(text: string | undefined): number | null {
  if (text === undefined) return null;
  const share = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (share >= 1) return share;
  throw new CommandError(`--share "${text}" is no whole number from 1 to 99.`);
}

function readSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new CommandError(`--wait "${text}" is no whole number of seconds.`);
}
