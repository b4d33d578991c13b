import type { Channel } from "../kernel/channel.ts";
import { type Segmentation, segmentText } from "./gsm7.ts";
import { lookUpLocale } from "./locale.ts";
import type { MessagePolicy } from "./message.policy.ts";
import { SHIPPED_TEXTS } from "./shipped-texts.ts";
import { fillTemplate } from "./templates.ts";

/** The parameters of one message. */
export interface MessageContent {
  code: string;
  channel: Channel;
  flow: string;
  /** The locale the client asked for; null where it did not. */
  locale: string | null;
  ttlSeconds: number;
}

/** One message ready to be sent, and its billed length. */
export interface ComposedMessage extends Pick<Segmentation, "encoding" | "segments"> {
  body: string;
  /** The sentence with the digits apart, once. */
  spoken: string;
  /** The locale of the chosen texts. */
  locale: string;
  /** The registration in India; null where this text has none. */
  dlt: { entityId: string; templateId: string } | null;
}

const LAST_RESORT = "en";

/**
 * Composes one message in the best available language for the person.
 *
 * @throws Error for a template that `messageFaults` names
 */
export function composeMessage(what: MessageContent, policy: MessagePolicy): ComposedMessage {
  const { code, channel, flow, ttlSeconds } = what;
  const available = localesFor(flow, policy);
  const wanted = [what.locale ?? "", policy.default_locale, LAST_RESORT];
  const locale = lookUpLocale(wanted, available) ?? LAST_RESORT;
  const { text, spoken, pause, warnLine } = textsFor(flow, locale, policy);

  const values = { code, brand: policy.brand, minutes: Math.ceil(ttlSeconds / 60) };
  const lines = [fillTemplate(text, locale, values)];
  if (policy.warn_line && warnLine !== null && channel !== "voice") lines.push(warnLine);
  const machineLine = channel === "sms" ? lineForMachines(code, policy) : "";
  const body = lines.join("\n") + (machineLine === "" ? "" : `\n\n${machineLine}`);

  const { encoding, segments } = segmentText(body);
  return {
    body,
    spoken: fillTemplate(spoken, locale, { ...values, code: [...code].join(pause) }),
    locale,
    encoding,
    segments,
    dlt: registration(flow, locale, policy),
  };
}

/** The locales that have a text for this flow. */
export function localesFor(flow: string, { templates }: MessagePolicy): string[] {
  const own = [flow, "default"].flatMap((name) =>
    Object.entries(templates[name] ?? {}).flatMap(([locale, { text }]) => (text === undefined ? [] : locale)),
  );
  return [...new Set([...Object.keys(SHIPPED_TEXTS), ...own])];
}

/** The operator's texts go before the shipped ones of the language, whatever the flow. */
function textsFor(flow: string, locale: string, { templates }: MessagePolicy) {
  const [forFlow, forAll] = [templates[flow]?.[locale], templates.default?.[locale]];
  const shipped = SHIPPED_TEXTS[lookUpLocale([locale], Object.keys(SHIPPED_TEXTS)) ?? ""];
  return {
    text: forFlow?.text ?? forAll?.text ?? shipped?.texts[flow] ?? shipped?.texts.default ?? "{code}",
    spoken: forFlow?.spoken ?? forAll?.spoken ?? shipped?.spoken ?? "{code}",
    pause: shipped?.pause ?? ", ",
    warnLine: shipped?.warnLine ?? null,
  };
}

/**
 * The last line, for browsers and Android apps at once. Browsers take a host and a code from its beginning and ignore what
 * follows (WICG "Origin-bound one-time codes", parsing; Chromium's `sms_parser.cc`); Android finds the hash anywhere, and
 * older Play services at the end of the message ("Perform SMS verification on a server").
 */
function lineForMachines(code: string, { origin_host, app_hash = "" }: MessagePolicy): string {
  const origin = origin_host === "" ? "" : `@${origin_host} #${code}`;
  return [origin, app_hash].filter((part) => part !== "").join(" ");
}

function registration(flow: string, locale: string, { dlt }: MessagePolicy): ComposedMessage["dlt"] {
  const templateId = dlt?.template_ids[flow]?.[locale] ?? dlt?.template_ids.default?.[locale];
  return dlt && templateId !== undefined ? { entityId: dlt.entity_id, templateId } : null;
}
