import type { Sent, Verified } from "../client.ts";
import { codeStep } from "./code-step.ts";
import { doneStep } from "./done-step.ts";
import type { Kit, Step } from "./kit.ts";
import type { SessionMemory } from "./memory.ts";
import { numberStep } from "./number-step.ts";
import type { Draft } from "./phone-field.ts";
import type { Trouble } from "./trouble.ts";
import { fill } from "./words/words.ts";

type Place =
  | { name: "number"; trouble: Trouble | null }
  | { name: "code"; sent: Sent }
  | { name: "done"; verified: Verified };

export interface Journey {
  /** Draws the present step anew, with a new language for example. */
  repaint(): void;
  leave(): void;
}

/** How long a reload waits for what became of its session, before it begins anew. */
const RESUME_MS = 4000;

/**
 * The way from the number to the proof.
 *
 * @param stage holds the step that is on
 * @param kitNow asked at every step, for what may have changed
 */
export function startJourney(stage: HTMLElement, memory: SessionMemory, kitNow: () => Kit): Journey {
  const draft: Draft = { phone: "", region: "" };
  const resuming = new AbortController();
  let place: Place = { name: "number", trouble: null };
  let step: Step | null = null;
  void begin();

  return {
    repaint() {
      if (step) paint();
    },
    leave() {
      resuming.abort();
      step?.leave();
      stage.replaceChildren();
    },
  };

  async function begin(): Promise<void> {
    const sent = await resumed();
    if (resuming.signal.aborted) return;
    if (sent) place = { name: "code", sent };
    paint();
  }

  function paint(): void {
    const kit = kitNow();
    step?.leave();
    step = stepAt(kit);
    stage.replaceChildren(step.root);
  }

  /** To another step, where the person's hands and a screen reader's voice follow. */
  function go(next: Place): void {
    place = next;
    paint();
    step?.focus();
  }

  function stepAt(kit: Kit): Step {
    switch (place.name) {
      case "number":
        draft.region ||= kit.region;
        return numberStep(kit, draft, place.trouble, onSent);
      case "code":
        return codeStep(kit, place.sent, {
          onSent,
          onVerified(verified) {
            memory.forget();
            go({ name: "done", verified });
            kitNow().emit("verified", verified);
          },
          onLeave(trouble) {
            memory.forget();
            go({ name: "number", trouble });
          },
        });
      case "done":
        return doneStep(kit, place.verified);
    }
  }

  function onSent(sent: Sent): void {
    memory.keep(sent);
    go({ name: "code", sent });
    const { announce, emit, language } = kitNow();
    const said = sent.channel === "voice" ? language.words.byVoice : language.words.bySent;
    announce(fill(said, { phone: sent.maskedPhone }));
    emit("sent", sent);
  }

  /** The session that was under way before a reload, with the service's word on how it stands. */
  async function resumed(): Promise<Sent | null> {
    const kept = memory.read();
    if (!kept) return null;
    const late = setTimeout(() => lateness.abort(), RESUME_MS);
    const lateness = new AbortController();
    const view = await kitNow().client.status(kept.session, { signal: lateness.signal });
    clearTimeout(late);
    if (view.kind !== "status" || view.status !== "pending") {
      if (view.kind === "status" || view.kind === "session_gone") memory.forget();
      return null;
    }
    const { correlationId, channel, attemptsLeft, codeExpires, resend } = view;
    const nextChannels = resend ? kept.channels.map((next) => ({ channel: next, available: resend })) : [];
    const { session, maskedPhone, codeLength } = kept;
    const times = { codeExpires, resend, nextChannels };
    return { kind: "sent", session, correlationId, channel, maskedPhone, codeLength, attemptsLeft, ...times };
  }
}
