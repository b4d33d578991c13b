/**
 * The developer's side of the page: what a person would not choose, and what the service answered.
 *
 * @typedef {import("./settings.ts").DevSettings} DevSettings
 */
import { element, make } from "./dom.js";

/** Turnstile's published dummy token, which its test secret takes any number of times. */
const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

const LONGEST_SHOWN = 120;

/**
 * @param {HTMLElement} form follows the flow and the reference chosen here
 * @param {DevSettings} settings
 */
export function makeBench(form, settings) {
  const flow = element("flow", HTMLSelectElement);
  const reference = element("reference", HTMLInputElement);
  const client = element("client", HTMLInputElement);
  const kind = element("token", HTMLSelectElement);
  const again = element("token-again", HTMLOptionElement);
  let onceToken = "";

  flow.append(...settings.flows.map((name) => make("option", name)));
  flow.value = "default";
  flow.addEventListener("change", () => form.setAttribute("flow", flow.value));
  // At each letter: the form starts anew, and must not do so when the person has gone on to it.
  reference.addEventListener("input", () => {
    if (reference.value === "") form.removeAttribute("reference");
    else form.setAttribute("reference", reference.value);
  });

  return {
    /**
     * The token that a solved check yields.
     *
     * @returns {string | null}
     */
    captcha() {
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
          return null;
        default:
          return DUMMY_TOKEN;
      }
    },

    /**
     * Makes the form's requests from the client address chosen here, and shows what came back.
     *
     * @param {RequestInfo | URL} url
     * @param {RequestInit} [init]
     */
    async fetch(url, init) {
      const headers = new Headers(init?.headers);
      const ip = client.value.trim();
      if (ip !== "") headers.set("X-Tollgate-Dev-Client", JSON.stringify({ ip }));
      const line = `${init?.method ?? "GET"} ${url}`;
      try {
        const response = await fetch(url, { ...init, headers });
        show(`${line} → ${response.status}`, await response.clone().json());
        return response;
      } catch (error) {
        show(`${line} → no answer`, null);
        throw error;
      }
    },
  };
}

/**
 * @param {string} line
 * @param {unknown} body
 */
function show(line, body) {
  element("exchange-line", HTMLElement).textContent = line;
  element("exchange-body", HTMLElement).textContent = JSON.stringify(body, shorten, 2);
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
