import type { Config, Tables } from "../config/config.ts";
import { rulesForCountry } from "../domain/admission/country-rules.ts";
import {
  capWarnings,
  numberLimitWarnings,
  type PricedCountry,
  sessionFitFaults,
} from "../domain/admission/session-fit.ts";
import { longestTexts } from "../domain/delivery/message-faults.ts";
import { messagePriceMicros, spendMeters } from "../domain/delivery/money.ts";
import type { Channel } from "../domain/kernel/channel.ts";
import type { Policy } from "../domain/policy.ts";

/**
 * Budgets that a person's session cannot fit into, by the prices of the providers in use: in every country of the price table and
 * of the policy's groups.
 *
 * @param warn is called for limits and caps below a session, and for budgets that one in the longest text outgrows
 */
export function sessionFaultsOf(
  { POLICY }: Pick<Config, "POLICY">,
  prices: Tables["prices"],
  warn: (warning: string) => void,
): string[] {
  const { resend, delivery, limits, groups, money } = POLICY;
  const countries = pricedCountries(POLICY, prices);
  const texts = Math.min(3, resend.wait_seconds.length + 1);
  const hasCalls = delivery.channels.includes("voice");
  const faults = sessionFitFaults(countries, texts, hasCalls);

  const segments = Math.max(
    ...[...longestTexts(POLICY.message, POLICY.code).values()].map((text) => text.segments),
  );
  const long = countries.map((country) => ({ ...country, textMicros: segments * country.textMicros }));
  const outgrown = sessionFitFaults(long, texts, hasCalls).filter(
    (fault) => !faults.some((other) => settingOf(other) === settingOf(fault)),
  );
  const waits = resend.wait_seconds.map((wait) => Math.min(wait, resend.undelivered_wait_seconds));
  const numberLimits = [
    { setting: "limits.number", rules: limits.number },
    ...Object.entries(groups).flatMap(([name, { number_limits: rules }]) =>
      rules ? [{ setting: `groups.${name}.number_limits`, rules }] : [],
    ),
  ];
  const warnings = [
    ...outgrown.map((fault) => `${fault}, for a text of ${segments} segments`),
    ...numberLimitWarnings(numberLimits, waits),
    ...capWarnings(countries, texts, (country, cost) => spendMeters(money, country, cost, false)),
  ];
  for (const warning of warnings) warn(`POLICY.${warning}`);
  return faults.map((fault) => `POLICY.${fault}`);
}

const settingOf = (fault: string): string => fault.slice(0, fault.indexOf(":"));

function pricedCountries(policy: Policy, prices: Tables["prices"]): PricedCountry[] {
  const { providers, channels } = policy.delivery;
  const dearest = (country: string, channel: Channel): number =>
    Math.max(
      0,
      ...providers
        .filter((provider) => prices.some((row) => row.provider === provider && row.channel === channel))
        .map((provider) => messagePriceMicros(prices, country, provider, channel)),
    );
  const inGroups = Object.values(policy.groups).flatMap((group) => group.countries);
  return [...new Set([...prices.map(({ country }) => country), ...inGroups])].map((country) => {
    const group = Object.entries(policy.groups).find(([, { countries }]) => countries.includes(country));
    return {
      country,
      textMicros: Math.max(
        0,
        ...channels.filter((channel) => channel !== "voice").map((one) => dearest(country, one)),
      ),
      callMicros: channels.includes("voice") ? dearest(country, "voice") : 0,
      exposure: rulesForCountry(policy, country).exposure,
      group: group ? { name: group[0], budgets: Object.keys(group[1].exposure) } : null,
    };
  });
}
