import type { Sent } from "../client.ts";
import { h, isBusy, setBusy } from "./dom.ts";
import { type Kit, type Step, throughChallenges } from "./kit.ts";
import { makeNotice } from "./notice.ts";
import { type Draft, makePhoneField } from "./phone-field.ts";
import { isOfNumber, type Trouble } from "./trouble.ts";

/**
 * The first step: a number, and a code is on its way to it.
 *
 * @param draft where the number as typed lives, so that it is still there when the person comes back
 * @param trouble why the person is here again
 */
export function numberStep(
  kit: Kit,
  draft: Draft,
  trouble: Trouble | null,
  onSent: (sent: Sent) => void,
): Step {
  const { client, language, flow, reference } = kit;
  const { words, tag } = language;
  const leaving = new AbortController();
  const { signal } = leaving;
  const field = makePhoneField(language, draft);
  const notice = makeNotice(language);
  const button = h("button", { part: "button", type: "submit" }, words.send);
  const form = h("form", { part: "form", novalidate: true }, field.root, notice.root, button);
  /** A start that nobody answered goes on under its key; anything else is a new one. */
  let unanswered: { phone: string; region: string; key: string } | null = null;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy(button)) return;
    setBusy(button, true);
    await send();
    setBusy(button, false);
  });
  form.addEventListener("input", () => Object.assign(draft, field.value()));
  if (trouble) notice.show(trouble);

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
    notice.clear();
    field.setInvalid(false);
    if (phone === "") return refuse({ kind: "number_missing" });
    const outcome = await throughChallenges(kit, kit.challenge, signal, async (captchaToken) => {
      const same = unanswered?.phone === phone && unanswered.region === region;
      const idempotencyKey = same ? unanswered?.key : undefined;
      const request = { phone, region, flow, reference, captchaToken, locale: tag };
      const answer = await client.start(request, { signal, idempotencyKey });
      const key = answer.kind === "unreachable" ? answer.idempotencyKey : null;
      unanswered = key === null ? null : { phone, region, key };
      return answer;
    });
    if (signal.aborted) return;
    if (outcome.kind === "sent") return onSent(outcome);
    refuse(outcome);
  }

  function refuse(refusal: Trouble): void {
    if (refusal.kind === "aborted") return;
    kit.emit("refused", refusal);
    notice.show(refusal);
    field.setInvalid(isOfNumber(refusal));
    if (isOfNumber(refusal)) field.focus();
  }
}
