import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parsePolicy } from "../src/config/config.ts";
import { CommandError, runCommand } from "./lib/command.ts";
import { environmentOf, isTable, policyOf, readSettings } from "./lib/settings.ts";
import { wrangler } from "./lib/wrangler.ts";

const HELP = `Deploys one environment, after the checks that need no account.

  npm run deploy -- --env staging|production [--dry-run]

  --env NAME   the environment of wrangler.toml
  --dry-run    checks and builds, deploys nothing; placeholders are told, not refused
  --help

Refused before anything leaves this machine: a policy that the Worker would refuse, each fault by name, and values
that only stand for something (ids of resources that nobody has created yet, hosts of example.com). wrangler itself refuses when a required secret is missing.
`;

/**
 * What stands for something still to be created: `<…>`, an id or site key of zeros only, and hosts of the names that
 * RFC 2606 keeps for examples.
 */
const PLACEHOLDER = /^<.*>$|^(0x)?[0-]{16,}$|\bexample\.(com|net|org)\b|\.example\b/;

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      env: { type: "string" },
      "dry-run": { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.env === undefined) throw new CommandError("Say which environment: --env NAME. Try --help.");
  const name = values.env;
  const isDryRun = values["dry-run"];
  const environment = environmentOf(await readSettings(), name);

  const policy = parsePolicy(policyOf(environment));
  if (!policy.ok) {
    throw new CommandError(`The policy of ${name} has faults:\n${policy.faults.map(asItem).join("\n")}`);
  }
  const placeholders = findPlaceholders(environment);
  if (placeholders.length > 0) {
    const list = `${name} still has placeholders in wrangler.toml:\n${placeholders.map(asItem).join("\n")}`;
    if (!isDryRun) throw new CommandError(`${list}\nCreate these resources and put their real values there.`);
    console.log(list);
  }

  const { code } = isDryRun ? await buildOnly(name) : await wrangler(["deploy", "--env", name], true);
  if (code !== 0) throw new CommandError(`wrangler ended with exit code ${code}; its own words are above.`);
  console.log(isDryRun ? `${name} builds; nothing was deployed.` : `${name} is deployed.`);
});

async function buildOnly(name: string): Promise<{ code: number }> {
  const folder = await mkdtemp(join(tmpdir(), "tollgate-build-"));
  try {
    return await wrangler(["deploy", "--env", name, "--dry-run", "--outdir", folder], true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The paths of all values that are placeholders. */
function findPlaceholders(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => findPlaceholders(item, `${path}[${i}]`));
  if (isTable(value)) {
    return Object.entries(value).flatMap(([key, item]) =>
      findPlaceholders(item, path ? `${path}.${key}` : key),
    );
  }
  return typeof value === "string" && PLACEHOLDER.test(value) ? [path] : [];
}

function asItem(text: string): string {
  return `  - ${text}`;
}
