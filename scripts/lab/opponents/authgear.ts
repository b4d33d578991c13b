/**
 * Authgear's fraud protection, from its published specification (authgear/authgear-server, docs/specs/fraud-protection.md,
 * 2026): five warnings, four of them buckets of unverified codes that leak their threshold over their period.
 *
 *   per country and day    max(20, 0.2 x the best day of 14, 0.2 x verified in 24 h)
 *   per country and hour   max(3, the day's threshold / 6, 0.2 x verified in 1 h)
 *   per address and day    max(10, 0.2 x verified from it in 24 h)
 *   per address and hour   max(5, 0.2 x verified from it in 24 h / 6)
 *   countries per address  more than 3 without a verification in 24 h
 *
 * A verification takes one unit out of each bucket. The specification counts codes that were sent; its server (2026)
 * fills the buckets with refused requests as well, up to their thresholds, so that an attacker who keeps asking keeps a
 * country shut: that is the variant `authgear-server`. Recording only is the product's default; the others deny on any
 * warning once the learning days are over. Its ordinary rate limits are not part of this.
 */

import type { Rule, RuleFactory, RuleSetup } from "../rule.ts";
import type { TraceEvent } from "../trace.ts";
import { countryOf } from "../world/numbers.ts";
import { slidingCounts } from "./windows.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HISTORY_DAYS = 14;
const SHARE_OF_VERIFIED = 0.2;
const COUNTRIES_PER_ADDRESS = 3;

/** What has been verified lately. */
export interface VerifiedCounts {
  countryBestDay: number;
  countryDay: number;
  countryHour: number;
  addressDay: number;
}

export interface Thresholds {
  countryDay: number;
  countryHour: number;
  addressDay: number;
  addressHour: number;
}

/** The four adaptive thresholds, in unverified codes. */
export function authgearThresholds(verified: VerifiedCounts): Thresholds {
  const { countryBestDay, countryDay: verifiedDay, countryHour, addressDay } = verified;
  const countryDay = Math.max(20, SHARE_OF_VERIFIED * countryBestDay, SHARE_OF_VERIFIED * verifiedDay);
  return {
    countryDay,
    countryHour: Math.max(3, countryDay / 6, SHARE_OF_VERIFIED * countryHour),
    addressDay: Math.max(10, SHARE_OF_VERIFIED * addressDay),
    addressHour: Math.max(5, (SHARE_OF_VERIFIED * addressDay) / 6),
  };
}

export interface AuthgearVariant {
  name: string;
  action: "record_only" | "deny";
  /** Whether a refused request fills the buckets. */
  countsRefused: boolean;
}

export const authgearRule =
  (variant: AuthgearVariant): RuleFactory =>
  (setup) =>
    fraudProtection(setup, variant);

function fraudProtection({ priceMicros, countedFromMs }: RuleSetup, variant: AuthgearVariant): Rule {
  const levels = leakyLevels();
  const verifiedByDay = new Map<string, number[]>();
  const verifiedDay = slidingCounts(DAY_MS);
  const verifiedHour = slidingCounts(HOUR_MS);
  const verifiedFrom = slidingCounts(DAY_MS);
  const sentCountries = slidingCounts(DAY_MS);
  const verifiedCountries = slidingCounts(DAY_MS);
  const countriesFrom = new Map<string, Set<string>>();
  let alerts = 0;

  const thresholdsNow = (country: string, ip: string, nowMs: number): Thresholds => {
    const today = Math.floor(nowMs / DAY_MS);
    const days = verifiedByDay.get(country) ?? [];
    let best = 0;
    for (let day = today - HISTORY_DAYS; day <= today; day++) best = Math.max(best, days[day] ?? 0);
    return authgearThresholds({
      countryBestDay: best,
      countryDay: verifiedDay.count(country, nowMs),
      countryHour: verifiedHour.count(country, nowMs),
      addressDay: verifiedFrom.count(ip, nowMs),
    });
  };

  const bucketsOf = (event: TraceEvent, nowMs: number): Bucket[] => {
    const country = countryOf(event.phone);
    const room = thresholdsNow(country, event.ip, nowMs);
    return [
      levels.at(`day ${country}`, room.countryDay, DAY_MS, nowMs),
      levels.at(`hour ${country}`, room.countryHour, HOUR_MS, nowMs),
      levels.at(`day ${event.ip}`, room.addressDay, DAY_MS, nowMs),
      levels.at(`hour ${event.ip}`, room.addressHour, HOUR_MS, nowMs),
    ];
  };

  /** Puts the request's unit into the buckets. @returns true when one of them is over its threshold with it */
  const fill = (event: TraceEvent, nowMs: number): boolean => {
    const buckets = bucketsOf(event, nowMs);
    const over = buckets.some(({ level, threshold }) => level + 1 > threshold);
    const refused = over && denies(nowMs);
    if (!refused || variant.countsRefused) for (const bucket of buckets) bucket.level++;
    return over;
  };

  const denies = (nowMs: number): boolean => variant.action === "deny" && nowMs >= countedFromMs;

  const tooManyCountries = (event: TraceEvent, nowMs: number): boolean => {
    const country = countryOf(event.phone);
    sentCountries.add(`${event.ip} ${country}`, nowMs);
    const seen = countriesFrom.get(event.ip) ?? new Set<string>();
    countriesFrom.set(event.ip, seen.add(country));
    const unproven = [...seen].filter((code) => {
      const key = `${event.ip} ${code}`;
      return sentCountries.count(key, nowMs) > 0 && verifiedCountries.count(key, nowMs) === 0;
    });
    return unproven.length > COUNTRIES_PER_ADDRESS;
  };

  return {
    name: variant.name,
    async send(event, _attempt, nowMs) {
      const warned = [fill(event, nowMs), tooManyCountries(event, nowMs)].includes(true);
      if (warned) {
        alerts++;
        if (denies(nowMs)) return { kind: "refused", reason: "fraud_protection" };
      }
      return { kind: "left", ref: event.id, costMicros: priceMicros(countryOf(event.phone)) };
    },
    async verified(event, _ref, nowMs) {
      const country = countryOf(event.phone);
      const days = verifiedByDay.get(country) ?? [];
      const today = Math.floor(nowMs / DAY_MS);
      days[today] = (days[today] ?? 0) + 1;
      verifiedByDay.set(country, days);
      verifiedDay.add(country, nowMs);
      verifiedHour.add(country, nowMs);
      verifiedFrom.add(event.ip, nowMs);
      verifiedCountries.add(`${event.ip} ${country}`, nowMs);
      for (const bucket of bucketsOf(event, nowMs)) bucket.level = Math.max(0, bucket.level - 1);
      return true;
    },
    async minute(nowMs) {
      if (nowMs % DAY_MS !== 0) return;
      levels.sweep(nowMs);
      for (const counts of [verifiedFrom, sentCountries, verifiedCountries]) counts.sweep(nowMs);
      countriesFrom.clear();
    },
    readings: () => ({ posture: "normal", alerts, blockedRanges: [] }),
  };
}

interface Bucket {
  level: number;
  threshold: number;
  atMs: number;
}

/** Levels that leak their threshold over their period, and are cut to it when read. */
function leakyLevels() {
  const buckets = new Map<string, Bucket>();
  return {
    at(key: string, threshold: number, periodMs: number, nowMs: number): Bucket {
      const bucket = buckets.get(key) ?? { level: 0, threshold, atMs: nowMs };
      const leaked = ((nowMs - bucket.atMs) / periodMs) * threshold;
      bucket.level = Math.max(0, Math.min(bucket.level, threshold) - leaked);
      bucket.threshold = threshold;
      bucket.atMs = nowMs;
      buckets.set(key, bucket);
      return bucket;
    },
    sweep(nowMs: number): void {
      for (const [key, { atMs }] of buckets) {
        if (nowMs - atMs > DAY_MS) buckets.delete(key);
      }
    },
  };
}
