import { typedNumber } from "../../domain/kernel/typed-text.ts";
import { makeCountrySearch } from "./country-search.ts";
import { h } from "./dom.ts";
import { countDigits, countriesByName, formatNumber } from "./phone-numbers.ts";
import type { Language } from "./words/words.ts";

export interface PhoneDraft {
  /** As it stands in the field. */
  phone: string;
  /** ISO 3166-1 alpha-2; empty where nobody has chosen. */
  region: string;
}

/** Room for a pasted number with spaces, brackets and marks that nobody sees. */
const LONGEST_NUMBER = 80;

/** A phone number with the choice of its country, formatted as it is typed. A number with + brings its own country. */
export function makePhoneField({ words, tag }: Language, draft: PhoneDraft) {
  const countries = countriesByName(tag);
  const select = h(
    "select",
    { part: "country", "aria-label": words.country, autocomplete: "country" },
    ...countries.map(({ code, name, callingCode }) =>
      h("option", { value: code }, `${name} (${callingCode})`),
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

  const showCountry = () => {
    const country = countries.find(({ code }) => code === select.value);
    // A number that begins with its calling code shows it once.
    const isInternational = typedNumber(input.value).startsWith("+");
    chip.textContent = country ? country.code + (isInternational ? "" : ` ${country.callingCode}`) : "+";
  };

  let shown = "";
  const show = (typed: string, digitsBeforeCaret: number | null) => {
    const { text, country } = formatNumber(typed, select.value);
    shown = text;
    if (input.value !== text) input.value = text;
    if (text.startsWith("+") && country) select.value = country;
    showCountry();
    if (digitsBeforeCaret !== null) {
      const at = positionAfter(text, digitsBeforeCaret);
      input.setSelectionRange(at, at);
    }
  };
  const reformat = (isBackwards: boolean) => {
    const caret = input.selectionStart ?? input.value.length;
    let text = input.value;
    let before = countDigits(text.slice(0, caret));
    // What was deleted was only a bracket or a space, which would come back at once: the digit before it goes as well.
    if (isBackwards && before > 0 && text !== shown && countDigits(text) === countDigits(shown)) {
      const at = positionAfter(text, before);
      text = text.slice(0, at - 1) + text.slice(at);
      before--;
    }
    show(text, before);
  };

  input.addEventListener("input", (event) => {
    const { isComposing, inputType } = event as InputEvent;
    // An input method that composes keeps its own account of the text.
    if (isComposing) showCountry();
    else reformat(inputType === "deleteContentBackward");
  });
  input.addEventListener("compositionend", () => reformat(false));
  select.addEventListener("change", () => show(input.value, null));
  const search = makeCountrySearch(words, countries, {
    onFound({ code }) {
      select.value = code;
      show(input.value, null);
    },
    onDone: () => input.focus(),
  });

  select.value = draft.region;
  show(draft.phone, null);
  return {
    root: h("div", { part: "field" }, h("label", { part: "label", for: "phone" }, words.phone), box, search),
    /** For the service. */
    value: (): PhoneDraft => ({ phone: typedNumber(input.value), region: select.value }),
    /** To be shown again. */
    draft: (): PhoneDraft => ({ phone: input.value, region: select.value }),
    setInvalid: (invalid: boolean) => input.setAttribute("aria-invalid", String(invalid)),
    focus: () => input.focus(),
  };
}

/** The place in a text just behind its nth digit. */
function positionAfter(text: string, digits: number): number {
  let seen = 0;
  for (let at = 0; at < text.length; at++) {
    if (seen === digits) return at;
    if (/[0-9+]/.test(text[at] ?? "")) seen++;
  }
  return text.length;
}
