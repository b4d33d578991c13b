import { newIdempotencyKey, type Sent } from "../client.ts";
import { makeChallengePlace } from "./challenge-place.ts";
import { h } from "./dom.ts";
import { type Step, type StepKit, throughChallenges } from "./kit.ts";
import { makeNotice } from "./notice.ts";
import { makePhoneField, type PhoneDraft } from "./phone-field.ts";
import { isOfNumber, isUnsettled, type Trouble } from "./trouble.ts";

/** A request whose answer is still to come goes on under its key, also when the step is drawn anew. */
export interface Pending {
  request: string;
  key: string;
}

/** What lives longer than the step: the number as typed, the request that was made with it, and what is wrong. */
export type NumberDraft = PhoneDraft & {
  pending: Pending | null;
  /** Of the last request, or why the person is here again; null once they type. */
  trouble: Trouble | null;
};

interface Needs {
  onSent(sent: Sent): void;
  /** A message left after the person did. */
  onLateSent(sent: Sent): void;
}

/** The first step: a number, and a code is on its way to it. */
export function numberStep(kit: StepKit, draft: NumberDraft, { onSent, onLateSent }: Needs): Step {
  const { client, language, flow, reference, locale, work } = kit;
  const { words } = language;
  const leaving = new AbortController();
  const { signal } = leaving;
  const field = makePhoneField(language, { ...draft, region: draft.region || kit.region });
  const notice = makeNotice(language);
  const button = h("button", { part: "button", type: "submit" }, words.send);
  const place = makeChallengePlace(words, () => button);
  const form = h("form", { part: "form", novalidate: true }, field.root, notice.root, place.root, button);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void work.run(button, send);
  });
  form.addEventListener("input", () => {
    Object.assign(draft, field.draft());
    clear();
  });
  if (draft.trouble) show(draft.trouble);

  return {
    root: h("div", {}, h("h2", { part: "title" }, words.title), h("p", { part: "lede" }, words.lede), form),
    focus: field.focus,
    leave() {
      leaving.abort();
      notice.clear();
    },
  };

  async function send(): Promise<void> {
    const { phone, region } = field.value();
    clear();
    Object.assign(draft, field.draft());
    if (phone === "") return refuse({ kind: "number_missing" });
    const request = { phone, region, flow, reference };
    const known = kit.challenge;
    const outcome = await throughChallenges(kit, { place, signal, known }, async (captchaToken) => {
      const asked = JSON.stringify(request);
      if (draft.pending?.request !== asked) draft.pending = { request: asked, key: newIdempotencyKey() };
      const { key } = draft.pending;
      // Not aborted by leaving: the message would be out, and its session lost.
      const answer = await client.start({ ...request, captchaToken, locale }, { idempotencyKey: key });
      if (!isUnsettled(answer) && draft.pending?.key === key) draft.pending = null;
      return answer;
    });
    if (outcome.kind === "sent") return signal.aborted ? onLateSent(outcome) : onSent(outcome);
    if (!signal.aborted) refuse(outcome);
  }

  function refuse(refusal: Trouble): void {
    if (refusal.kind === "aborted") return;
    kit.emit("refused", refusal);
    draft.trouble = refusal;
    show(refusal);
    if (isOfNumber(refusal)) field.focus();
  }

  function show(trouble: Trouble): void {
    notice.show(trouble);
    field.setInvalid(isOfNumber(trouble));
  }

  function clear(): void {
    draft.trouble = null;
    notice.clear();
    field.setInvalid(false);
  }
}
