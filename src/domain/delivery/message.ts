import type { Channel } from "../kernel/channel.ts";
import { registeredLocales, templateIdFor } from "./dlt.ts";
import { localesFor, textsFor } from "./flow-texts.ts";
import { countSegments, type Segmentation } from "./gsm7.ts";
import { lookUpLocale } from "./locale.ts";
import type { MessagePolicy } from "./message.policy.ts";
import { fillTemplate } from "./templates.ts";

/** The parameters of one message. */
export interface MessageParameters {
  code: string;
  channel: Channel;
  /** Of the number, ISO 3166-1 alpha-2: in India texts are registered. */
  country: string;
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
  /** The registration of a text to India; null where it has none, and elsewhere. */
  dlt: { entityId: string; templateId: string } | null;
}

const LAST_RESORT = "en";

/**
 * Composes one message in the best available language for the person. A text to India goes in a language in which it is
 * registered, and without the lines that are not part of the registered text.
 *
 * @throws Error for a template that `messageFaults` names
 */
export function composeMessage(what: MessageParameters, policy: MessagePolicy): ComposedMessage {
  const { code, channel, country, flow, ttlSeconds } = what;
  const registered = channel === "sms" && country === "IN" ? registeredLocales(flow, policy) : [];
  const isRegistered = registered.length > 0;
  const wanted = [what.locale ?? "", policy.default_locale, LAST_RESORT];
  const available = isRegistered ? registered : localesFor(flow, policy);
  const locale = lookUpLocale(wanted, available) ?? registered[0] ?? LAST_RESORT;
  const { text, spoken, pause, warnLine } = textsFor(flow, locale, policy);

  const values = { code, brand: policy.brand, minutes: Math.ceil(ttlSeconds / 60) };
  const sentence = fillTemplate(text, locale, values);
  const mayAddLines = !isRegistered || (policy.dlt?.added_lines ?? false);
  const body = mayAddLines ? withAddedLines(sentence, { code, channel, warnLine }, policy) : sentence;

  const { encoding, segments } = countSegments(body);
  const templateId = isRegistered ? templateIdFor(flow, locale, policy) : null;
  return {
    body,
    spoken: fillTemplate(spoken, locale, { ...values, code: [...code].join(pause) }),
    locale,
    encoding,
    segments,
    dlt: policy.dlt && templateId !== null ? { entityId: policy.dlt.entity_id, templateId } : null,
  };
}

/** The sentence with the line against callers, and for texts with the line for machines. */
function withAddedLines(
  sentence: string,
  { code, channel, warnLine }: Pick<MessageParameters, "code" | "channel"> & { warnLine: string | null },
  policy: MessagePolicy,
): string {
  const lines = [sentence];
  if (policy.warn_line && warnLine !== null && channel !== "voice") lines.push(warnLine);
  const machineLine = channel === "sms" ? lineForMachines(code, policy) : "";
  return lines.join("\n") + (machineLine === "" ? "" : `\n\n${machineLine}`);
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
