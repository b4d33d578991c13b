import { isTestSecret } from "../adapters/identity/captcha-siteverify.ts";
import type { Config, Tables } from "../config/config.ts";
import { rulesForCountry } from "../domain/admission/country-rules.ts";
import { sessionFaults } from "../domain/admission/session-fit.ts";
import { messageFaults } from "../domain/delivery/message-faults.ts";
import { messagePriceMicros } from "../domain/delivery/money.ts";
import type { Channel } from "../domain/kernel/channel.ts";
import { servesCountry } from "../domain/kernel/phone.ts";
import { composeProviders } from "./compose-providers.ts";

/**
 * Faults of a checked configuration that only its parts can see. Scripts judge a configuration by the same rules as the
 * Worker, so that this file needs nothing of the platform.
 *
 * @param warn is called for what works, and costs or loses something
 */
export function compositionFaults(
  config: Config,
  { prices, currency }: Tables,
  warn: (warning: string) => void,
): string[] {
  const { ENVIRONMENT, POLICY, CAPTCHA_SECRET_KEY, CAPTCHA_FRESH_SECRET_KEY } = config;
  const providers = composeProviders(config, {}, () => Date.now());
  const { channels } = POLICY.delivery;
  const flows = Object.entries(POLICY.flows).map(([name, { countries = POLICY.countries }]) => ({
    name,
    servesIndia: channels.includes("sms") && servesCountry(countries, "IN"),
  }));
  const texts = messageFaults(POLICY.message, POLICY.code, flows);
  for (const warning of texts.warnings) warn(warning);
  const unserved = channels.filter(
    (channel) => ![...providers.values()].some((provider) => provider.channels.includes(channel)),
  );
  const unpriced = [...providers].flatMap(([name, provider]) =>
    channels
      .filter((channel) => provider.channels.includes(channel))
      .filter(
        (channel) =>
          !prices.some((row) => row.provider === name && row.channel === channel && row.country === "*"),
      )
      .map((channel) => `${name} ${channel}`),
  );
  return [
    ...unserved.map((channel) => `POLICY.delivery.channels: no provider serves ${channel}`),
    ...unpriced.map((pair) => `src/data/prices.csv: no default price for ${pair}`),
    ...(POLICY.money.currency === currency
      ? []
      : [
          `POLICY.money.currency: is ${POLICY.money.currency}, and the prices of src/data/prices.csv are in ${currency}`,
        ]),
    ...texts.faults,
    ...(unpriced.length > 0 ? [] : sessionFaultsOf(config, prices)),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_SECRET_KEY)
      ? ["CAPTCHA_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_FRESH_SECRET_KEY ?? "")
      ? ["CAPTCHA_FRESH_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
  ];
}

/** Budgets that a person's session cannot fit into, by the prices of the providers in use. */
function sessionFaultsOf({ POLICY }: Config, prices: Tables["prices"]): string[] {
  const { providers, channels } = POLICY.delivery;
  const dearest = (country: string, channel: Channel): number =>
    Math.max(
      0,
      ...providers
        .filter((provider) => prices.some((row) => row.provider === provider && row.channel === channel))
        .map((provider) => messagePriceMicros(prices, country, provider, channel)),
    );
  const countries = [...new Set(prices.map(({ country }) => country))].map((country) => ({
    country,
    textMicros: Math.max(
      ...channels.filter((channel) => channel !== "voice").map((one) => dearest(country, one)),
    ),
    callMicros: dearest(country, "voice"),
    exposure: rulesForCountry(POLICY, country).exposure,
  }));
  const texts = Math.min(3, POLICY.resend.wait_seconds.length + 1);
  return sessionFaults(countries, texts, channels.includes("voice")).map((fault) => `POLICY.${fault}`);
}
