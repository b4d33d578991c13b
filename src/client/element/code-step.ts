import {
  countDown,
  type Deadline,
  deadlineIn,
  newIdempotencyKey,
  type Sent,
  type Verified,
} from "../client.ts";
import { makeCodeField } from "./code-field.ts";
import { h, phoneNumberElement, sentenceWith } from "./dom.ts";
import type { Step, StepKit } from "./kit.ts";
import { makeNotice } from "./notice.ts";
import type { Pending } from "./number-step.ts";
import { makeResends } from "./resends.ts";
import { endsSession, isUnsettled, type Trouble } from "./trouble.ts";
import { codeFromMessage } from "./web-otp.ts";
import { fill, formatDuration } from "./words/words.ts";

/** What the person typed, and what came of it. */
export interface CodeEntry {
  code: string;
  pending: Pending | null;
  /** null once they type. */
  trouble: Trouble | null;
  /** The code that was refused last; empty before one was. */
  refused: string;
  /** When the next code is looked at. */
  open: Deadline;
}

export const emptyEntry = (): CodeEntry => ({
  code: "",
  pending: null,
  trouble: null,
  refused: "",
  open: deadlineIn(0),
});

/** What lives longer than the step: where the code went, and what was typed of it. */
export interface CodeDraft extends CodeEntry {
  sent: Sent;
  /** "We sent a code to {phone}." */
  saying: string;
  /** As it may be shown: whole where this page knows it. */
  phone: string;
}

interface Needs {
  onVerified(verified: Verified): void;
  /** Another message is out. */
  onSent(sent: Sent): void;
  /** The person wants another number, or must ask anew: then with the reason. */
  onLeave(trouble: Trouble | null): void;
}

/** The second step: the code out of the message. */
export function codeStep(kit: StepKit, draft: CodeDraft, { onVerified, onSent, onLeave }: Needs): Step {
  const { client, language, reference, work } = kit;
  const { words, tag } = language;
  const { sent } = draft;
  const { session, codeLength } = sent;
  const leaving = new AbortController();
  const { signal } = leaving;
  const notice = makeNotice(language);
  const button = h("button", { part: "button", type: "submit" }, words.verify);
  const form = h("form", { part: "form", novalidate: true });
  const field = makeCodeField(fill(words.code, { n: codeLength }), codeLength, {
    onChange() {
      draft.code = field.value();
      clear();
    },
    onComplete() {
      if (field.value() !== draft.refused) form.requestSubmit();
    },
  });
  const life = h("span", { role: "timer", id: "life" });
  const attempts = h("span", { role: "status" });
  const change = h("button", { part: "quiet", type: "button" }, words.change);
  const resends = makeResends(kit, sent, signal, { onSent, onTrouble: refuse }, change);

  form.append(field.root, notice.root, button, h("p", { part: "hint facts" }, life, " ", attempts));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (draft.open.isOver()) void work.run(button, verify);
    else waitForOpening();
  });
  change.addEventListener("click", () => onLeave(null));
  showAttempts(sent.attemptsLeft);
  const stopLife = countDown(sent.codeExpires, (left) => {
    if (left > 0) life.textContent = fill(words.life, { t: formatDuration(left, tag) });
    else {
      life.textContent = attempts.textContent = "";
      draft.trouble = { kind: "expired" };
      notice.show(draft.trouble);
    }
  });
  field.set(draft.code);
  if (draft.trouble) show(draft.trouble);
  void fillFromMessage();

  return {
    root: h(
      "div",
      {},
      h("h2", { part: "title" }, words.codeTitle),
      h("p", { part: "lede" }, ...sentenceWith(draft.saying, "{phone}", phoneNumberElement(draft.phone))),
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
    clear();
    // What was asked and not answered is asked again, not anew: it may have counted.
    if (draft.pending?.request !== code) draft.pending = { request: code, key: newIdempotencyKey() };
    // Not aborted by leaving: a right code is used up, and its proof would be lost.
    const outcome = await client.verify({ session, code, reference }, { idempotencyKey: draft.pending.key });
    if (!isUnsettled(outcome)) draft.pending = null;
    if (outcome.kind === "verified") return onVerified(outcome);
    if (signal.aborted) return;
    if (outcome.kind === "code_incorrect") draft.refused = code;
    refuse(outcome);
    if (!signal.aborted) field.focus();
  }

  /** A code that comes too early is not sent in vain, but as soon as it is looked at. */
  function waitForOpening(): void {
    notice.wait(draft.open, () => {
      notice.clear();
      if (field.value().length === codeLength) form.requestSubmit();
    });
    kit.announce(fill(words.waitFor, { t: formatDuration(draft.open.secondsLeft(), tag) }));
  }

  function refuse(trouble: Trouble): void {
    if (trouble.kind === "aborted") return;
    kit.emit("refused", trouble);
    if (endsSession(trouble)) {
      onLeave(trouble);
      return;
    }
    draft.trouble = trouble;
    show(trouble);
    if ("attemptsLeft" in trouble) {
      draft.open = trouble.retry;
      sent.attemptsLeft = trouble.attemptsLeft;
      showAttempts(trouble.attemptsLeft);
    }
  }

  function show(trouble: Trouble): void {
    notice.show(trouble);
    field.setInvalid(/^code_|expired/.test(trouble.kind));
  }

  function clear(): void {
    draft.trouble = null;
    notice.clear();
    field.setInvalid(false);
  }

  function showAttempts(left: number): void {
    attempts.textContent = fill(words.attempts, { n: left });
  }

  async function fillFromMessage(): Promise<void> {
    const code = await codeFromMessage(signal);
    if (code === null || signal.aborted) return;
    field.set(code);
    if (field.value().length === codeLength) form.requestSubmit();
  }
}
