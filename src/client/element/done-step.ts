import type { Verified } from "../client.ts";
import { h, phoneNumberElement } from "./dom.ts";
import type { Kit, Step } from "./kit.ts";
import { internationalNumber } from "./phone-numbers.ts";

/** The end: the number is verified. */
export function doneStep({ language }: Kit, { phone }: Verified): Step {
  const title = h("h2", { part: "title", tabindex: "-1" }, language.words.done);
  return {
    root: h(
      "div",
      { part: "done" },
      h("span", { part: "tick", "aria-hidden": "true" }),
      title,
      h("p", { part: "lede" }, phoneNumberElement(internationalNumber({ phone, region: "" }) || phone)),
    ),
    focus: () => title.focus(),
    leave() {},
  };
}
