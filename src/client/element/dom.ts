/**
 * A new element. All text enters the page here and as text, so that nothing a server says is ever read as HTML, and
 * Trusted Types have nothing to object to.
 *
 * @param attributes `true` sets an empty one; false, null and undefined none
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | null | undefined> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") made.setAttribute(name, value);
    else if (value) made.setAttribute(name, "");
  }
  made.append(...children);
  return made;
}

/** A sentence with an element in the place of its hole. */
export function sentenceWith(sentence: string, hole: string, element: Node): (Node | string)[] {
  const [before = "", after = ""] = sentence.split(hole);
  return [before, element, after];
}

/** A phone number, which reads from left to right in every script. */
export const phoneNumberElement = (text: string): HTMLElement =>
  h("bdi", { part: "number", dir: "ltr" }, text);

/** Shows that a button's work is under way. It is not disabled, because that would take the keyboard's focus from it. */
export function setBusy(button: HTMLElement, busy: boolean): void {
  button.setAttribute("aria-busy", String(busy));
}

/** Also while it waits for a challenge that it has brought up. */
export const isBusy = (button: HTMLElement): boolean =>
  button.matches("[aria-busy=true], [aria-disabled=true]");
