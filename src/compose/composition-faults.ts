import { isTestSecret } from "../adapters/identity/captcha-siteverify.ts";
import type { Config, Tables } from "../config/config.ts";
import { messageFaults } from "../domain/delivery/message-faults.ts";
import { servesCountry } from "../domain/kernel/phone.ts";
import { composeProviders } from "./compose-providers.ts";
import { sessionFaultsOf } from "./session-faults.ts";

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
    ...(unpriced.length > 0 ? [] : sessionFaultsOf(config, prices, warn)),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_SECRET_KEY)
      ? ["CAPTCHA_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_FRESH_SECRET_KEY ?? "")
      ? ["CAPTCHA_FRESH_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
  ];
}
