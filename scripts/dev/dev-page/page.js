/** The form at work, with the phone it sends to and the proof it gives beside it. */
import { makeBench } from "./bench.js";
import { element } from "./dom.js";
import { watchInbox } from "./inbox.js";
import { makeProofPanel } from "./proof-panel.js";

/** @typedef {HTMLElement & { reset(): void }} Form */

const form = /** @type {Form} */ (element("form", HTMLElement));
const settings = await readSettings();
const { captcha, fetch: observedFetch } = makeBench(form, settings);
const proof = makeProofPanel();

Object.assign(form, { captcha, fetch: observedFetch });
// The first send brings a token then, instead of being refused without one.
if (settings.captcha_site_key) form.setAttribute("captcha-site-key", settings.captcha_site_key);
form.addEventListener("verified", (event) => {
  if (event instanceof CustomEvent) void proof.show(event.detail.proof);
});
element("again", HTMLButtonElement).addEventListener("click", () => {
  proof.hide();
  form.reset();
});
for (const name of ["lang", "theme", "dir"]) {
  const choice = element(name, HTMLSelectElement);
  choice.addEventListener("change", () => {
    if (choice.value === "") form.removeAttribute(name);
    else form.setAttribute(name, choice.value);
  });
}
if (settings.inbox_url) {
  const link = element("inbox-link", HTMLAnchorElement);
  link.href = settings.inbox_url;
  link.hidden = false;
  watchInbox();
}
// Last: whoever is quick to press a button has a form that is wired by then.
const ELEMENT_SCRIPT = "/element.js";
await import(ELEMENT_SCRIPT);

/**
 * The form works without them.
 *
 * @returns {Promise<import("./settings.ts").DevSettings>}
 */
async function readSettings() {
  try {
    const response = await fetch("/dev/settings.json");
    if (response.ok) return await response.json();
  } catch {
    // The first send will say that the service cannot be reached.
  }
  return { flows: ["default"], captcha_site_key: null, inbox_url: null };
}
