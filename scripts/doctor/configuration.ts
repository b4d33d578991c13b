/** The configuration of an environment, judged without any network. */
import { readFile } from "node:fs/promises";
import { ROOT } from "../lib/command.ts";
import { judge, requiredSecrets, type Settings, storedSecrets, varsOf } from "../lib/configuration.ts";
import { findPlaceholders } from "../lib/placeholders.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import { isTestSiteKey } from "../provision/widgets.ts";
import { type Finding, finding, ok } from "./finding.ts";
import { separationFinding } from "./separation.ts";

const DAY_MS = 86_400_000;
const OLD_DAYS = 90;

export interface Judged {
  name: string;
  environment: Table;
  /** All environments of the file, to be told apart. */
  others: Readonly<Record<string, Table>>;
  /** Names of the secrets that the platform holds; null where nobody asked it. */
  held: readonly string[] | null;
  /** Values of settings that are known here. */
  known: Settings;
  nowMs: number;
}

export async function configurationFindings(judged: Judged): Promise<Finding[]> {
  return [
    ...(await workerFindings(judged)),
    placeholderFinding(judged),
    requiredFinding(judged),
    ...secretFindings(judged),
    addressFinding(judged),
    ...agreementFindings(judged),
    siteKeyFinding(judged),
    separationFinding(judged),
    ...(await tableFindings(judged)),
  ];
}

/** The Worker's own rules; where nobody asked the platform for its secrets, they are taken as held. */
async function workerFindings({ environment, held, known }: Judged): Promise<Finding[]> {
  const { faults, warnings } = await judge(environment, held ?? requiredSecrets(environment), known);
  const isSecret = (fault: string) => /^[A-Z][A-Z0-9_]*: is missing/.test(fault);
  const real = faults.filter((fault) => !isSecret(fault));
  return [
    ...real.map((fault) =>
      finding("error", "configuration", fault, {
        why: "the Worker would answer 500 misconfigured to everything",
        mend: "put it right in wrangler.toml, or put the secret again",
      }),
    ),
    ...warnings.map((warning) =>
      finding("warning", "message", warning, {
        why: "every message costs more",
        mend: "shorten it in message.templates",
      }),
    ),
    ...(real.length === 0 ? [ok("configuration", "passes the Worker's own checks")] : []),
  ];
}

function placeholderFinding({ name, environment }: Judged): Finding {
  const found = findPlaceholders(environment);
  return found.length === 0
    ? ok("placeholders", "none is left")
    : finding("error", "placeholders", found.join(", "), {
        why: "nothing real stands there yet",
        mend: `npm run provision -- --env ${name}`,
      });
}

function requiredFinding({ name, environment }: Judged): Finding {
  const { secrets } = environment;
  const listed = isTable(secrets) && Array.isArray(secrets.required) ? (secrets.required as string[]) : [];
  const required = requiredSecrets(environment);
  const lacking = required.filter((secret) => !listed.includes(secret));
  const surplus = listed.filter((secret) => !required.includes(secret));
  if (lacking.length + surplus.length === 0)
    return ok("required-secrets", "wrangler.toml lists what the policy needs");
  const parts = [
    ...(lacking.length > 0 ? [`does not list ${lacking.join(", ")}`] : []),
    ...(surplus.length > 0 ? [`lists ${surplus.join(", ")}, which the policy does not need`] : []),
  ];
  return finding("error", "required-secrets", `[env.${name}.secrets] ${parts.join(" and ")}`, {
    why: "wrangler refuses or lets through a deploy by this list, and it must be the policy's",
    mend: `npm run provision -- --env ${name}`,
  });
}

function secretFindings({ name, environment, held }: Judged): Finding[] {
  if (held === null) {
    return [
      finding("skipped", "secrets", "nobody asked the platform which secrets it holds", {
        why: `the Worker needs ${requiredSecrets(environment).join(", ")}`,
        mend: `npm run doctor -- --env ${name}, logged in`,
      }),
    ];
  }
  const vars = varsOf(environment);
  const missing = requiredSecrets(environment).filter((secret) => !held.includes(secret));
  const hasOperator = [...held, ...storedSecrets(environment), ...Object.keys(vars)].some(
    (one) => one === "ADMIN_TOKENS" || one === "ACCESS_TEAM_DOMAIN",
  );
  return [
    ...missing.map((secret) =>
      finding("error", "secrets", `${secret} is missing`, {
        why: "the Worker would answer 500 misconfigured to everything",
        mend: `npx wrangler secret put ${secret} --env ${name}`,
      }),
    ),
    ...(missing.length === 0 ? [ok("secrets", "the platform holds all that the policy needs")] : []),
    hasOperator
      ? ok("operators", "somebody may sign in")
      : finding("warning", "operators", "neither ADMIN_TOKENS nor Access is set", {
          why: "nobody could look at an attack or stop it",
          mend: `npm run ops -- token create NAME, then npx wrangler secret put ADMIN_TOKENS --env ${name}`,
        }),
  ];
}

function addressFinding({ name, environment }: Judged): Finding {
  const { proof } = policyOf(environment);
  const issuer = isTable(proof) ? String(proof.issuer) : "";
  const host = URL.canParse(issuer) ? new URL(issuer).hostname : "";
  const hosts = routeHosts(environment);
  if (hosts.includes(host)) return ok("address", `${host} is a route of the Worker`);
  if (environment.workers_dev === true && (host.endsWith(".workers.dev") || hosts.length === 0)) {
    return host.endsWith(".workers.dev")
      ? ok("address", `${host} is the Worker's own`)
      : finding("warning", "address", `the Worker answers at workers.dev, and its issuer is ${host}`, {
          why: "backends look for the keys of proofs at the issuer",
          mend: `npm run provision -- --env ${name} --domain ${host}`,
        });
  }
  return finding(
    "error",
    "address",
    hosts.length === 0
      ? "no address leads to the Worker"
      : `the routes lead to ${hosts.join(", ")}, the issuer is ${host}`,
    {
      why: "nobody could reach it, and backends look for the keys of proofs at the issuer",
      mend: `npm run provision -- --env ${name} --domain ${host || "HOST"}`,
    },
  );
}

function routeHosts({ routes, route }: Table): string[] {
  const all = [...(Array.isArray(routes) ? routes : []), ...(route === undefined ? [] : [route])];
  return all
    .map((entry) => (isTable(entry) ? entry.pattern : entry))
    .filter((pattern): pattern is string => typeof pattern === "string")
    .map((pattern) => pattern.replace(/^https?:\/\//, "").replace(/\/.*$/, ""));
}

/** Pages that may call, hosts where the CAPTCHA is solved, and the host that a code is bound to are the same pages. */
function agreementFindings({ name, environment }: Judged): Finding[] {
  const policy = policyOf(environment);
  const [cors, captcha, message] = [policy.cors, policy.captcha, policy.message].map((table) =>
    isTable(table) ? table : {},
  );
  const origins = listOf(cors?.origins);
  const hostnames = listOf(captcha?.hostnames);
  const bound = String(message?.origin_host ?? "");
  const pages = origins.filter((origin) => URL.canParse(origin)).map((origin) => new URL(origin).hostname);
  const unsolved = pages.filter((page) => !hostnames.includes(page));
  const unbound = bound === "" ? [] : pages.filter((page) => page !== bound && !page.endsWith(`.${bound}`));
  const mend = `npm run provision -- --env ${name} --pages ${pages.join(",") || "HOSTS"}`;
  const found = [
    ...(origins.includes("*") && name === "production"
      ? [finding("warning", "pages", "cors.origins has *", { why: "every page may call", mend })]
      : []),
    ...(unsolved.length === 0
      ? []
      : [
          finding("error", "pages", `captcha.hostnames lacks ${unsolved.join(", ")} of cors.origins`, {
            why: "every CAPTCHA solved there would be refused",
            mend,
          }),
        ]),
    ...(unbound.length === 0
      ? []
      : [
          finding(
            "warning",
            "pages",
            `message.origin_host ${bound} does not hold for ${unbound.join(", ")}`,
            {
              why: "phones do not offer the code on that page",
              mend,
            },
          ),
        ]),
  ];
  return found.length === 0 ? [ok("pages", "origins, CAPTCHA hosts and the bound host agree")] : found;
}

function siteKeyFinding({ name, environment }: Judged): Finding {
  const captcha = policyOf(environment).captcha;
  const keys = isTable(captcha) ? [captcha.site_key, captcha.fresh_site_key] : [];
  if (!keys.some(isTestSiteKey)) return ok("captcha", "the site keys are no test keys");
  return finding(
    name === "production" ? "error" : "warning",
    "captcha",
    "a site key is a published test key",
    {
      why: "it stops nobody",
      mend: `npm run provision -- --env ${name}`,
    },
  );
}

async function tableFindings({ nowMs }: Judged): Promise<Finding[]> {
  const files = ["src/data/prices.csv", "src/data/hosting-asns.csv"];
  return Promise.all(
    files.map(async (file) => {
      const dates = (await readFile(`${ROOT}${file}`, "utf8")).match(/\b20\d\d-\d\d-\d\d\b/g) ?? [];
      const newest =
        dates
          .filter((date) => Date.parse(date) <= nowMs)
          .sort()
          .at(-1) ?? "no date";
      const days = Math.floor((nowMs - Date.parse(newest)) / DAY_MS);
      return days <= OLD_DAYS
        ? ok("tables", `${file} is ${days} days old`)
        : finding("warning", "tables", `${file} is of ${newest}`, {
            why: "prices and networks change; caps and suspicion rest on them",
            mend: `put what you pay and see into ${file}`,
          });
    }),
  );
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
