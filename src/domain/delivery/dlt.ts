/**
 * Registration of texts in India (TRAI, Telecom Commercial Communications Customer Preference Regulations, 2018). Operators there
 * compare each message with the text that its template id was registered for, and drop what differs; it is billed all the same.
 * So an id goes out with its own text alone.
 */
import { localesFor, textsFor } from "./flow-texts.ts";
import type { MessagePolicy } from "./message.policy.ts";

type DltPolicy = Pick<MessagePolicy, "dlt" | "templates">;

/** A flow of the policy, and whether numbers of India may get its messages. */
export interface ServedFlow {
  name: string;
  servesIndia: boolean;
}

/**
 * The template id of a flow's text in a locale; null where that text has none. The id under `default` is the default text's, and
 * goes with a flow whose text is the same.
 */
export function templateIdFor(flow: string, locale: string, policy: DltPolicy): string | null {
  const ids = policy.dlt?.template_ids ?? {};
  const own = ids[flow]?.[locale];
  if (own !== undefined) return own;
  const isDefaultText = textsFor(flow, locale, policy).text === textsFor("default", locale, policy).text;
  return (isDefaultText ? ids.default?.[locale] : undefined) ?? null;
}

/** The locales in which a flow's text is registered, in the order of its locales. */
export const registeredLocales = (flow: string, policy: DltPolicy): string[] =>
  localesFor(flow, policy).filter((locale) => templateIdFor(flow, locale, policy) !== null);

/** What cannot match any registration, one line each: ids without a text, texts that share an id, flows without an id. */
export function dltFaults(policy: DltPolicy, flows: readonly ServedFlow[]): string[] {
  if (policy.dlt === undefined) return [];
  const at = "POLICY.message.dlt.template_ids";
  const ids = Object.entries(policy.dlt.template_ids).flatMap(([flow, byLocale]) =>
    Object.entries(byLocale).map(([locale, id]) => ({ flow, locale, id })),
  );
  const nameless = ids
    .filter(({ flow, locale }) => !localesFor(flow, policy).includes(locale))
    .map(({ flow, locale }) => `${at}.${flow}.${locale}: has no text in this locale`);
  const shared = ids.flatMap(({ flow, locale, id }, i) => {
    const first = ids.slice(0, i).find((other) => other.id === id);
    const isSame =
      first === undefined ||
      textsFor(first.flow, first.locale, policy).text === textsFor(flow, locale, policy).text;
    return isSame
      ? []
      : [`${at}.${flow}.${locale}: has the id of ${first.flow}.${first.locale}, and another text`];
  });
  const unregistered = flows
    .filter(({ name, servesIndia }) => servesIndia && registeredLocales(name, policy).length === 0)
    .map(
      ({ name }) =>
        `${at}: flow ${name} has a text of its own, registered in no language; register it under ${name}, or give the flow a registered text`,
    );
  return [...nameless, ...shared, ...unregistered];
}
