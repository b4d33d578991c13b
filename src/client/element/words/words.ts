import { ar } from "./ar.ts";
import { en, type Sentences, type Words } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";
import { hi } from "./hi.ts";
import { id } from "./id.ts";
import { pt } from "./pt.ts";

export type { Words } from "./en.ts";

const TRANSLATIONS: Partial<Record<string, Sentences>> = { ar, es, fr, hi, id, pt };

/** What `Intl` takes; for anything else in a `lang` attribute it throws. */
const LANGUAGE_TAG = /^[a-z]{2}(-[a-z0-9]{2,8})*$/i;

export interface Language {
  /** The tag asked for, for the names of countries, or `en` where it is not one of ours. */
  tag: string;
  words: Words;
  direction: "ltr" | "rtl";
}

/** The first of the wanted BCP 47 tags that there are words for, else English. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.split("-")[0]?.toLowerCase() ?? "";
    if (base === "en") break;
    const sentences = Object.hasOwn(TRANSLATIONS, base) ? TRANSLATIONS[base] : undefined;
    if (sentences)
      return {
        tag: LANGUAGE_TAG.test(tag) ? tag : base,
        words: named(sentences),
        direction: base === "ar" ? "rtl" : "ltr",
      };
  }
  return { tag: "en", words: en, direction: "ltr" };
}

const named = (sentences: Sentences): Words =>
  Object.fromEntries(Object.keys(en).map((name, index) => [name, sentences[index]])) as Words;

/** A sentence with its `{holes}` filled. */
export const fill = (sentence: string, values: Record<string, string | number>): string =>
  sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));

/** A wait as people read it: `0:42`, `2:05`, and from an hour on whole hours in their language. */
export function formatDuration(seconds: number, tag: string): string {
  if (seconds >= 3600) {
    const hours = { style: "unit", unit: "hour", unitDisplay: "long" } as const;
    return new Intl.NumberFormat(tag, hours).format(Math.ceil(seconds / 3600));
  }
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
