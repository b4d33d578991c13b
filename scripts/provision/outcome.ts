/** What a run did or would do, as people and programs read it. */
import { requiredSecrets, type Settings } from "../lib/configuration.ts";
import { findPlaceholders } from "../lib/placeholders.ts";
import type { Table } from "../lib/settings.ts";
import { isAnswered, QUESTIONS } from "./answers.ts";
import type { Resource } from "./resources.ts";
import { hostnamesOf, type WidgetPlan } from "./widgets.ts";

/** What became of it, and the answer of `--json`. */
export interface Outcome {
  environment: string;
  account: string;
  created: string[];
  adopted: string[];
  kept: string[];
  secrets_put: string[];
  migrations_applied: string[];
  notes: string[];
  left: string[];
}

/** An outcome of which nothing has been done yet. */
export function emptyOutcome(
  environment: string,
  account: string,
  {
    resources,
    widgets,
    notes,
  }: { resources: readonly Resource[]; widgets: readonly WidgetPlan[]; notes: string[] },
): Outcome {
  const there = [...resources, ...widgets.map((widget) => ({ noun: "Turnstile widget", ...widget }))];
  const named = (state: Resource["state"]) =>
    there.filter((one) => one.state === state).map(({ noun, name }) => `${noun} ${name}`);
  return {
    environment,
    account,
    created: [],
    adopted: named("adopted"),
    kept: named("kept"),
    secrets_put: [],
    migrations_applied: [],
    notes,
    left: [],
  };
}

/** What only people can do, each with the command for it. */
export function whatIsLeft(name: string, environment: Table, held: readonly string[]): string[] {
  const open = QUESTIONS.filter((question) => !isAnswered(question, environment));
  const placeholders = findPlaceholders(environment).filter(
    (path) =>
      !open.some(({ places }) => places.some((place) => path === place || path.startsWith(`${place}[`))),
  );
  const missing = requiredSecrets(environment).filter((secret) => !held.includes(secret));
  return [
    ...open.map(({ flag, asks }) => `${asks}: npm run provision -- --env ${name} --${flag} …`),
    ...placeholders.map((path) => `${path} is a placeholder`),
    ...missing.map((secret) => `secret ${secret}: npx wrangler secret put ${secret} --env ${name}`),
    ...(held.includes("ADMIN_TOKENS") || held.includes("ACCESS_TEAM_DOMAIN")
      ? []
      : [`an operator's token: npm run ops -- token create NAME, or this command on a terminal`]),
  ];
}

/** What a run would do. */
export function plannedOutcome(
  outcome: Outcome,
  resources: readonly Resource[],
  widgets: readonly WidgetPlan[],
  secrets: Settings,
  environment: Table,
): Outcome {
  const missing = [
    ...resources.map(({ noun, name, state }) => ({ noun, name, state })),
    ...(hostnamesOf(environment) === null
      ? []
      : widgets.map(({ name, state }) => ({ noun: "Turnstile widget", name, state }))),
  ].filter(({ state }) => state === "missing");
  return {
    ...outcome,
    created: missing.map(({ noun, name }) => `${noun} ${name}`),
    secrets_put: Object.keys(secrets),
  };
}

/** The outcome as lines, or as JSON. */
export function describeOutcome(outcome: Outcome, isJson: boolean, isPlan: boolean): string {
  if (isJson) return JSON.stringify({ ...outcome, dry_run: isPlan }, null, 2);
  const part = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [title, ...items.map((item) => `  - ${item}`)];
  return [
    `${outcome.environment}, in account ${outcome.account}:`,
    ...part(isPlan ? "would make" : "made", outcome.created),
    ...part(isPlan ? "would adopt what is there" : "adopted what was there", outcome.adopted),
    ...part("there and kept", outcome.kept),
    ...part(
      isPlan ? "would put these secrets, and mint keyrings that are missing" : "put these secrets",
      outcome.secrets_put,
    ),
    ...part("migrations applied", outcome.migrations_applied),
    ...part("notes", outcome.notes),
    ...part("left for you", outcome.left),
    ...(isPlan ? [] : [`Next: npm run doctor -- --env ${outcome.environment}`]),
  ].join("\n");
}
