/**
 * `<tollgate-form>`: a phone number is asked for, a code is sent to it, the code is checked, and the page gets the proof.
 *
 * Attributes: `base-url`, `flow`, `reference`, `country`, `lang`, `dir`, `theme` (`light`, `dark`), `captcha-site-key`,
 * `remember-device`. Events: `sent`, `verified`, `refused`, whose `detail` is the outcome as `tollgate/client` types it.
 */
import { type Challenge, createTollgate, type DeviceTokens } from "../client.ts";
import { type CaptchaHook, PERSON_TIMEOUT_MS, solveTurnstile } from "./captcha.ts";
import { h } from "./dom.ts";
import { type Journey, startJourney } from "./journey.ts";
import type { Kit } from "./kit.ts";
import { sessionMemory } from "./memory.ts";
import type { NumberDraft } from "./number-step.ts";
import { likelyRegion } from "./phone-numbers.ts";
import { styleSheet } from "./styles.ts";
import { languageOf } from "./words/words.ts";

export type { Challenge, Refusal, Sent, Verified } from "../client.ts";
export type { CaptchaHook } from "./captcha.ts";
export type { Trouble } from "./trouble.ts";

const DEVICE_TOKEN = "tollgate-device-token";

/** What the service takes for the language of a message. */
const MESSAGE_LANGUAGE = /^[a-z]{2,8}(-[a-z0-9]{1,8}){0,4}$/i;

/** How long a challenge may go on without a word about it. */
const LATE_MS = 1500;

const emptyDraft = (): NumberDraft => ({ phone: "", region: "", pending: null, trouble: null });

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
  #draft: NumberDraft = emptyDraft();

  connectedCallback(): void {
    if (!this.#stage) this.#draw();
    if (this.#journey) this.#journey.resume();
    else this.#begin();
  }

  disconnectedCallback(): void {
    // An element that is moved in the page is out of it for a moment only.
    queueMicrotask(() => {
      if (!this.isConnected) this.#journey?.pause();
    });
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.#journey || before === after) return;
    // A session belongs to its service, flow and reference: with another one it would verify nothing.
    if (["base-url", "flow", "reference"].includes(name)) this.#restart(true);
    else this.#journey.repaint();
  }

  /** Back to an empty form. A code that is under way is forgotten, though it stays good at the service. */
  reset(): void {
    this.#memory().forget();
    this.#draft = emptyDraft();
    this.#restart(false);
  }

  /** @param keepsLate whether a message that leaves yet is remembered, should its flow come back */
  #restart(keepsLate: boolean): void {
    this.#journey?.leave(keepsLate);
    this.#journey = null;
    if (this.isConnected) this.#begin();
  }

  #draw(): void {
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styleSheet()];
    this.#stage = h("div", { part: "stage" });
    this.#status = h("div", { part: "status", role: "status" });
    root.append(h("div", { part: "card" }, this.#stage, this.#status));
  }

  #begin(): void {
    const { deviceTokens } = this;
    const client = createTollgate({
      baseUrl: this.getAttribute("base-url") ?? "",
      fetch: (...args) => {
        const { fetch } = this;
        return fetch ? fetch(...args) : globalThis.fetch(...args);
      },
      deviceTokens: deviceTokens ?? (this.hasAttribute("remember-device") ? browserTokens : undefined),
    });
    const kitNow = () => this.#kit(client);
    if (this.#stage) this.#journey = startJourney(this.#stage, this.#draft, this.#memory(), kitNow);
  }

  #kit(client: Kit["client"]): Kit {
    const wanted = [this.#lang(), ...navigator.languages].map((tag) => tag.replaceAll("_", "-"));
    const language = languageOf(wanted);
    const card = this.#stage?.parentElement;
    card?.setAttribute("dir", this.getAttribute("dir") ?? language.direction);
    card?.setAttribute("lang", language.tag);
    const siteKey = this.getAttribute("captcha-site-key");
    return {
      client,
      language,
      locale: wanted.find((tag) => MESSAGE_LANGUAGE.test(tag)),
      flow: this.getAttribute("flow") ?? undefined,
      reference: this.getAttribute("reference") ?? undefined,
      region: likelyRegion([this.getAttribute("country"), ...navigator.languages]),
      challenge: siteKey ? { provider: "turnstile", siteKey, action: "send", fresh: false } : null,
      announce: (text) => this.#status?.replaceChildren(text),
      emit: (name, detail) => {
        this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
      },
      solve: (challenge, signal, onQuestion) => this.#solve(challenge, language.tag, onQuestion, signal),
    };
  }

  async #solve(
    challenge: Challenge,
    language: string,
    onQuestion: () => void,
    signal: AbortSignal,
  ): Promise<string | null> {
    const place = h("div", { slot: "captcha" });
    const look = { language, theme: this.getAttribute("theme") ?? "auto" };
    // A widget that shows itself without saying so, or takes its time, wants its sentence too.
    const late = setTimeout(onQuestion, LATE_MS);
    this.append(place);
    try {
      if (!this.captcha) return await solveTurnstile(challenge, { place, look, onQuestion }, signal);
      return await Promise.race([
        this.captcha(challenge),
        new Promise<null>((resolve) => {
          const giveUp = setTimeout(resolve, PERSON_TIMEOUT_MS, null);
          signal.addEventListener("abort", () => {
            clearTimeout(giveUp);
            resolve(null);
          });
        }),
      ]);
    } catch {
      return null;
    } finally {
      clearTimeout(late);
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
