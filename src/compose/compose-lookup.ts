/** The source that the policy asks about numbers. Part of the composition root. */
import { twilioLookup } from "../adapters/twilio/twilio-lookup.ts";
import { identityInsightsLookup, numberInsightLookup } from "../adapters/vonage/vonage-lookup.ts";
import type { Config } from "../config/config.ts";
import type { LookupPort } from "../ports/people.ts";
import { twilioApiKey } from "./compose-providers.ts";

/** null where nobody is asked. */
export function composeLookup(config: Config, nowMs: () => number): LookupPort | null {
  const { lookup, money } = config.POLICY;
  const { timeout_ms: timeoutMs, sim_swap_hours: simSwapPeriodHours } = lookup;
  switch (lookup.provider) {
    case "none":
      return null;
    case "twilio":
      return twilioLookup({
        apiUrl: config.TWILIO_LOOKUP_URL,
        accountSid: needed(config.TWILIO_ACCOUNT_SID),
        authToken: needed(config.TWILIO_AUTH_TOKEN),
        apiKey: twilioApiKey(config),
        fields: config.TWILIO_LOOKUP_FIELDS,
        timeoutMs,
        nowMs,
      });
    case "vonage_number_insight":
      return numberInsightLookup({
        apiUrl: config.VONAGE_API_URL,
        apiKey: needed(config.VONAGE_API_KEY),
        apiSecret: needed(config.VONAGE_API_SECRET),
        level: config.VONAGE_NUMBER_INSIGHT,
        currency: money.currency,
        timeoutMs,
      });
    case "vonage_identity_insights":
      return identityInsightsLookup({
        apiUrl: config.VONAGE_INSIGHTS_URL,
        applicationId: needed(config.VONAGE_APPLICATION_ID),
        privateKey: needed(config.VONAGE_PRIVATE_KEY),
        insights: config.VONAGE_INSIGHTS,
        simSwapPeriodHours,
        timeoutMs,
        nowMs,
      });
  }
}

/** A setting that the configuration's own rules made sure of. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("config.ts lets no source through without its settings");
  return value;
}
