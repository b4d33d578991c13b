import { codeIn } from "./digits.ts";
import { h } from "./dom.ts";

/**
 * The code, as one input over drawn boxes: autofill, paste, backspace and screen readers find an ordinary field, and the
 * eye finds a box for each digit.
 *
 * @param onComplete called when the last digit has come
 */
export function makeCodeField(label: string, length: number, onComplete: () => void) {
  const cells = Array.from({ length }, () => h("span", { part: "cell" }));
  const input = h("input", {
    part: "code",
    id: "code",
    type: "text",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    autocapitalize: "off",
    autocorrect: "off",
    spellcheck: "false",
    enterkeyhint: "done",
    "aria-describedby": "notice life",
  });
  const box = h(
    "div",
    { part: "code-box", dir: "ltr" },
    h("div", { part: "cells", "aria-hidden": "true" }, ...cells),
    input,
  );
  box.style.setProperty("--n", String(length));

  const mark = () => {
    const from = Math.min(input.selectionStart ?? 0, length - 1);
    const to = Math.max(input.selectionEnd ?? 0, from + 1);
    const focused = input.matches(":focus");
    for (const [index, cell] of cells.entries()) {
      const part = focused && index >= from && index < to ? "cell cell-active" : "cell";
      if (cell.getAttribute("part") !== part) cell.setAttribute("part", part);
    }
  };
  const set = (text: string) => {
    const before = input.value;
    const code = codeIn(text, length);
    if (code !== before) input.value = code;
    mark();
    if (code.length === length) onComplete();
  };
  input.addEventListener("input", () => set(input.value));
  for (const name of ["focus", "blur", "keyup", "pointerup", "select"]) input.addEventListener(name, mark);

  return {
    root: h("div", { part: "field" }, h("label", { part: "label", for: "code" }, label), box),
    value: () => input.value,
    set,
    setInvalid: (invalid: boolean) => input.setAttribute("aria-invalid", String(invalid)),
    focus: () => {
      input.focus();
      input.select();
      mark();
    },
  };
}
