import { makeHumanCheck } from "./bench.js";
import { element, isBusy, make, setBusy } from "./dom.js";
import { makeNotice } from "./notice.js";
import { likelyRegion, regions } from "./regions.js";

/** Refusals that come before anybody looks at the human check: its token is still good. */
const CHECK_UNTOUCHED = ["invalid_request", "number_invalid", "number_type_refused", "country_not_served"];

/**
 * The first step: a number, a human check, and a code is on its way.
 *
 * @param {object} needs
 * @param {import("./api.js").Api} needs.api
 * @param {import("./bench.js").Bench} needs.bench
 * @param {(sent: import("./api.js").SendAnswer) => void} needs.onSent
 */
export function makeNumberStep({ api, bench, onSent }) {
  const phone = element("phone", HTMLInputElement);
  const region = element("region", HTMLSelectElement);
  const button = element("send", HTMLButtonElement);
  const notice = makeNotice(element("number-notice", HTMLElement));
  const check = makeHumanCheck(element("number-check", HTMLElement), bench.token);

  region.append(...regions().map(({ code, name }) => Object.assign(make("option", name), { value: code })));
  region.value = likelyRegion();

  element("number-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy(button)) return;
    setBusy(button, true);
    await send();
    setBusy(button, false);
  });
  return { focus: () => phone.focus() };

  async function send() {
    // Numbers copied from address books come with invisible direction marks.
    const number = phone.value.replace(/\p{Cf}/gu, "").trim();
    markNumber(false);
    if (number === "") return refuse({ code: "number_missing" });
    const answer = await api.send({
      phone: number,
      ...(region.value === "" ? {} : { region: region.value }),
      flow: bench.flow(),
      ...bench.reference(),
      ...check.answer(),
    });
    if (!answer.ok) return refuse(answer.refusal);
    check.reset();
    notice.clear();
    onSent(answer.value);
  }

  /** @param {import("./words.js").Refusal} refusal */
  function refuse(refusal) {
    notice.show(refusal);
    const ofNumber = /^(number|country)_/.test(refusal.code);
    if (ofNumber) {
      markNumber(true);
      phone.focus();
    }
    if (refusal.code.startsWith("challenge_")) check.focus();
    if (!ofNumber && !CHECK_UNTOUCHED.includes(refusal.code)) check.reset();
  }

  /** @param {boolean} wrong */
  function markNumber(wrong) {
    phone.ariaInvalid = String(wrong);
  }
}
