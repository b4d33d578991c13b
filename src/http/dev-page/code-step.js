/**
 * The second step: the code from the message, with everything that can happen to it on the way.
 *
 * @typedef {import("./api.js").SendAnswer} SendAnswer
 */
import { makeHumanCheck } from "./bench.js";
import { countDown, duration, pause } from "./clock.js";
import { element, isBusy, make, setBusy } from "./dom.js";
import { makeNotice } from "./notice.js";
import { AGAIN_BY, DELIVERY, isFinal } from "./words.js";

/** How often the page asks what became of the message. */
const WATCH_MS = 3000;

/**
 * @param {object} needs
 * @param {import("./api.js").Api} needs.api
 * @param {import("./bench.js").Bench} needs.bench
 * @param {(verified: import("./api.js").VerifyAnswer) => void} needs.onVerified
 * @param {() => void} needs.onLeave the person wants another number, or must start again
 */
export function makeCodeStep({ api, bench, onVerified, onLeave }) {
  const section = element("code-step", HTMLElement);
  const input = element("code", HTMLInputElement);
  const button = element("verify", HTMLButtonElement);
  const resends = element("resends", HTMLElement);
  const leave = element("leave", HTMLButtonElement);
  const life = element("code-life", HTMLElement);
  const notice = makeNotice(element("code-notice", HTMLElement));
  const resendNotice = makeNotice(element("resend-notice", HTMLElement));
  const check = makeHumanCheck(element("resend-check", HTMLElement), bench.token);

  /** @type {SendAnswer | null} the session on the page */
  let current = null;
  /** Why the code may not be checked now. */
  const held = { runOut: false, waiting: false };
  /** @type {(() => void)[]} */
  let stops = [];

  input.addEventListener("input", () => {
    // A code is pasted with spaces, or with the whole message around it.
    const digits = input.value.normalize("NFKC").replace(/\D/g, "");
    input.value = digits.slice(0, current?.code_length);
  });
  element("code-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    if (current === null || button.disabled || isBusy(button)) return;
    setBusy(button, true);
    await verify(current);
    setBusy(button, false);
  });
  element("resend-form", HTMLFormElement).addEventListener("submit", async (event) => {
    event.preventDefault();
    const pressed = event.submitter;
    if (current === null || !(pressed instanceof HTMLButtonElement) || isBusy(pressed)) return;
    setBusy(pressed, true);
    await resend(current, pressed.value);
    setBusy(pressed, false);
  });
  leave.addEventListener("click", () => {
    close();
    onLeave();
  });
  return { show };

  /** @param {SendAnswer} sent */
  function show(sent) {
    close();
    current = sent;
    input.value = "";
    element("sent-to", HTMLElement).textContent = sent.masked_phone;
    setOver(false);
    hold({ runOut: false, waiting: false });
    element("delivery", HTMLElement).textContent = "";
    showAttempts(sent.attempts_left);
    stops = [countDown(sent.expires_in_seconds, showLife), ...offerResends(sent), watch(sent)];
    input.focus();
  }

  function close() {
    for (const stop of stops) stop();
    stops = [];
    current = null;
    notice.clear();
    resendNotice.clear();
    check.reset();
    input.ariaInvalid = "false";
  }

  /** @param {SendAnswer} sent */
  async function verify(sent) {
    if (input.value.length !== sent.code_length) return refuse({ code: "code_incomplete" });
    const answer = await api.verify({ session: sent.session, code: input.value, ...bench.reference() });
    if (isLeft(sent)) return;
    if (!answer.ok) return refuse(answer.refusal);
    close();
    onVerified(answer.value);
  }

  /** @param {import("./words.js").Refusal} refusal */
  function refuse(refusal) {
    if (isFinal(refusal)) return end(refusal);
    notice.show(refusal);
    const waitSeconds = refusal.retry_in_seconds ?? refusal.retry_after ?? 0;
    stops.push(countDown(waitSeconds, (left) => hold({ waiting: left > 0 })));
    if (refusal.attempts_left !== undefined) showAttempts(refusal.attempts_left);
    input.ariaInvalid = String(refusal.code.startsWith("code_"));
    input.focus();
    input.select();
  }

  /**
   * @param {SendAnswer} sent
   * @param {string} channel
   */
  async function resend(sent, channel) {
    const answer = await api.send({ session: sent.session, channel, ...check.answer() });
    if (isLeft(sent)) return;
    if (answer.ok) return show(answer.value);
    const { refusal } = answer;
    if (isFinal(refusal)) return end(refusal);
    resendNotice.show(refusal);
    check.reset();
    if (refusal.code.startsWith("challenge_")) check.focus();
  }

  /**
   * Whether the person has gone on to something else while an answer was on its way.
   *
   * @param {SendAnswer} sent
   */
  function isLeft({ session }) {
    return current?.session !== session;
  }

  /** @param {import("./words.js").Refusal} refusal */
  function end(refusal) {
    // The button that has the focus may go; someone at work elsewhere is not disturbed.
    const wasHere = section.contains(document.activeElement);
    close();
    notice.show(refusal);
    setOver(true);
    if (wasHere) leave.focus();
  }

  /** @param {boolean} over whether starting again is all that is left to do */
  function setOver(over) {
    section.classList.toggle("over", over);
    input.readOnly = over;
    leave.className = over ? "main" : "quiet";
    leave.textContent = over ? "Start again" : "Change number";
  }

  /** @param {number} left */
  function showLife(left) {
    life.textContent = left > 0 ? `Good for ${duration(left)}` : "It has run out";
    if (left === 0) hold({ runOut: true });
  }

  /** @param {Partial<typeof held>} change */
  function hold(change) {
    Object.assign(held, change);
    button.disabled = held.runOut || held.waiting;
  }

  /** @param {SendAnswer} sent */
  function offerResends({ next_channels: channels }) {
    element("resend-none", HTMLElement).hidden = channels.length > 0;
    element("resend-some", HTMLElement).hidden = channels.length === 0;
    resends.replaceChildren();
    return channels.map(({ channel, available_in_seconds: seconds }) => {
      const again = Object.assign(make("button", ""), { value: channel });
      resends.append(again);
      return countDown(seconds, (left) => {
        again.disabled = left > 0;
        again.textContent = left > 0 ? `${AGAIN_BY[channel]} in ${duration(left)}` : AGAIN_BY[channel];
      });
    });
  }

  /**
   * Asks after the message until the step is left.
   *
   * @param {SendAnswer} sent
   */
  function watch({ session }) {
    let watched = true;
    const look = async () => {
      while (watched) {
        const answer = await api.session(session);
        if (!watched) return;
        if (answer.ok) showDelivery(answer.value);
        else if (isFinal(answer.refusal)) return end(answer.refusal);
        await pause(WATCH_MS);
      }
    };
    void look();
    return () => {
      watched = false;
    };
  }

  /** @param {import("./api.js").SessionAnswer} session */
  function showDelivery({ delivery, sends, attempts_left: attemptsLeft }) {
    const place = element("delivery", HTMLElement);
    const words = sends > 1 ? `${DELIVERY[delivery]} (${sends} sent)` : DELIVERY[delivery];
    // Only a change is news to a screen reader.
    if (place.textContent !== words) place.textContent = words;
    showAttempts(attemptsLeft);
  }

  /** @param {number} left */
  function showAttempts(left) {
    element("attempts", HTMLElement).textContent = `${left} left`;
  }
}
