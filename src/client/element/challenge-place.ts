import { h, setBusy } from "./dom.ts";
import type { Words } from "./words/words.ts";

/** Where a step shows the widget of a challenge, with the sentence that goes with it. */
export interface ChallengePlace {
  root: HTMLElement;
  /** A widget may be in sight: says why, and ends the sign of work that would cover it. */
  ask(): void;
  /** The challenge is over, and the work goes on. */
  end(): void;
}

/** @param button started what needs the challenge, and cannot be pressed meanwhile */
export function makeChallengePlace(words: Words, button: () => HTMLElement | null): ChallengePlace {
  const sentence = h("p", { part: "hint", role: "status" });
  // The slot is there all the time: a widget measures its place before it shows itself.
  const root = h("div", { part: "challenge" }, sentence, h("slot", { name: "captcha" }));
  const set = (isAsking: boolean) => {
    const pressed = button();
    if (!pressed || isAsking === pressed.matches("[aria-disabled=true]")) return;
    sentence.textContent = isAsking ? words.human : "";
    root.setAttribute("part", isAsking ? "challenge challenge-asks" : "challenge");
    setBusy(pressed, !isAsking);
    pressed.setAttribute("aria-disabled", String(isAsking));
  };
  return { root, ask: () => set(true), end: () => set(false) };
}
