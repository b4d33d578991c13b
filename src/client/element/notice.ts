import { countDown, type Deadline } from "../client.ts";
import { h } from "./dom.ts";
import { explain, type Trouble } from "./trouble.ts";
import { fill, formatDuration, type Language } from "./words/words.ts";

export interface Notice {
  root: HTMLElement;
  /** Says what went wrong. */
  show(trouble: Trouble): void;
  /** Says how long there is to wait, and calls when it is over. */
  wait(until: Deadline, onOver: () => void): void;
  clear(): void;
}

/** The place of a step where it says what went wrong, and counts down to when trying again helps. */
export function makeNotice({ words, tag }: Language): Notice {
  const text = h("span", { role: "alert" });
  // Outside the alert: a screen reader would say each second aloud.
  const wait = h("span", { role: "timer" });
  const root = h("p", { part: "notice", id: "notice", hidden: true }, text, " ", wait);
  let stop = () => {};

  const say = (said: string, until: Deadline | null, onOver?: () => void) => {
    stop();
    stop = () => {};
    root.hidden = false;
    text.textContent = said;
    wait.textContent = "";
    if (!until) return;
    stop = countDown(until, (left) => {
      wait.textContent = left > 0 ? fill(words.waitFor, { t: formatDuration(left, tag) }) : "";
      if (left === 0) onOver?.();
    });
  };
  return {
    root,
    show(trouble) {
      const { text: said, retry } = explain(trouble, words);
      root.setAttribute("part", "notice");
      say(said, retry);
    },
    wait(until, onOver) {
      root.setAttribute("part", "notice notice-wait");
      say("", until, onOver);
    },
    clear() {
      stop();
      root.hidden = true;
      text.textContent = "";
    },
  };
}
