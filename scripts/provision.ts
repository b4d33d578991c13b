import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { sharedWithOthers } from "./doctor/separation.ts";
import { CommandError, ROOT, runCommand } from "./lib/command.ts";
import {
  judge,
  policyFaults,
  requiredSecrets,
  type Settings,
  storedSecrets,
  varsOf,
} from "./lib/configuration.ts";
import { logIn } from "./lib/login.ts";
import { environmentOf, isTable, readSettings, type Table } from "./lib/settings.ts";
import { readSettingsFile } from "./lib/settings-file.ts";
import { askSecret, askYes, hasTerminal } from "./lib/terminal.ts";
import { editToml, type TomlEdit } from "./lib/toml-edit.ts";
import { mintOperatorToken } from "./ops/token.ts";
import { checkAddress } from "./provision/address.ts";
import { answerEdits, QUESTIONS } from "./provision/answers.ts";
import { changeFile, makeResources, makeWidgets } from "./provision/apply.ts";
import { answersOf, askAnswers, readAnswers } from "./provision/ask.ts";
import { applyMigrations } from "./provision/migrations.ts";
import { describeOutcome, emptyOutcome, plannedOutcome, whatIsLeft } from "./provision/outcome.ts";
import { type Place, surveyResources, workerName } from "./provision/resources.ts";
import { heldSecrets, mintMissing, putSecrets } from "./provision/secrets.ts";
import { surveyWidgets, type WidgetPlan, widgetSecrets } from "./provision/widgets.ts";

const HELP = `Makes or finds all that an environment needs at Cloudflare, and writes its ids and your answers into wrangler.toml.
Run it again as often as you like: it makes nothing twice, goes on where it stopped, replaces no secret.

  npm run provision -- --env production
  npm run provision -- --env production --yes --settings FILE --domain verify.acme.test --brand Acme ...

  --env NAME          the environment of wrangler.toml
  --account ID        where the login has several accounts
  --domain HOST       where the service answers, in a zone of the account
  --pages HOSTS       where the form stands; default: the domain above --domain, and its www.
  --brand TEXT        what the messages name
  --audience NAME     of the proofs; default: from --brand
  --countries LIST    ISO codes separated by commas
  --providers LIST    in order
  --owners TEXT       "NAME:slack,pagerduty", or by role: "ROLE=NAME:slack;ROLE=NAME:slack"
  --upstash-url URL   REST address of the Upstash database
  --answers FILE      these answers as a JSON object, with the flags' names
  --settings FILE     secrets by their own names (TWILIO_AUTH_TOKEN=...), as .env or JSON; - is standard input
  --operator NAME     of the first operator's token, shown once on a terminal; default: admin
  --yes               asks nothing: what only you know is listed as left
  --dry-run           tells what would be done, changes nothing
  --json              the outcome as JSON
  --help

It ends 0 when everything it could do is done; what is left is listed, and npm run doctor names it too.
`;

const FLAGS = Object.fromEntries(QUESTIONS.map(({ flag }) => [flag, { type: "string" as const }]));

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      ...FLAGS,
      env: { type: "string" },
      account: { type: "string" },
      answers: { type: "string" },
      settings: { type: "string" },
      operator: { type: "string", default: "admin" },
      yes: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.env === undefined) throw new CommandError("Say which environment: --env NAME. Try --help.");
  const options = values as typeof values & { env: string };
  const say = (line: string) => console.error(line);
  const name = options.env;

  // Everything that can be wrong with what was given is said before anything is asked or made.
  const before = environmentOf(await readSettings(), name);
  const given = options.settings === undefined ? {} : await readSettingsFile(options.settings);
  const flags = { ...(await readAnswers(options.answers)), ...answersOf(values) };
  if (given.UPSTASH_REDIS_REST_URL !== undefined) flags["upstash-url"] ??= given.UPSTASH_REDIS_REST_URL;
  answerEdits(name, before, flags);
  const { api, account } = await logIn(options.account, before, say);
  const mayAsk = hasTerminal() && !options.yes && !options["dry-run"];
  const answers = mayAsk ? await askAnswers(before, flags) : flags;

  const edits: TomlEdit[] = [
    { path: ["env", name, "account_id"], value: account.id },
    ...answerEdits(name, before, answers),
  ];
  const text = await readFile(`${ROOT}wrangler.toml`, "utf8");
  const settings = await readSettings(editToml(text, edits));
  const environment = environmentOf(settings, name);
  const faults = policyFaults(environment);
  if (faults.length > 0) throw new CommandError(`The Worker would refuse this policy:\n${list(faults)}`);
  refuseShared(name, environment, settings);
  const place: Place = { api, accountId: account.id, name, environment };
  const worker = workerName(place);

  say(`Looking at account ${account.id} (${account.name}) …`);
  const notes = await lookAtAddress(place, account, worker);
  const [resources, widgets, held] = [
    await surveyResources(place),
    await surveyWidgets(place),
    [...(await heldSecrets(api, account.id, worker)), ...storedSecrets(environment)],
  ];
  const secrets = await secretsToPut(place, widgets, held, { given, mayAsk });

  const outcome = emptyOutcome(name, account.id, { resources, widgets, notes });
  const planned = () => plannedOutcome(outcome, resources, widgets, secrets, environment);
  if (options["dry-run"]) return console.log(describeOutcome(planned(), options.json, true));
  if (!options.yes) {
    if (!hasTerminal())
      throw new CommandError(
        "Nothing was changed: add --yes where nobody can be asked, or --dry-run to look.",
      );
    console.log(describeOutcome(planned(), false, true));
    if (!(await askYes("Do this"))) throw new CommandError("Nothing was changed.");
  }

  await changeFile(edits);
  await makeResources(resources, outcome, say);
  const made = await makeWidgets(place, widgets, outcome, say);
  await changeFile([requiredEdit(name, environmentOf(await readSettings(), name))]);
  const operator = await mintOperator(held, options.operator, options.json);
  const putting: Settings = {
    ...secrets,
    ...(await widgetSecrets(
      api,
      account.id,
      made,
      made.flatMap(({ setting }) => (held.includes(setting) ? [] : [setting])),
    )),
    ...(await mintMissing(held, requiredSecrets(environment), Date.now())),
    ...(operator !== null && { ADMIN_TOKENS: operator.entry }),
  };
  try {
    await putAll(place, putting, say);
  } finally {
    // Also of a run that breaks off here: the platform may have it, and nobody else has.
    if (operator !== null) {
      console.log(`\nThe first operator's token, shown this once:\n\n  ${operator.token}\n`);
    }
  }
  outcome.secrets_put = Object.keys(putting);
  say("Looking at the database's migrations …");
  outcome.migrations_applied = await applyMigrations({
    ...place,
    environment: environmentOf(await readSettings(), name),
  });

  const after = environmentOf(await readSettings(), name);
  outcome.left = whatIsLeft(name, after, [...held, ...outcome.secrets_put]);
  console.log(describeOutcome(outcome, options.json, false));
});

/** The host that the environment names must be one that its Worker may have. */
async function lookAtAddress(
  { api, environment }: Place,
  account: Parameters<typeof checkAddress>[1],
  worker: string,
): Promise<string[]> {
  const routes = Array.isArray(environment.routes) ? environment.routes.filter(isTable) : [];
  const notes: string[] = [];
  for (const { pattern, custom_domain: isCustom } of routes) {
    if (isCustom !== true || typeof pattern !== "string") continue;
    notes.push(...(await checkAddress(api, account, pattern, worker)).notes);
  }
  return notes;
}

/** Secrets that people gave and the platform does not hold; every value is checked by the Worker's own rules first. */
async function secretsToPut(
  place: Place,
  widgets: readonly WidgetPlan[],
  held: readonly string[],
  { given, mayAsk }: { given: Settings; mayAsk: boolean },
): Promise<Settings> {
  const vars = varsOf(place.environment);
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (vars[name] === undefined && !held.includes(name)) secrets[name] = value;
  }
  const byItself = [
    ...widgets.map(({ setting }) => setting),
    "SESSION_KEYS",
    "PEPPER_KEYS",
    "ENCRYPTION_KEYS",
    "PROOF_KEYS",
  ];
  const required = requiredSecrets(place.environment);
  for (const name of required) {
    if (!mayAsk || held.includes(name) || secrets[name] !== undefined || byItself.includes(name as never))
      continue;
    const value = await askSecret(`${name}, or nothing to give it later`);
    if (value !== "") secrets[name] = value;
  }
  const { faults } = await judge(place.environment, [...required, ...held], secrets);
  const own = faults.filter((fault) => Object.keys(secrets).some((name) => fault.startsWith(`${name}:`)));
  if (own.length > 0) throw new CommandError(`Nothing was changed. The Worker would refuse:\n${list(own)}`);
  return secrets;
}

/** A store, database or address of another environment is not taken, whatever the answers say. */
function refuseShared(name: string, environment: Table, { env }: Table): void {
  const shared = sharedWithOthers({
    name,
    environment,
    others: isTable(env) ? (env as Record<string, Table>) : {},
  });
  if (shared.length === 0) return;
  throw new CommandError(
    `Nothing was changed. ${name} would share ${shared.join(", ")}: give each environment its own.`,
  );
}

async function putAll(
  { name, accountId }: Place,
  secrets: Settings,
  say: (line: string) => void,
): Promise<void> {
  const { length } = Object.keys(secrets);
  if (length === 0) return;
  say(`Putting ${length} secrets …`);
  await putSecrets(name, accountId, secrets);
}

/** wrangler refuses a deploy without these; they follow from the policy. */
function requiredEdit(name: string, environment: Table): TomlEdit {
  return { path: ["env", name, "secrets", "required"], value: requiredSecrets(environment) };
}

/** A token that nobody sees would let nobody in. */
async function mintOperator(held: readonly string[], who: string, isJson: boolean) {
  return held.includes("ADMIN_TOKENS") || !hasTerminal() || isJson
    ? null
    : mintOperatorToken(who, "operator");
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `  - ${line}`).join("\n");
}
