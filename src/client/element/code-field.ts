import { codeIn } from "../../domain/kernel/typed-text.ts";
import { h } from "./dom.ts";

interface Needs {
  onChange(): void;
  /** The last digit has come. */
  onComplete(): void;
}

/**
 * The code, as one input over drawn boxes: autofill, paste, backspace and screen readers find an ordinary field, and the
 * eye finds a box for each digit.
 */
export function makeCodeField(label: string, length: number, { onChange, onComplete }: Needs) {
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
  const value = () => codeIn(input.value, length);
  let last = "";
  const changed = () => {
    mark();
    onChange();
    const before = last;
    last = value();
    // Once for each complete code: browsers end a composition with one event or with two.
    if (last !== before && last.length === length) onComplete();
  };
  const write = (text: string) => {
    const code = codeIn(text, length);
    if (code !== input.value) input.value = code;
  };
  /** What was pasted, or put in by a keyboard's suggestion, beside what stood there. */
  const wholeCodeIn = (text: string | null | undefined) => {
    const code = codeIn(text ?? "", length);
    return code.length === length ? code : null;
  };

  input.addEventListener("input", (event) => {
    const { data, isComposing } = event as InputEvent;
    // An input method that composes keeps its own account of the text.
    if (isComposing) return mark();
    write(wholeCodeIn(data) ?? input.value);
    changed();
  });
  input.addEventListener("compositionend", () => {
    write(input.value);
    changed();
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    const code = wholeCodeIn(text);
    // A few digits go where the caret is. A message without a code does not replace what was typed.
    if (code === null && codeIn(text, length) !== "") return;
    event.preventDefault();
    if (code === null) return;
    write(code);
    changed();
  });
  for (const name of ["focus", "blur", "keyup", "pointerup", "select"]) input.addEventListener(name, mark);

  return {
    root: h("div", { part: "field" }, h("label", { part: "label", for: "code" }, label), box),
    value,
    /** @param text the code, or a message with it */
    set(text: string) {
      write(text);
      last = value();
      mark();
    },
    setInvalid: (invalid: boolean) => input.setAttribute("aria-invalid", String(invalid)),
    focus: () => {
      input.focus();
      input.select();
      mark();
    },
  };
}
