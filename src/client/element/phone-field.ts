import { AsYouType, type CountryCode, getCountries, getCountryCallingCode } from "libphonenumber-js/core/es6";
import metadata from "libphonenumber-js/min/metadata";
import { asciiDigits } from "./digits.ts";
import { h } from "./dom.ts";
import type { Language } from "./words/words.ts";

export interface Draft {
  phone: string;
  region: string;
}

const LONGEST_NUMBER = 40;

/** A phone number with the choice of its country, formatted as it is typed. A number with + brings its own country. */
export function makePhoneField({ words, tag }: Language, draft: Draft) {
  const countries = countriesByName(tag);
  const select = h(
    "select",
    { part: "country", "aria-label": words.country, autocomplete: "country" },
    ...countries.map(({ code, name }) =>
      h("option", { value: code }, `${name} (+${getCountryCallingCode(code, metadata)})`),
    ),
  );
  const chip = h("span", { part: "country-chip", "aria-hidden": "true" });
  const input = h("input", {
    part: "phone",
    id: "phone",
    type: "tel",
    autocomplete: "tel",
    maxlength: String(LONGEST_NUMBER),
    "aria-describedby": "notice",
    required: true,
  });
  const box = h(
    "div",
    { part: "phone-box", dir: "ltr" },
    h("div", { part: "country-box" }, chip, select),
    input,
  );

  const choose = (region: string) => {
    select.value = region;
    const code = chosen();
    chip.textContent = code ? `${code} +${getCountryCallingCode(code, metadata)}` : "+";
  };
  const chosen = () => countries.find(({ code }) => code === select.value)?.code;
  const typed = (text: string) => {
    const typer = new AsYouType(chosen(), metadata);
    return { text: typer.input(asciiDigits(text)), region: typer.getCountry() };
  };

  let shown = "";
  const show = (text: string, digitsBeforeCaret: number | null) => {
    const formatted = typed(text);
    shown = formatted.text;
    input.value = shown;
    if (shown.startsWith("+") && formatted.region) choose(formatted.region);
    if (digitsBeforeCaret !== null) {
      const at = positionAfter(shown, digitsBeforeCaret);
      input.setSelectionRange(at, at);
    }
  };

  input.addEventListener("input", (event) => {
    const caret = input.selectionStart ?? input.value.length;
    let text = input.value;
    let before = digitsOf(text.slice(0, caret));
    // What was deleted was only a bracket or a space, which would come back at once: the digit before it goes as well.
    const backwards = event instanceof InputEvent && event.inputType === "deleteContentBackward";
    if (backwards && before > 0 && text !== shown && digitsOf(text) === digitsOf(shown)) {
      const at = positionAfter(text, before);
      text = text.slice(0, at - 1) + text.slice(at);
      before--;
    }
    show(text, before);
  });
  select.addEventListener("change", () => {
    choose(select.value);
    show(input.value, null);
  });

  choose(draft.region);
  show(draft.phone, null);
  return {
    root: h("div", { part: "field" }, h("label", { part: "label", for: "phone" }, words.phone), box),
    value: (): Draft => ({ phone: input.value.trim(), region: select.value }),
    setInvalid: (invalid: boolean) => input.setAttribute("aria-invalid", String(invalid)),
    focus: () => input.focus(),
  };
}

/** An E.164 number with the spaces of its country. */
export const readable = (e164: string): string => new AsYouType(undefined, metadata).input(e164);

/** Where the browser's languages say that its person is. */
export function likelyRegion(wanted: readonly (string | null | undefined)[]): string {
  const regions: readonly string[] = getCountries(metadata);
  for (const tag of wanted) {
    const region = tag ? regionOf(tag) : undefined;
    if (region && regions.includes(region)) return region;
  }
  return "US";
}

function regionOf(tag: string): string | undefined {
  if (/^[a-z]{2}$/i.test(tag) && tag === tag.toUpperCase()) return tag;
  try {
    return new Intl.Locale(tag).maximize().region;
  } catch {
    return undefined;
  }
}

function countriesByName(tag: string): { code: CountryCode; name: string }[] {
  const names = new Intl.DisplayNames([tag, "en"], { type: "region" });
  const { compare } = new Intl.Collator(tag);
  return getCountries(metadata)
    .map((code) => ({ code, name: names.of(code) ?? code }))
    .sort((left, right) => compare(left.name, right.name));
}

const digitsOf = (text: string): number => asciiDigits(text).replace(/[^0-9+]/g, "").length;

/** The place in a text just behind its nth digit. */
function positionAfter(text: string, digits: number): number {
  let seen = 0;
  for (let at = 0; at < text.length; at++) {
    if (seen === digits) return at;
    if (/[0-9+]/.test(text[at] ?? "")) seen++;
  }
  return text.length;
}
