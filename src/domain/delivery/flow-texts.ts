import { lookUpLocale } from "./locale.ts";
import type { MessagePolicy } from "./message.policy.ts";
import { SHIPPED_TEXTS } from "./shipped-texts.ts";

/** The templates of one flow in one locale. */
export interface FlowTexts {
  text: string;
  spoken: string;
  /** The pause between spoken digits. */
  pause: string;
  /** The line against callers who ask for the code; null in languages that the program does not know. */
  warnLine: string | null;
}

/** The locales that have a text for this flow. */
export function localesFor(flow: string, { templates }: Pick<MessagePolicy, "templates">): string[] {
  const own = [flow, "default"].flatMap((name) =>
    Object.entries(templates[name] ?? {}).flatMap(([locale, { text }]) => (text === undefined ? [] : locale)),
  );
  return [...new Set([...Object.keys(SHIPPED_TEXTS), ...own])];
}

/** The texts of a flow in one of its locales. The operator's go before the shipped ones of the language, whatever the flow. */
export function textsFor(
  flow: string,
  locale: string,
  { templates }: Pick<MessagePolicy, "templates">,
): FlowTexts {
  const [forFlow, forAll] = [templates[flow]?.[locale], templates.default?.[locale]];
  const shipped = SHIPPED_TEXTS[lookUpLocale([locale], Object.keys(SHIPPED_TEXTS)) ?? ""];
  return {
    text: forFlow?.text ?? forAll?.text ?? shipped?.texts[flow] ?? shipped?.texts.default ?? "{code}",
    spoken: forFlow?.spoken ?? forAll?.spoken ?? shipped?.spoken ?? "{code}",
    pause: shipped?.pause ?? ", ",
    warnLine: shipped?.warnLine ?? null,
  };
}
