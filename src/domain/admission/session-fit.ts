/** Settings that are each fine can be impossible together: here a person's whole session is laid on the budgets. */
import type { SpendMeter } from "../delivery/money.ts";
import type { ExposurePolicy } from "./exposure.policy.ts";
import { type Level, UNIT_HUNDREDTHS } from "./exposure.ts";
import { exposureLevels } from "./levels.ts";
import type { LimitRule } from "./limits.policy.ts";

/** A destination's price, and the exposure rules that hold there. */
export interface PricedCountry {
  /** ISO 3166-1 alpha-2, or `*` for every country without a price of its own. */
  country: string;
  /** The dearest text, and the dearest call. */
  textMicros: number;
  callMicros: number;
  exposure: ExposurePolicy;
  /** The group of countries whose own budgets are among them; null for none. */
  group: { name: string; budgets: readonly string[] } | null;
}

/** Pools that a person must be able to live on: all of a session's messages are paid by one of them. */
const POOLS = ["stranger", "challenged", "named", "known", "unknown", "suspicious", "person"] as const;
/** Levels at which a number's second message weighs nothing. */
const ONE_UNIT = ["block", "prefix", "network", "address"];

/**
 * Finds the budgets into which one person's session does not fit while nothing was ever verified.
 *
 * @param texts messages of a session, the first one included; one call may follow
 * @returns a sentence for each such budget, the dearest country first; empty where every session fits
 */
export function sessionFitFaults(
  countries: readonly PricedCountry[],
  texts: number,
  call: boolean,
): string[] {
  const faults = new Map<string, string>();
  const byPrice = [...countries].sort((a, b) => b.textMicros - a.textMicros);
  for (const { country, textMicros, callMicros, exposure, group } of byPrice) {
    const messages = texts + (call ? 1 : 0);
    const dearest = Math.max(textMicros, call ? callMicros : 0);
    for (const level of levelsFor(country, dearest, exposure)) {
      const needs = ONE_UNIT.includes(level.name) ? level.weight : messages * level.weight;
      const setting = settingOf(level, group);
      if (needs <= level.base || faults.has(setting)) continue;
      const units = (hundredths: number) => (hundredths / UNIT_HUNDREDTHS).toString();
      const where = country === "*" ? "a country without a price of its own" : country;
      faults.set(
        setting,
        `${setting}: a session of ${messages} messages to ${where} takes ${units(needs)} units and finds ${units(level.base)}; raise the base`,
      );
    }
    const money = texts * textMicros + (call ? callMicros : 0);
    if (money > exposure.growth.base_micros && !faults.has("exposure.growth.base_micros")) {
      faults.set(
        "exposure.growth.base_micros",
        `exposure.growth.base_micros: a session to ${country} costs ${money}, more than the ${exposure.growth.base_micros} that new numbers of a country may cost in a day`,
      );
    }
  }
  return [...faults.values()];
}

function levelsFor(country: string, costMicros: number, exposure: ExposurePolicy): Level[] {
  const phone = { e164: "", country, type: "unknown", block: "", prefix: "" } as const;
  const subjects = { phone, numberTag: "", addressTag: "", asn: 0, ownDevice: "device", costMicros };
  const levels = exposureLevels(subjects, exposure);
  return POOLS.flatMap((pool) => levels[pool]);
}

/** The policy's key of a level: `exposure.country`, `exposure.challenged.country`, `groups.dear.exposure.country`. */
function settingOf({ key, name }: Level, group: PricedCountry["group"]): string {
  const pool = key.split(":")[0];
  if (name === "day") return "exposure.second_pools.base";
  if (pool === "stranger" && group?.budgets.includes(name))
    return `groups.${group.name}.exposure.${name}.base`;
  if (pool === "stranger") return `exposure.${name}.base`;
  return `exposure.${pool}.${name}.base`;
}

/** A number's limits, and the key of the policy that they are from. */
export interface NumberLimits {
  setting: string;
  rules: readonly LimitRule[];
}

/**
 * Finds the limits of a number that refuse what its session offers: a message as soon as it may follow.
 *
 * @param waitSeconds the shortest wait before the 2nd, 3rd, ... message of a session
 * @returns a sentence for each such rule
 */
export function numberLimitWarnings(
  limits: readonly NumberLimits[],
  waitSeconds: readonly number[],
): string[] {
  const times = [
    0,
    ...waitSeconds.map((_, i) => waitSeconds.slice(0, i + 1).reduce((sum, wait) => sum + wait)),
  ];
  return limits.flatMap(({ setting, rules }) =>
    rules.flatMap(({ max, window_seconds }, i) => {
      const inWindow = (from: number) =>
        times.filter((time) => time >= from && time < from + window_seconds).length;
      const most = Math.max(...times.map(inWindow));
      return most <= max
        ? []
        : [
            `${setting}.${i}: a session's waits offer ${most} messages in ${window_seconds} s, and only ${max} may leave`,
          ];
    }),
  );
}

/**
 * Finds spend caps below the price of one session: the second or third message of somebody who is alone there is refused.
 *
 * @param meters that one message to each country runs on, its price as the amount
 * @returns a sentence for each cap, named by its scope and period, with the dearest country
 */
export function capWarnings(
  countries: readonly Pick<PricedCountry, "country" | "textMicros" | "callMicros">[],
  texts: number,
  metersOf: (country: string, costMicros: number) => readonly SpendMeter[],
): string[] {
  const byPrice = [...countries].sort((a, b) => b.textMicros - a.textMicros);
  const warnings = new Map<string, string>();
  for (const { country, textMicros, callMicros } of byPrice) {
    for (const { scope, period, amount, cap } of metersOf(country, texts * textMicros + callMicros)) {
      const setting = scope === "spend:all" ? "money.caps" : `money.country_caps.${country}`;
      const key = `${setting}.${period}_micros`;
      if (amount <= cap || warnings.has(key)) continue;
      warnings.set(key, `${key}: a session to ${country} costs ${amount} micros, and the cap is ${cap}`);
    }
  }
  return [...warnings.values()];
}
