import { IntlMessageFormat } from "intl-messageformat";

/** The values a template may name in braces. */
export interface TemplateValues {
  /** The digits; in a spoken template, each apart. */
  code: string;
  brand: string;
  /** Minutes the code is good for, rounded up; a number, so that `{minutes, plural, ...}` works. */
  minutes: number;
}

/** The texts come from the program and the policy, so there are only so many of them. */
const parsed = new Map<string, IntlMessageFormat>();

/**
 * Fills an ICU message. Tags are not markup here: `<` is itself.
 *
 * @throws Error when the template does not parse or names a value that does not exist; `messageFaults` finds such ones
 */
export function fillTemplate(template: string, locale: string, values: TemplateValues): string {
  const key = `${locale} ${template}`;
  const known = parsed.get(key);
  const message = known ?? new IntlMessageFormat(template, locale, undefined, { ignoreTag: true });
  if (known === undefined) parsed.set(key, message);
  return String(message.format({ ...values }));
}
