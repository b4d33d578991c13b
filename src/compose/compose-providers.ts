/** The providers that the policy names, each with its settings. Part of the composition root. */
import { msg91Provider } from "../adapters/providers/msg91-provider.ts";
import { sandboxProvider } from "../adapters/providers/sandbox-provider.ts";
import { startMessagingProvider } from "../adapters/providers/startmessaging-provider.ts";
import { webhookProvider } from "../adapters/providers/webhook-provider.ts";
import { telegramProvider } from "../adapters/telegram/telegram-provider.ts";
import { twilioProvider } from "../adapters/twilio/twilio-provider.ts";
import { vonageProvider } from "../adapters/vonage/vonage-provider.ts";
import type { Config } from "../config/config.ts";
import type { ProviderName } from "../domain/delivery/delivery.policy.ts";
import type { ProviderPort } from "../ports/delivery.ts";

/** A client certificate for the webhook provider (`[[mtls_certificates]]` with this binding in wrangler.toml). */
export interface ProviderBindings {
  WEBHOOK_PROVIDER_MTLS?: Fetcher;
}

export function composeProviders(
  config: Config,
  bindings: ProviderBindings,
  nowMs: () => number,
): Map<string, ProviderPort> {
  const names = config.POLICY.delivery.providers;
  return new Map(names.map((name) => [name, provider(name, config, bindings, nowMs)]));
}

function provider(
  name: ProviderName,
  config: Config,
  bindings: ProviderBindings,
  nowMs: () => number,
): ProviderPort {
  const { delivery, money, proof, message } = config.POLICY;
  const { currency } = money;
  // Two routes must fit into the whole time.
  const timeoutMs = Math.floor(delivery.timeout_ms / 2);
  const receipts = new URL(`/v1/receipts/${name}`, proof.issuer).href;
  const receiptUrl = receipts.startsWith("https://") ? receipts : null;
  switch (name) {
    case "sandbox":
    case "sandbox_b":
    case "sandbox_c":
      return sandboxProvider({
        name,
        baseUrl: needed(config.SANDBOX_URL),
        timeoutMs,
        receiptUrl: receipts,
        receiptSecret: config.SANDBOX_RECEIPT_SECRET,
      });
    case "twilio":
      return twilioProvider({
        apiUrl: config.TWILIO_API_URL,
        accountSid: needed(config.TWILIO_ACCOUNT_SID),
        authToken: needed(config.TWILIO_AUTH_TOKEN),
        secondAuthToken: config.TWILIO_SECOND_AUTH_TOKEN,
        apiKey: twilioApiKey(config),
        messagingServiceSid: needed(config.TWILIO_MESSAGING_SERVICE_SID),
        callFrom: config.TWILIO_CALL_FROM,
        contentSids: config.TWILIO_CONTENT_SIDS,
        receiptUrl,
        currency,
        timeoutMs,
      });
    case "vonage":
      return vonageProvider({
        apiUrl: config.VONAGE_API_URL,
        smsUrl: config.VONAGE_SMS_URL,
        api: config.VONAGE_API,
        apiKey: needed(config.VONAGE_API_KEY),
        apiSecret: needed(config.VONAGE_API_SECRET),
        applicationId: needed(config.VONAGE_APPLICATION_ID),
        privateKey: needed(config.VONAGE_PRIVATE_KEY),
        signatureSecrets: needed(config.VONAGE_SIGNATURE_SECRETS),
        smsSignature: config.VONAGE_SMS_SIGNATURE,
        from: needed(config.VONAGE_FROM),
        callFrom: config.VONAGE_CALL_FROM,
        whatsApp: vonageWhatsApp(config),
        receiptUrl,
        currency,
        timeoutMs,
        nowMs,
      });
    case "startmessaging":
      return startMessagingProvider({
        apiUrl: config.STARTMESSAGING_API_URL,
        apiKey: needed(config.STARTMESSAGING_API_KEY),
        templateIds: config.STARTMESSAGING_TEMPLATE_IDS ?? {},
        brand: message.brand,
        timeoutMs,
      });
    case "msg91":
      return msg91Provider({
        apiUrl: config.MSG91_API_URL,
        authKey: needed(config.MSG91_AUTH_KEY),
        service: config.MSG91_SERVICE,
        templateIds: needed(config.MSG91_TEMPLATE_IDS),
        codeVariable: config.MSG91_CODE_VARIABLE,
        receiptKeys: config.MSG91_RECEIPT_KEYS ?? [],
        timeoutMs,
      });
    case "telegram":
      return telegramProvider({
        apiUrl: config.TELEGRAM_GATEWAY_URL,
        token: needed(config.TELEGRAM_GATEWAY_TOKEN),
        secondToken: config.TELEGRAM_GATEWAY_SECOND_TOKEN,
        senderUsername: config.TELEGRAM_GATEWAY_SENDER,
        receiptUrl,
        currency,
        timeoutMs,
      });
    case "webhook":
      return webhookProvider({
        name,
        url: needed(config.WEBHOOK_PROVIDER_URL),
        secrets: needed(config.WEBHOOK_PROVIDER_SECRETS),
        channels: config.WEBHOOK_PROVIDER_CHANNELS,
        countries: config.WEBHOOK_PROVIDER_COUNTRIES ?? null,
        timeoutMs,
        fetcher: certified(bindings.WEBHOOK_PROVIDER_MTLS),
      });
  }
}

/** The account's API key with its secret; undefined where requests are made with the main token. */
export function twilioApiKey({
  TWILIO_API_KEY: sid,
  TWILIO_API_KEY_SECRET: secret,
}: Pick<Config, "TWILIO_API_KEY" | "TWILIO_API_KEY_SECRET">) {
  return sid === undefined || secret === undefined ? undefined : { sid, secret };
}

function vonageWhatsApp(config: Config) {
  const { VONAGE_WHATSAPP_FROM: from, VONAGE_WHATSAPP_TEMPLATE: template } = config;
  const [first = "en", ...others] = config.VONAGE_WHATSAPP_LANGUAGES;
  const languages: [string, ...string[]] = [first, ...others];
  return from === undefined || template === undefined ? undefined : { from, template, languages };
}

/** The binding's own fetch, which shows our certificate. */
function certified(binding: Fetcher | undefined) {
  return binding && ((url: string, init: RequestInit) => binding.fetch(url, init));
}

/** A setting that the configuration's own rules made sure of. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("config.ts lets no provider through without its settings");
  return value;
}
