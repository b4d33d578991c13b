/**
 * `<tollgate-form>`: a phone number is asked for, a code is sent to it, the code is checked, and the page gets the proof.
 *
 * Attributes: `base-url`, `flow`, `reference`, `country`, `lang`, `dir`, `theme` (`light`, `dark`), `captcha-site-key`,
 * `remember-device`. Events: `sent`, `verified`, `refused`, whose `detail` is the outcome as `tollgate/client` types it.
 */
import { type Challenge, createTollgate, type DeviceTokens } from "../client.ts";
import { type CaptchaHook, solveTurnstile } from "./captcha.ts";
import { h } from "./dom.ts";
import { type Journey, startJourney } from "./journey.ts";
import type { Kit } from "./kit.ts";
import { sessionMemory } from "./memory.ts";
import { likelyRegion } from "./phone-field.ts";
import { styleSheet } from "./styles.ts";
import { languageOf } from "./words/words.ts";

export type { Challenge, Refusal, Sent, Verified } from "../client.ts";
export type { CaptchaHook } from "./captcha.ts";
export type { Trouble } from "./trouble.ts";

const DEVICE_TOKEN = "tollgate-device-token";

/** Where a page is rendered on a server there are no elements, and importing this must not fail. */
const Base = typeof HTMLElement === "function" ? HTMLElement : (class {} as typeof HTMLElement);

export class TollgateForm extends Base {
  static readonly observedAttributes = [
    "base-url",
    "flow",
    "reference",
    "country",
    "lang",
    "dir",
    "captcha-site-key",
  ];

  /** Solves challenges instead of the element's own Turnstile. */
  declare captcha?: CaptchaHook | undefined;
  /** Makes the requests instead of the global one. */
  declare fetch?: typeof globalThis.fetch | undefined;
  /** Where this device's token is kept; the attribute `remember-device` keeps it in `localStorage`. */
  declare deviceTokens?: DeviceTokens | undefined;

  #stage: HTMLElement | null = null;
  #status: HTMLElement | null = null;
  #journey: Journey | null = null;

  connectedCallback(): void {
    if (!this.#stage) this.#draw();
    this.#begin();
  }

  disconnectedCallback(): void {
    this.#journey?.leave();
    this.#journey = null;
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.#journey || before === after) return;
    // A session belongs to its service, flow and reference: with another one it would verify nothing.
    if (["base-url", "flow", "reference"].includes(name)) this.#begin();
    else this.#journey.repaint();
  }

  /** Back to an empty form. A code that is under way is forgotten, though it stays good at the service. */
  reset(): void {
    this.#memory().forget();
    if (this.isConnected) this.#begin();
  }

  #draw(): void {
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
    this.#stage = h("div", { part: "stage" });
    this.#status = h("div", { part: "status", role: "status" });
    root.append(h("div", { part: "card" }, this.#stage, h("slot", { name: "captcha" }), this.#status));
  }

  #begin(): void {
    this.#journey?.leave();
    const { deviceTokens } = this;
    const client = createTollgate({
      baseUrl: this.getAttribute("base-url") ?? "",
      fetch: (...args) => {
        const { fetch } = this;
        return fetch ? fetch(...args) : globalThis.fetch(...args);
      },
      deviceTokens: deviceTokens ?? (this.hasAttribute("remember-device") ? browserTokens : undefined),
    });
    if (this.#stage) this.#journey = startJourney(this.#stage, this.#memory(), () => this.#kit(client));
  }

  #kit(client: Kit["client"]): Kit {
    const language = languageOf([this.#lang(), ...navigator.languages]);
    const card = this.#stage?.parentElement;
    card?.setAttribute("dir", this.getAttribute("dir") ?? language.direction);
    card?.setAttribute("lang", language.tag);
    const siteKey = this.getAttribute("captcha-site-key");
    return {
      client,
      language,
      flow: this.getAttribute("flow") ?? undefined,
      reference: this.getAttribute("reference") ?? undefined,
      region: likelyRegion([this.getAttribute("country"), ...navigator.languages]),
      challenge: siteKey ? { provider: "turnstile", siteKey, action: "send", fresh: false } : null,
      announce: (text) => this.#status?.replaceChildren(text),
      emit: (name, detail) => {
        this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
      },
      solve: (challenge, signal) => this.#solve(challenge, language.tag, signal),
    };
  }

  async #solve(challenge: Challenge, language: string, signal: AbortSignal): Promise<string | null> {
    const place = h("div", { slot: "captcha" });
    this.append(place);
    try {
      if (this.captcha) return await this.captcha(challenge);
      return await solveTurnstile(
        challenge,
        place,
        { language, theme: this.getAttribute("theme") ?? "auto" },
        signal,
      );
    } catch {
      return null;
    } finally {
      place.remove();
    }
  }

  #lang(): string {
    const from = this.closest("[lang]") ?? document.documentElement;
    return from.getAttribute("lang") ?? "";
  }

  #memory() {
    return sessionMemory(
      ["base-url", "flow", "reference"].map((name) => this.getAttribute(name) ?? "").join(" "),
    );
  }
}

/** Access is refused in some frames; the client takes that as no token. */
const browserTokens: DeviceTokens = {
  get: () => localStorage.getItem(DEVICE_TOKEN),
  set: (token) => localStorage.setItem(DEVICE_TOKEN, token),
};

declare global {
  interface HTMLElementTagNameMap {
    "tollgate-form": TollgateForm;
  }
}

if (typeof customElements === "object" && !customElements.get("tollgate-form")) {
  customElements.define("tollgate-form", TollgateForm);
}
