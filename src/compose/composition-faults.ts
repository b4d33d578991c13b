import { isTestSecret } from "../adapters/identity/captcha-siteverify.ts";
import type { Config, Tables } from "../config/config.ts";
import { messageFaults } from "../domain/delivery/message-faults.ts";
import { composeProviders } from "./compose-providers.ts";

/**
 * Faults of a checked configuration that only its parts can see. Scripts judge a configuration by the same rules as the
 * Worker, so that this file needs nothing of the platform.
 *
 * @param warn is called for what works, and costs or loses something
 */
export function compositionFaults(
  config: Config,
  { prices }: Tables,
  warn: (warning: string) => void,
): string[] {
  const { ENVIRONMENT, POLICY, CAPTCHA_SECRET_KEY, CAPTCHA_FRESH_SECRET_KEY } = config;
  const providers = composeProviders(config, {}, () => Date.now());
  const { channels } = POLICY.delivery;
  const texts = messageFaults(POLICY.message, POLICY.code);
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
    ...texts.faults,
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_SECRET_KEY)
      ? ["CAPTCHA_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_FRESH_SECRET_KEY ?? "")
      ? ["CAPTCHA_FRESH_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
  ];
}
