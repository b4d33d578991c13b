import { countDown } from "../client.ts";
import { h } from "./dom.ts";
import { explain, type Trouble } from "./trouble.ts";
import { duration, fill, type Language } from "./words/words.ts";

export interface Notice {
  root: HTMLElement;
  show(trouble: Trouble): void;
  clear(): void;
}

/** The place of a step where it says what went wrong, and counts down to when trying again helps. */
export function makeNotice({ words, tag }: Language): Notice {
  const text = h("span", { role: "alert" });
  // Outside the alert: a screen reader would say each second aloud.
  const wait = h("span", { role: "timer" });
  const root = h("p", { part: "notice", id: "notice", hidden: true }, text, " ", wait);
  let stop = () => {};

  return {
    root,
    show(trouble) {
      const { text: said, retry } = explain(trouble, words);
      stop();
      root.hidden = false;
      text.textContent = said;
      wait.textContent = "";
      if (!retry) return;
      stop = countDown(retry, (left) => {
        wait.textContent = left > 0 ? fill(words.waitFor, { t: duration(left, tag) }) : "";
      });
    },
    clear() {
      stop();
      root.hidden = true;
      text.textContent = "";
    },
  };
}
