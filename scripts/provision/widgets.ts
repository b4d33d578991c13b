/** The Turnstile widgets of an environment: the ordinary one, and the fresh one for demanded challenges. */
import type { Cloudflare } from "../lib/cloudflare.ts";
import type { Settings } from "../lib/configuration.ts";
import { findPlaceholders, isPlaceholder } from "../lib/placeholders.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import type { TomlEdit } from "../lib/toml-edit.ts";
import { type Place, workerName } from "./resources.ts";

interface Widget {
  name: string;
  sitekey: string;
  secret?: string;
}

export interface WidgetPlan {
  name: string;
  key: "site_key" | "fresh_site_key";
  /** The secret that goes with it. */
  setting: "CAPTCHA_SECRET_KEY" | "CAPTCHA_FRESH_SECRET_KEY";
  state: "missing" | "adopted" | "kept";
  sitekey: string | null;
}

/** Cloudflare publishes site keys for tests, which let everybody through or nobody. */
export const isTestSiteKey = (key: unknown): boolean =>
  typeof key === "string" && /^[123]x0+[A-F]+$/.test(key);

const isUnset = (key: unknown): boolean => key === undefined || isPlaceholder(key) || isTestSiteKey(key);

/** Looks for the widgets by name; none where the policy takes another CAPTCHA. Only reads. */
export async function surveyWidgets(place: Place): Promise<WidgetPlan[]> {
  const captcha = captchaOf(place.environment);
  if ((captcha.provider ?? "turnstile") !== "turnstile") return [];
  const there = await place.api.list<Widget>(`/accounts/${place.accountId}/challenges/widgets`);
  const plan = (key: WidgetPlan["key"], setting: WidgetPlan["setting"], name: string): WidgetPlan => {
    if (!isUnset(captcha[key])) return { name, key, setting, state: "kept", sitekey: String(captcha[key]) };
    const found = there.find((widget) => widget.name === name);
    return { name, key, setting, state: found ? "adopted" : "missing", sitekey: found?.sitekey ?? null };
  };
  return [
    plan("site_key", "CAPTCHA_SECRET_KEY", workerName(place)),
    plan("fresh_site_key", "CAPTCHA_FRESH_SECRET_KEY", `${workerName(place)}-fresh`),
  ];
}

/** Makes a widget for these hosts. @returns its site key */
export async function createWidget(
  { api, accountId }: Place,
  plan: WidgetPlan,
  hostnames: readonly string[],
): Promise<string> {
  const { sitekey } = await api.post<Widget>(`/accounts/${accountId}/challenges/widgets`, {
    name: plan.name,
    domains: hostnames,
    mode: "managed",
  });
  return sitekey;
}

export const widgetEdits = (name: string, plan: WidgetPlan): TomlEdit[] =>
  plan.sitekey === null
    ? []
    : [{ path: ["env", name, "vars", "POLICY", "captcha", plan.key], value: plan.sitekey }];

/** The secrets of those widgets whose settings are wanted; a widget of another account's has none here. */
export async function widgetSecrets(
  api: Cloudflare,
  accountId: string,
  plans: readonly WidgetPlan[],
  wanted: readonly string[],
): Promise<Settings> {
  const secrets: [string, string][] = [];
  for (const { setting, sitekey } of plans) {
    if (sitekey === null || !wanted.includes(setting)) continue;
    const widget = await api.find<Widget>(`/accounts/${accountId}/challenges/widgets/${sitekey}`);
    if (widget?.secret !== undefined) secrets.push([setting, widget.secret]);
  }
  return Object.fromEntries(secrets);
}

function captchaOf(environment: Table): Table {
  const { captcha } = policyOf(environment);
  return isTable(captcha) ? captcha : {};
}

/** The hosts of the pages; null while they are placeholders. */
export function hostnamesOf(environment: Table): string[] | null {
  const { captcha } = policyOf(environment);
  const hostnames = isTable(captcha) && Array.isArray(captcha.hostnames) ? captcha.hostnames : [];
  return hostnames.length === 0 || findPlaceholders(hostnames).length > 0 ? null : hostnames;
}
