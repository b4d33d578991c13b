/**
 * An element of the page by its id.
 *
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return found;
}

/**
 * A new element with text in it. Whatever a server said enters the page as text, here and nowhere else.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} text
 */
export function make(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/**
 * Shows that a button's work is under way. It is not disabled, because that would take the keyboard's focus from it.
 *
 * @param {HTMLButtonElement} button
 * @param {boolean} busy
 */
export function setBusy(button, busy) {
  button.ariaBusy = String(busy);
}

/** @param {HTMLButtonElement} button */
export const isBusy = (button) => button.ariaBusy === "true";
