/**
 * The developer's side of the page: what a person would not choose, and what the service answered.
 *
 * @typedef {import("./settings.ts").DevSettings} DevSettings
 * @typedef {ReturnType<typeof makeBench>} Bench
 */
import { element, make } from "./dom.js";

/** Turnstile's published dummy token, which its test secret takes any number of times. */
const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

const LONGEST_SHOWN = 120;

/** @param {DevSettings} settings */
export function makeBench(settings) {
  const flow = element("flow", HTMLSelectElement);
  const reference = element("reference", HTMLInputElement);
  const client = element("client", HTMLInputElement);
  const kind = element("token", HTMLSelectElement);
  const again = element("token-again", HTMLOptionElement);
  let onceToken = "";

  flow.append(...settings.flows.map((name) => make("option", name)));
  for (const link of document.querySelectorAll("a.inbox")) {
    if (link instanceof HTMLAnchorElement && settings.inbox_url) link.href = settings.inbox_url;
  }

  return {
    flow: () => flow.value,

    /** @returns {{ reference?: string }} */
    reference: () => (reference.value === "" ? {} : { reference: reference.value }),

    /** @returns {Record<string, string>} */
    clientHeader: () => {
      const ip = client.value.trim();
      return ip === "" ? {} : { "X-Tollgate-Dev-Client": JSON.stringify({ ip }) };
    },

    /**
     * The token that a solved check yields.
     *
     * @returns {string | undefined}
     */
    token() {
      switch (kind.value) {
        case "once":
          onceToken = `once-${crypto.randomUUID()}`;
          again.disabled = false;
          return onceToken;
        case "again":
          return onceToken;
        case "forged":
          return "not-a-real-token";
        case "none":
          return undefined;
        default:
          return DUMMY_TOKEN;
      }
    },

    /** @param {import("./api.js").Exchange} exchange */
    showExchange({ request, status, body }) {
      element("exchange-line", HTMLElement).textContent = `${request} → ${status ?? "no answer"}`;
      element("exchange-body", HTMLElement).textContent = JSON.stringify(body, shorten, 2);
    },
  };
}

/**
 * Tokens are long and would hide the rest.
 *
 * @param {string} _key
 * @param {unknown} value
 */
function shorten(_key, value) {
  const isLong = typeof value === "string" && value.length > LONGEST_SHOWN;
  return isLong ? `${value.slice(0, 16)}… (${value.length} characters)` : value;
}

/**
 * Stands in for the Turnstile widget, which comes from the internet and is not loaded here.
 *
 * @param {HTMLElement} root gets the widget
 * @param {() => string | undefined} newToken
 */
export function makeHumanCheck(root, newToken) {
  const template = element("human-check", HTMLTemplateElement);
  root.append(template.content.cloneNode(true));
  const box = root.querySelector("input");
  if (!box) throw new Error("the human check has no box");
  return {
    /** @returns {{ captcha_token?: string }} */
    answer() {
      const token = box.checked ? newToken() : undefined;
      return token === undefined ? {} : { captcha_token: token };
    },
    /** A token is good once, so whatever used it needs another. */
    reset() {
      box.checked = false;
    },
    focus: () => box.focus(),
  };
}
