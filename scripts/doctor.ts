import { parseArgs } from "node:util";
import { accountFindings } from "./doctor/account.ts";
import { configurationFindings } from "./doctor/configuration.ts";
import { exitCode, type Finding, finding, findingLines } from "./doctor/finding.ts";
import { runningFindings } from "./doctor/running.ts";
import { serviceFindings } from "./doctor/services.ts";
import { testAlertFindings } from "./doctor/test-alerts.ts";
import { CommandError, describe } from "./lib/command.ts";
import { isSetting, type Settings, varsOf } from "./lib/configuration.ts";
import { type Login, logIn } from "./lib/login.ts";
import { environmentOf, isTable, policyOf, readSettings, type Table } from "./lib/settings.ts";
import { readSettingsFile } from "./lib/settings-file.ts";
import { workerName } from "./provision/resources.ts";
import { heldSecrets } from "./provision/secrets.ts";

const HELP = `Says whether an environment is complete, reachable and safely configured, and what to do where it is not.
It writes nothing.

  npm run doctor -- --env production
  npm run doctor -- --env production --offline --json

  --env NAME        the environment of wrangler.toml
  --account ID      where the login has several accounts
  --settings FILE   secrets by their own names, as .env or JSON, for what asks the services; - is standard input.
                    Variables of the settings' names do as well, and TOLLGATE_ADMIN_TOKEN asks the running service.
  --url URL         the running service, when it is not at the issuer yet
  --offline         only what needs no network
  --alerts          sends a test alert to each owner
  --json            the findings as JSON
  --help

It ends 0 when all is well, 1 with warnings, 2 when the environment is not fit.
`;

const NOT_FIT = 2;

try {
  await main();
} catch (error) {
  process.exitCode = NOT_FIT;
  console.error(describe(error));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      env: { type: "string" },
      account: { type: "string" },
      settings: { type: "string" },
      url: { type: "string" },
      offline: { type: "boolean", default: false },
      alerts: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.env === undefined) throw new CommandError("Say which environment: --env NAME. Try --help.");
  const name = values.env;
  const settings = await readSettings();
  const environment = environmentOf(settings, name);
  const known = {
    ...knownVariables(),
    ...(values.settings === undefined ? {} : await readSettingsFile(values.settings)),
  };

  const findings: Finding[] = [];
  let login: Login | null = null;
  if (!values.offline) {
    login = await logIn(values.account, environment, (line) => console.error(line)).catch((error: Error) => {
      if (!(error instanceof CommandError)) throw error;
      findings.push(
        finding("error", "login", error.message.split("\n")[0] ?? "", {
          why: "what the account holds could not be looked at",
          mend: "npx wrangler login, or CLOUDFLARE_API_TOKEN; --offline leaves it out",
        }),
      );
      return null;
    });
  }
  const place = login && { api: login.api, accountId: login.account.id, name, environment };
  const held = place && (await heldSecrets(place.api, place.accountId, workerName(place)));
  const others = settings.env as Readonly<Record<string, Table>>;
  findings.push(
    ...(await configurationFindings({ name, environment, others, held, known, nowMs: Date.now() })),
  );
  if (place && login) findings.push(...(await accountFindings(place, login.account)));
  if (!values.offline) {
    const isDeployed = !findings.some(({ check, severity }) => check === "deployed" && severity !== "ok");
    const all = { ...textVars(environment), ...known };
    findings.push(...(await serviceFindings(name, environment, all)));
    if (isDeployed) {
      const token = process.env.TOLLGATE_ADMIN_TOKEN || undefined;
      findings.push(
        ...(await runningFindings(name, values.url?.replace(/\/+$/, "") ?? issuerOf(environment), token)),
      );
    }
    if (values.alerts) findings.push(...(await testAlertFindings(name, environment, all)));
  }

  const code = exitCode(findings);
  process.exitCode = code;
  if (values.json)
    return console.log(JSON.stringify({ environment: name, fit: code < NOT_FIT, findings }, null, 2));
  for (const one of findings) console.log(findingLines(one).join("\n"));
  const verdicts = [`${name} is fit.`, `${name} is fit, with warnings.`, `${name} is NOT fit.`];
  console.log(`\n${verdicts[code]}`);
}

/** Settings among this process's variables, by their own names. */
function knownVariables(): Settings {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        isSetting(entry[0]) && entry[0] !== "ENVIRONMENT" && entry[0] !== "POLICY" && Boolean(entry[1]),
    ),
  );
}

function textVars(environment: Table): Settings {
  return Object.fromEntries(
    Object.entries(varsOf(environment)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function issuerOf(environment: Table): string {
  const { proof } = policyOf(environment);
  return (isTable(proof) ? String(proof.issuer) : "").replace(/\/+$/, "");
}
