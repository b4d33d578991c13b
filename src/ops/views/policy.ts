/** The active policy in words: what is set, what each posture makes of it, who owns it, and where to change it. */
import type { LimitRule } from "../../domain/admission/limits.policy.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../domain/kernel/time.ts";
import { postureRules } from "../../domain/monitor/posture.ts";
import type { Policy } from "../../domain/policy.ts";
import type { PageFormats } from "../words.ts";
import {
  lineOf,
  locateInPolicyFile,
  type PolicyFileLines,
  type PolicyFileLocation,
} from "./policy-file-location.ts";

interface PolicyLine {
  /** As the policy spells it, below its table. */
  name: string;
  value: string;
  /** The line in the file; null for a default. */
  line: number | null;
}

export interface PolicySection {
  id: string;
  title: string;
  /** The place where it is set. */
  place: PolicyFileLocation;
  lines: PolicyLine[];
}

/** Every table of the policy but the owners, who have one of their own; values that stand beside the tables come first. */
export function policySections(
  policy: Policy,
  file: PolicyFileLines,
  environment: string,
  words: PageFormats,
): PolicySection[] {
  const { owners: _, ...alerts } = policy.alerts;
  const entries = Object.entries({ ...policy, alerts });
  const loose = entries.filter(([, value]) => !isTable(value));
  const tables = entries.filter(([, value]) => isTable(value));
  const section = (id: string, title: string, table: string, values: [string, unknown][]) => ({
    id,
    title,
    place: locateInPolicyFile(file, environment, table),
    lines: values
      .flatMap(([name, value]) => linesOf(name, value, words))
      .map(({ name, value }) => ({
        name,
        value,
        line: lineOf(file, environment, table === "" ? name : `${table}.${name}`),
      })),
  });
  return [
    section("policy", "General", "", loose),
    ...tables.map(([name, value]) =>
      section(`policy-${name}`, titled(name), name, Object.entries(value as object)),
    ),
  ].filter(({ lines }) => lines.length > 0);
}

const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

type Table = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function linesOf(name: string, value: unknown, words: PageFormats): Omit<PolicyLine, "line">[] {
  if (value === undefined) return [];
  if (isBudget(value)) return [{ name, value: saysBudget(value, words) }];
  if (isTable(value)) {
    return Object.entries(value).flatMap(([key, inner]) => linesOf(`${name}.${key}`, inner, words));
  }
  return [{ name, value: saysValue(name, value, words) }];
}

const isBudget = (value: unknown): value is { base: number; gain: number } =>
  isTable(value) && typeof value.base === "number" && typeof value.gain === "number";

const saysBudget = ({ base, gain }: { base: number; gain: number }, { count }: PageFormats): string =>
  `${count(base)} unanswered, and ${gain} more for each one verified`;

function saysValue(name: string, value: unknown, words: PageFormats): string {
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value === "" ? "none" : value;
  if (typeof value === "number") return saysNumber(name, value, words);
  if (!Array.isArray(value) || value.length === 0) return "none";
  if (value.every(isLimit)) return saysLimits(value, 1, words);
  const each = value.map((one) =>
    isTable(one)
      ? Object.entries(one)
          .map(([key, inner]) => `${key} ${saysValue(key, inner, words)}`)
          .join(", ")
      : Array.isArray(one)
        ? one.join(": ")
        : saysValue(name, one, words),
  );
  return each.join(each.some((text) => text.includes(", ")) ? "; " : ", ");
}

const UNITS: readonly [name: string, ms: number][] = [
  ["seconds", 1000],
  ["minutes", MINUTE_MS],
  ["hours", HOUR_MS],
  ["days", DAY_MS],
];

/** Units are in the names. */
function saysNumber(name: string, value: number, { count, money, lasting }: PageFormats): string {
  const last = name.split(".").at(-1) ?? name;
  if (last.endsWith("_micros")) return money(value);
  for (const [unit, ms] of UNITS) if (last === unit || last.endsWith(`_${unit}`)) return lasting(value * ms);
  if (last.endsWith("_ms")) return `${count(value)} ms`;
  return Number.isInteger(value) ? count(value) : String(value);
}

const isLimit = (value: unknown): value is LimitRule =>
  isTable(value) && typeof value.max === "number" && typeof value.window_seconds === "number";

/** @param factor what a posture makes of callers' limits, never below one message */
const saysLimits = (rules: readonly LimitRule[], factor: number, { count, lasting }: PageFormats): string =>
  rules
    .map(
      ({ max, window_seconds }) =>
        `${count(Math.max(1, Math.floor(max * factor)))} in ${lasting(window_seconds * 1000)}`,
    )
    .join(", ");

export interface RuleByPosture {
  name: string;
  normal: string;
  elevated: string;
  emergency: string;
}

/** Limits a posture tightens: those that count callers. */
const CALLERS = ["number", "ip", "numbers_per_ip", "device", "user"] as const;

/** The policy under each posture, side by side. */
export function rulesByPosture(policy: Policy, words: PageFormats): RuleByPosture[] {
  const [elevated, emergency] = [
    postureRules("elevated", policy.postures),
    postureRules("emergency", policy.postures),
  ];
  const line = (name: string, says: (rules: typeof elevated) => string): RuleByPosture => ({
    name,
    normal: says(null),
    elevated: says(elevated),
    emergency: says(emergency),
  });
  const usual: Readonly<Record<Policy["challenge"], string>> = {
    always: "from everybody",
    emergency: "from nobody",
    never: "from nobody",
  };
  const ranges = {
    as_usual: "as any other",
    challenge: "after a fresh challenge",
    stop: "nothing is sent to strangers",
  };
  return [
    line("CAPTCHA of public clients", (rules) =>
      rules?.challenge === "always" ? "from everybody" : usual[policy.challenge],
    ),
    line("Fresh challenge", (rules) =>
      rules?.fresh_challenge ? "from every stranger" : "when a budget or the source asks for it",
    ),
    line("Ranges nobody verified in", (rules) => ranges[rules?.unknown_ranges ?? "as_usual"]),
    ...CALLERS.map((name) =>
      line(`Limit: ${name.replaceAll("_", " ")}`, (rules) =>
        saysLimits(policy.limits[name], rules?.limit_factor ?? 1, words),
      ),
    ),
  ];
}

export interface OwnerLine {
  role: string;
  name: string;
  channels: string;
  fromMs: number | null;
  untilMs: number | null;
  state: "in charge" | "later" | "over";
}

/** Owners of subjects with their times; an owner with dates stands in for the one without. */
export function ownerLines({ alerts }: Policy, nowMs: number): OwnerLine[] {
  const at = (text: string | undefined) => (text === undefined ? null : Date.parse(text));
  return alerts.owners.map((owner) => {
    const [fromMs, untilMs] = [at(owner.from), at(owner.until)];
    const later = fromMs !== null && nowMs < fromMs;
    const over = untilMs !== null && nowMs >= untilMs;
    return {
      role: owner.role.replaceAll("_", " "),
      name: owner.name,
      channels: owner.channels.length === 0 ? "none: in the log only" : owner.channels.join(", "),
      fromMs,
      untilMs,
      state: over ? "over" : later ? "later" : "in charge",
    };
  });
}

export function locateAlertOwners(file: PolicyFileLines, environment: string): PolicyFileLocation {
  const place = locateInPolicyFile(file, environment, "alerts.owners");
  return { ...place, table: `[${place.table}]` };
}

/** The place that puts a flow's rules into record-only mode; for null, or a flow without rules of its own, the general one. */
export function locateRecordOnlySetting(
  file: PolicyFileLines,
  { flows, risk }: Policy,
  environment: string,
  flow: string | null,
): PolicyFileLocation {
  const own = flow === null ? undefined : flows[flow]?.risk;
  const section = own ? `flows.${flow}.risk` : "risk";
  const setting = (own ?? risk).record_all ? "record_all" : "record_only";
  const place = locateInPolicyFile(file, environment, section);
  return { ...place, line: lineOf(file, environment, `${section}.${setting}`) ?? place.line };
}
