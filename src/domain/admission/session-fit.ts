/** Settings that are each fine can be impossible together: here a person's whole session is laid on the budgets. */
import type { ExposurePolicy } from "./exposure.policy.ts";
import { type Level, UNIT_HUNDREDTHS } from "./exposure.ts";
import { exposureLevels } from "./levels.ts";

/** A destination's price, and the exposure rules that hold there. */
export interface PricedCountry {
  /** ISO 3166-1 alpha-2, or `*` for every country without a price of its own. */
  country: string;
  /** The dearest text, and the dearest call. */
  textMicros: number;
  callMicros: number;
  exposure: ExposurePolicy;
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
export function sessionFaults(countries: readonly PricedCountry[], texts: number, call: boolean): string[] {
  const faults = new Map<string, string>();
  const byPrice = [...countries].sort((a, b) => b.textMicros - a.textMicros);
  for (const { country, textMicros, callMicros, exposure } of byPrice) {
    const messages = texts + (call ? 1 : 0);
    const dearest = Math.max(textMicros, call ? callMicros : 0);
    for (const level of levelsFor(country, dearest, exposure)) {
      const needs = ONE_UNIT.includes(level.name) ? level.weight : messages * level.weight;
      const setting = settingOf(level);
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

/** The policy's key of a level: `exposure.country`, `exposure.challenged.country`. */
function settingOf({ key, name }: Level): string {
  const pool = key.split(":")[0];
  if (name === "day") return "exposure.second_pools.base";
  if (pool === "stranger") return `exposure.${name}.base`;
  return `exposure.${pool}.${name}.base`;
}
