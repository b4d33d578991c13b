import type { Sent, Verified } from "../client.ts";
import { type CodeEntry, codeStep, emptyEntry } from "./code-step.ts";
import { doneStep } from "./done-step.ts";
import type { Kit, Step } from "./kit.ts";
import { nextChannels, type SessionMemory } from "./memory.ts";
import { type NumberDraft, numberStep } from "./number-step.ts";
import { internationalNumber } from "./phone-numbers.ts";
import { fill, type Words } from "./words/words.ts";
import { makeButtonTasks } from "./work.ts";

type Place =
  | { name: "number" }
  | { name: "code"; sent: Sent; again: boolean; draft: CodeEntry }
  | { name: "done"; verified: Verified };

export interface Journey {
  /** Draws the present step anew, with a new language for example; what is under way is awaited first. */
  repaint(): void;
  /** The form is out of the page: stops what is shown, once nothing is under way. */
  pause(): void;
  /** It is back, where it was. */
  resume(): void;
  /** Ends it. A message that leaves afterwards is remembered, if it is wanted. */
  leave(isWanted: boolean): void;
}

/** How long a reload waits for what became of its session, before it goes by what it remembers. */
const RESUME_MS = 2500;

/**
 * The way from the number to the proof.
 *
 * @param stage holds the step that is on
 * @param draft the number as typed, which outlives a journey
 * @param kitNow asked at every step, for what may have changed
 */
export function startJourney(
  stage: HTMLElement,
  draft: NumberDraft,
  memory: SessionMemory,
  kitNow: () => Kit,
): Journey {
  const resuming = new AbortController();
  const work = makeButtonTasks(settle);
  let place: Place | null = null;
  let step: Step | null = null;
  let isStale = false;
  let isPaused = false;
  let isOver = false;
  let keepsLate = true;
  void begin();

  return {
    repaint() {
      isStale = true;
      settle();
    },
    pause() {
      isPaused = true;
      settle();
    },
    resume() {
      isPaused = false;
      if (!step) paint();
    },
    leave(isWanted) {
      isOver = true;
      keepsLate = isWanted;
      resuming.abort();
      wipe();
    },
  };

  async function begin(): Promise<void> {
    const sent = await resumed();
    draft.trouble = null;
    place = sent ? codePlace(sent, false) : { name: "number" };
    if (!isPaused) paint();
  }

  /** Does what had to wait for the work under way. */
  function settle(): void {
    if (work.isUnderWay() || isOver) return;
    if (isPaused) wipe();
    else if (isStale && step) paint();
    isStale = false;
  }

  function wipe(): void {
    step?.leave();
    step = null;
    stage.replaceChildren();
  }

  function paint(): void {
    if (!place || isOver) return;
    const kit = { ...kitNow(), work };
    step?.leave();
    step = stepAt(place, kit);
    stage.replaceChildren(step.root);
  }

  /** To another step, where the person's hands and a screen reader's voice follow. */
  function go(next: Place): void {
    place = next;
    paint();
    step?.focus();
  }

  function stepAt(at: Place, kit: Parameters<typeof numberStep>[0]): Step {
    switch (at.name) {
      case "number":
        return numberStep(kit, draft, {
          onSent: (sent) => onSent(sent, false),
          onLateSent: (sent) => keepsLate && memory.keep(sent),
        });
      case "code": {
        const { sent } = at;
        const saying = sayingOf(at, kit.language.words);
        return codeStep(kit, Object.assign(at.draft, { sent, saying, phone: shownNumber(sent) }), {
          onSent: (next) => onSent(next, true),
          onVerified,
          onLeave(trouble) {
            memory.forget();
            draft.trouble = trouble;
            go({ name: "number" });
          },
        });
      }
      case "done":
        return doneStep(kit, at.verified);
    }
  }

  function onSent(sent: Sent, again: boolean): void {
    const next = codePlace(sent, again);
    // The code is the same one: what was typed of it stays.
    if (place?.name === "code") Object.assign(next.draft, place.draft, { trouble: null });
    memory.keep(sent);
    go(next);
    const { announce, emit, language } = kitNow();
    announce(fill(sayingOf(next, language.words), { phone: shownNumber(sent) }));
    emit("sent", sent);
  }

  function onVerified(verified: Verified): void {
    if (isOver) return;
    memory.forget();
    go({ name: "done", verified });
    kitNow().emit("verified", verified);
  }

  function shownNumber({ maskedPhone }: Sent): string {
    const whole = internationalNumber(draft);
    const lastDigits = /\d+$/.exec(maskedPhone)?.[0];
    // Whoever reloaded the page has not typed it there.
    const isSame = lastDigits !== undefined && whole.replace(/\D/g, "").endsWith(lastDigits);
    return isSame ? whole : maskedPhone;
  }

  /** The session that was under way before a reload, with the service's word on how it stands, where that can be had. */
  async function resumed(): Promise<Sent | null> {
    const kept = memory.read();
    if (!kept) return null;
    const lateness = new AbortController();
    const late = setTimeout(() => lateness.abort(), RESUME_MS);
    const view = await kitNow().client.status(kept.session, { signal: lateness.signal });
    clearTimeout(late);
    if (view.kind === "status" && view.status === "pending") {
      const { correlationId, channel, attemptsLeft, codeExpires, resend } = view;
      const channels = nextChannels(
        kept.nextChannels.map((next) => next.channel),
        resend,
      );
      const times = { codeExpires, resend, nextChannels: channels };
      return { ...kept, correlationId, channel, attemptsLeft, ...times };
    }
    if (view.kind === "status" || view.kind === "session_gone") memory.forget();
    else if (!kept.codeExpires.isOver()) return kept;
    return null;
  }
}

const codePlace = (sent: Sent, again: boolean) =>
  ({ name: "code", sent, again, draft: emptyEntry() }) satisfies Place;

const sayingOf = ({ sent, again }: { sent: Sent; again: boolean }, words: Words): string =>
  sent.channel === "voice" ? words.byVoice : again ? words.sentAgain : words.bySent;
