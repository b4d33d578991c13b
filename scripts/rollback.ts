import { parseArgs } from "node:util";
import { freeSteps, smokeLine } from "./deploy/smoke-steps.ts";
import { isTollgate, mainVersion, readDeployments, serviceUrl } from "./deploy/target.ts";
import { CommandError, runCommand } from "./lib/command.ts";
import { logIn } from "./lib/login.ts";
import { environmentOf, policyOf, readSettings } from "./lib/settings.ts";
import { askYes, hasTerminal } from "./lib/terminal.ts";
import { wrangler } from "./lib/wrangler.ts";
import { workerName } from "./provision/resources.ts";

const HELP = `Goes back to a version that ran before: all traffic goes there at once.

  npm run rollback -- --env production
  npm run rollback -- --env production --version ID --yes

  --env NAME      the environment of wrangler.toml
  --version ID    the version; default: the one that carried the traffic before the newest one
  --account ID    where the login has several accounts
  --url URL       where the smoke test finds the service, when it is not at the issuer
  --no-smoke      leaves the smoke test out
  --yes           asks nothing
  --dry-run       tells which version it would be
  --help

Code, variables and bindings go back. Secrets and the database stay as they are: migrations only ever add.
`;

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      env: { type: "string" },
      version: { type: "string" },
      account: { type: "string" },
      url: { type: "string" },
      "no-smoke": { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.env === undefined) throw new CommandError("Say which environment: --env NAME. Try --help.");
  const name = values.env;
  const environment = environmentOf(await readSettings(), name);
  const { api, account } = await logIn(values.account, environment, (line) => console.error(line));
  const worker = workerName({ environment, name });
  const deployments = await readDeployments(api, account.id, worker);
  const version = chooseVersion(name, deployments, values.version);
  if (!(await isTollgate(api, account.id, worker, version))) {
    throw new CommandError(`${name} has no version before the one that runs.`);
  }
  if (values["dry-run"]) return console.log(`${name} would go back to version ${version}.`);
  if (!values.yes) {
    if (!hasTerminal()) throw new CommandError("Nothing was changed: add --yes where nobody can be asked.");
    if (!(await askYes(`Send all traffic of ${name} to version ${version}`)))
      throw new CommandError("Nothing was changed.");
  }
  const words = ["versions", "deploy", `${version}@100%`, "--env", name, "--yes", "--message", "rollback"];
  const { code } = await wrangler(words, true, { CLOUDFLARE_ACCOUNT_ID: account.id });
  if (code !== 0) throw new CommandError(`wrangler ended with exit code ${code}; its own words are above.`);
  console.log(`${name} runs version ${version}.`);
  if (values["no-smoke"]) return;
  const steps = await freeSteps(
    { name, environment, url: serviceUrl(policyOf(environment), values.url) },
    60_000,
  );
  for (const step of steps) console.log(smokeLine(step));
  if (steps.some(({ state }) => state === "failed")) process.exitCode = 1;
});

/** The version asked for, or of a split the larger part, or the one before. */
function chooseVersion(
  name: string,
  deployments: Awaited<ReturnType<typeof readDeployments>>,
  asked: string | undefined,
): string {
  const known = new Set(deployments.flatMap(({ versions }) => versions.map(({ version_id }) => version_id)));
  if (asked !== undefined) {
    if (known.has(asked)) return asked;
    throw new CommandError(
      `${name} never ran version ${asked}; it ran ${[...known].slice(0, 5).join(", ") || "none"}.`,
    );
  }
  const [newest] = deployments;
  const now = mainVersion(newest);
  if (now !== null && (newest?.versions.length ?? 0) > 1) return now;
  const before = deployments.map(mainVersion).find((version) => version !== null && version !== now);
  if (before) return before;
  throw new CommandError(`${name} has no version before the one that runs.`);
}
