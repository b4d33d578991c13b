import { countDown, duration } from "./clock.js";
import { make } from "./dom.js";
import { explain } from "./words.js";

/**
 * The place of a step where its refusals are told.
 *
 * @param {HTMLElement} root
 */
export function makeNotice(root) {
  const told = make("div", "");
  told.role = "alert";
  const wait = make("p", "");
  // Outside the alert: a screen reader would say each second aloud.
  wait.role = "timer";
  root.append(told, wait);
  let stop = () => {};

  return {
    /** @param {import("./words.js").Refusal} refusal */
    show(refusal) {
      const { title, advice, faults, waitSeconds } = explain(refusal);
      const list = make("ul", "");
      list.append(...faults.map((fault) => make("li", fault)));
      root.hidden = false;
      told.replaceChildren(
        make("strong", title),
        ...(advice === "" ? [] : [make("p", advice)]),
        ...(faults.length === 0 ? [] : [list]),
      );
      stop();
      wait.hidden = waitSeconds === 0;
      if (waitSeconds === 0) return;
      stop = countDown(waitSeconds, (left) => {
        wait.textContent = left > 0 ? `You can try again in ${duration(left)}` : "You can try again now";
      });
    },

    clear() {
      stop();
      root.hidden = true;
      told.replaceChildren();
    },
  };
}
