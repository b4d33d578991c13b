/** What only people know of an environment: asked once, kept in wrangler.toml. */
import { CommandError } from "../lib/command.ts";
import { findPlaceholders } from "../lib/placeholders.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import type { TomlEdit, TomlValue } from "../lib/toml-edit.ts";
import { isHost } from "./address.ts";

/** One question: its flag, its words, the answer that stands in the file, and what the file says of an answer. */
export interface Question {
  flag: string;
  asks: string;
  /** Placeholders in these places mean that nobody has answered. */
  places: readonly string[];
  /** The answer that the file holds now, as it would be typed. */
  current(environment: Table): string;
  /** An answer that follows from others. */
  fallback?(answers: Answers): string;
  /** @throws CommandError for an answer that is none */
  edits(answer: string, environment: Table): { path: TomlEdit["path"]; value: TomlValue }[];
}

/** Answers by their question's flag. */
export type Answers = Readonly<Record<string, string>>;

const words = (text: string): string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
const policy = (...path: (string | number)[]): (string | number)[] => ["vars", "POLICY", ...path];
const textAt = (environment: Table, ...path: string[]): string => {
  const found = path.reduce<unknown>(
    (value, key) => (isTable(value) ? value[key] : undefined),
    policyOf(environment),
  );
  return Array.isArray(found) ? found.join(",") : String(found ?? "");
};

export const QUESTIONS: readonly Question[] = [
  {
    flag: "domain",
    asks: "Host of the service, in a zone of the account (verify.your-domain)",
    places: ["vars.POLICY.proof.issuer"],
    current: (environment) =>
      textAt(environment, "proof", "issuer")
        .replace(/^https?:\/\//, "")
        .replace(/\/.*$/, ""),
    edits: (host) => {
      if (!isHost(host)) throw new CommandError(`--domain "${host}" is no host name.`);
      return [
        { path: ["workers_dev"], value: false },
        { path: ["routes"], value: [{ pattern: host, custom_domain: true }] },
        { path: policy("proof", "issuer"), value: `https://${host}` },
      ];
    },
  },
  {
    flag: "pages",
    asks: "Hosts of the pages with the form, separated by commas",
    places: ["vars.POLICY.captcha.hostnames", "vars.POLICY.cors.origins", "vars.POLICY.message.origin_host"],
    current: (environment) => textAt(environment, "captcha", "hostnames"),
    // The service's own domain, one level up.
    fallback: ({ domain = "" }) => {
      const above = domain.split(".").slice(1).join(".");
      return above.includes(".") ? `${above},www.${above}` : "";
    },
    edits: (text) => {
      const hosts = words(text);
      const odd = hosts.find((host) => !isHost(host));
      if (odd !== undefined || hosts.length === 0)
        throw new CommandError(`--pages "${odd ?? ""}" is no host name.`);
      return [
        { path: policy("captcha", "hostnames"), value: hosts },
        { path: policy("cors", "origins"), value: hosts.map((host) => `https://${host}`) },
        { path: policy("message", "origin_host"), value: commonHost(hosts) },
      ];
    },
  },
  {
    flag: "brand",
    asks: "Brand that the messages name",
    places: ["vars.POLICY.message.brand"],
    current: (environment) => textAt(environment, "message", "brand"),
    edits: (brand) => [{ path: policy("message", "brand"), value: brand }],
  },
  {
    flag: "audience",
    asks: "Audience of the proofs: a name of your backend",
    places: ["vars.POLICY.proof.audience"],
    current: (environment) => textAt(environment, "proof", "audience"),
    fallback: ({ brand = "" }) =>
      brand
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, "-")
        .replace(/^-|-$/g, ""),
    edits: (audience) => [{ path: policy("proof", "audience"), value: audience }],
  },
  {
    flag: "countries",
    asks: "Countries you send to (ISO codes separated by commas, * for all)",
    places: [],
    current: (environment) => textAt(environment, "countries", "allow"),
    edits: (text) => [
      { path: policy("countries", "allow"), value: words(text).map((code) => code.toUpperCase()) },
    ],
  },
  {
    flag: "providers",
    asks: "Providers in order (twilio, vonage, msg91, startmessaging, webhook)",
    places: [],
    current: (environment) => textAt(environment, "delivery", "providers"),
    edits: (text) => [{ path: policy("delivery", "providers"), value: words(text) }],
  },
  {
    flag: "owners",
    asks: 'Owners of alerts: "NAME:slack,pagerduty", or by role "ROLE=NAME:slack" separated by ;',
    places: [],
    current: (environment) =>
      ownersOf(environment)
        .map(({ role, name, channels }) => `${role}=${name}:${(channels as string[]).join(",")}`)
        .join(";"),
    edits: (text, environment) => {
      const owners = ownersOf(environment);
      return text.split(";").flatMap((part) => {
        const [, role, name, channels] = /^\s*(?:(\w+)=)?([^:=]+?)\s*:\s*([\w,\s]*)$/.exec(part) ?? [];
        const places = owners.flatMap((owner, at) => (role === undefined || owner.role === role ? [at] : []));
        if (name === undefined || places.length === 0) {
          throw new CommandError(
            `--owners "${part}" is not NAME:channels, nor ROLE=NAME:channels with a role of the policy.`,
          );
        }
        return places.flatMap((at) => [
          { path: policy("alerts", "owners", at, "name"), value: name },
          { path: policy("alerts", "owners", at, "channels"), value: words(channels ?? "") },
        ]);
      });
    },
  },
  {
    flag: "upstash-url",
    asks: "REST address of the Upstash database (https://….upstash.io)",
    places: ["vars.UPSTASH_REDIS_REST_URL"],
    current: (environment) => String((environment.vars as Table | undefined)?.UPSTASH_REDIS_REST_URL ?? ""),
    edits: (url) => {
      if (!/^https:\/\/[^\s]+$/.test(url) && !/^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(url)) {
        throw new CommandError(`--upstash-url must be https.`);
      }
      return [{ path: ["vars", "UPSTASH_REDIS_REST_URL"], value: url }];
    },
  },
];

/** Whether somebody has answered: none of the question's places holds a placeholder. */
export function isAnswered({ places }: Question, environment: Table): boolean {
  const placeholders = findPlaceholders(environment);
  return !placeholders.some((path) => places.some((place) => path === place || path.startsWith(`${place}[`)));
}

/**
 * The changes of the file that answers ask for.
 *
 * @param given answers of people; what follows from them is added where nobody has answered
 */
export function answerEdits(name: string, environment: Table, given: Answers): TomlEdit[] {
  const known: Record<string, string> = {};
  return QUESTIONS.flatMap((question) => {
    const isOpen = !isAnswered(question, environment);
    const answer = given[question.flag] ?? (isOpen ? question.fallback?.(known) : undefined);
    known[question.flag] = answer || (isOpen ? "" : question.current(environment));
    if (!answer) return [];
    return question
      .edits(answer, environment)
      .map(({ path, value }) => ({ path: ["env", name, ...path], value }));
  });
}

function ownersOf(environment: Table): Table[] {
  const { alerts } = policyOf(environment);
  const owners = isTable(alerts) ? alerts.owners : [];
  return Array.isArray(owners) ? owners.filter(isTable) : [];
}

/** The host that all of them are or lie below, for the line that binds a code to its page; the first one where there is none. */
function commonHost(hosts: readonly string[]): string {
  const common = hosts.find((host) => hosts.every((other) => other === host || other.endsWith(`.${host}`)));
  return common ?? hosts[0] ?? "";
}
