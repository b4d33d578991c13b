import { countDown, deadlineIn, type Sent, type Verified } from "../client.ts";
import { makeCodeField } from "./code-field.ts";
import { h, isBusy, numberOf, sentenceWith, setBusy } from "./dom.ts";
import type { Kit, Step } from "./kit.ts";
import { makeNotice } from "./notice.ts";
import { makeResends } from "./resends.ts";
import { endsSession, type Trouble } from "./trouble.ts";
import { codeFromMessage } from "./web-otp.ts";
import { duration, fill } from "./words/words.ts";

interface Needs {
  onVerified(verified: Verified): void;
  /** Another message is out. */
  onSent(sent: Sent): void;
  /** The person wants another number, or must ask anew: then with the reason. */
  onLeave(trouble: Trouble | null): void;
}

/** The second step: the code out of the message. */
export function codeStep(kit: Kit, sent: Sent, { onVerified, onSent, onLeave }: Needs): Step {
  const { client, language, reference } = kit;
  const { words, tag } = language;
  const { session, codeLength } = sent;
  const leaving = new AbortController();
  const { signal } = leaving;
  const notice = makeNotice(language);
  const button = h("button", { part: "button", type: "submit" }, words.verify);
  const form = h("form", { part: "form", novalidate: true });
  const field = makeCodeField(fill(words.code, { n: codeLength }), codeLength, () => {
    if (field.value() !== lastRefused) form.requestSubmit();
  });
  const life = h("span", { role: "timer", id: "life" });
  const attempts = h("span", { role: "status" });
  const change = h("button", { part: "quiet", type: "button" }, words.change);
  const resends = makeResends(kit, sent, signal, { onSent, onTrouble: refuse }, change);
  const saying = sent.channel === "voice" ? words.byVoice : words.bySent;
  let lastRefused = "";
  /** When the next code is looked at. */
  let open = deadlineIn(0);

  form.append(field.root, notice.root, button, h("p", { part: "hint facts" }, life, " ", attempts));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy(button) || !open.isOver()) return;
    setBusy(button, true);
    await verify();
    setBusy(button, false);
  });
  change.addEventListener("click", () => onLeave(null));
  const stopLife = countDown(sent.codeExpires, (left) => {
    if (left > 0) life.textContent = fill(words.life, { t: duration(left, tag) });
    else {
      life.textContent = "";
      notice.show({ kind: "expired" });
    }
  });
  showAttempts(sent.attemptsLeft);
  void fillFromMessage();

  return {
    root: h(
      "div",
      {},
      h("h2", { part: "title" }, words.codeTitle),
      h("p", { part: "lede" }, ...sentenceWith(saying, "{phone}", numberOf(sent.maskedPhone))),
      form,
      resends.root,
    ),
    focus: field.focus,
    leave() {
      leaving.abort();
      stopLife();
      resends.stop();
      notice.clear();
    },
  };

  async function verify(): Promise<void> {
    const code = field.value();
    if (sent.codeExpires.isOver()) return refuse({ kind: "expired" });
    if (code.length !== codeLength) return refuse({ kind: "code_incomplete" });
    notice.clear();
    field.setInvalid(false);
    const outcome = await client.verify({ session, code, reference }, { signal });
    if (signal.aborted) return;
    if (outcome.kind === "verified") return onVerified(outcome);
    if (outcome.kind === "code_incorrect") lastRefused = code;
    refuse(outcome);
    if (!signal.aborted) field.focus();
  }

  function refuse(trouble: Trouble): void {
    if (trouble.kind === "aborted") return;
    kit.emit("refused", trouble);
    if (endsSession(trouble)) {
      onLeave(trouble);
      return;
    }
    notice.show(trouble);
    field.setInvalid(/^code_|expired/.test(trouble.kind));
    if ("attemptsLeft" in trouble) {
      open = trouble.retry;
      sent.attemptsLeft = trouble.attemptsLeft;
      showAttempts(trouble.attemptsLeft);
    }
  }

  function showAttempts(left: number): void {
    attempts.textContent = fill(words.attempts, { n: left });
  }

  async function fillFromMessage(): Promise<void> {
    const code = await codeFromMessage(signal);
    if (code !== null && !signal.aborted) field.set(code);
  }
}
