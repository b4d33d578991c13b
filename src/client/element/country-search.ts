import { h } from "./dom.ts";
import { type Country, countryFinder } from "./phone-numbers.ts";
import type { Words } from "./words/words.ts";

interface Needs {
  onFound(country: Country): void;
  /** The person has what they looked for, or gave up. */
  onDone(): void;
}

/** Finds a country by typing, for those to whom a list of two hundred is too long. It chooses in the list beside it. */
export function makeCountrySearch(words: Words, countries: readonly Country[], { onFound, onDone }: Needs) {
  const button = h("button", { part: "quiet", type: "button" }, words.search);
  const input = h("input", {
    part: "search",
    type: "search",
    "aria-label": words.search,
    placeholder: words.search,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "done",
    hidden: true,
  });
  const found = h("span", { part: "hint", role: "status" });
  let find: ReturnType<typeof countryFinder> | null = null;

  const open = (isOpen: boolean) => {
    input.hidden = !isOpen;
    button.hidden = isOpen;
    input.value = "";
    found.textContent = "";
  };
  button.addEventListener("click", () => {
    open(true);
    input.focus();
  });
  input.addEventListener("input", (event) => {
    if ((event as InputEvent).isComposing) return;
    find ??= countryFinder(countries);
    const country = find(input.value);
    if (country) onFound(country);
    found.textContent = country ? `${country.name} (${country.callingCode})` : "";
    input.setAttribute("aria-invalid", String(!country && input.value !== ""));
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
    // Enter would send the form.
    event.preventDefault();
    open(false);
    onDone();
  });
  return h("div", { part: "country-search" }, button, input, found);
}
