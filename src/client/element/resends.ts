import { type Channel, countDown, type Sent } from "../client.ts";
import { makeChallengePlace } from "./challenge-place.ts";
import { h } from "./dom.ts";
import { type StepKit, throughChallenges } from "./kit.ts";
import type { Trouble } from "./trouble.ts";
import { formatDuration } from "./words/words.ts";

interface Needs {
  onSent(sent: Sent): void;
  /** The session is over, or something else that is not about the resend alone. */
  onTrouble(trouble: Trouble): void;
}

/**
 * What a person can do when nothing arrived: the same again after a wait that is shown, and other channels, each hidden
 * until the service offers it and its time has come.
 *
 * @param otherwise the way out that is always there
 */
export function makeResends(
  kit: StepKit,
  sent: Sent,
  signal: AbortSignal,
  { onSent, onTrouble }: Needs,
  otherwise: HTMLElement,
) {
  const { client, language, announce, work } = kit;
  const { words, tag } = language;
  const names: Record<Channel, string> = {
    sms: words.again,
    voice: words.call,
    whatsapp: words.whatsapp,
    // A brand's name is the same everywhere, and the sentence that WhatsApp has fits it.
    telegram: words.whatsapp.replace(/WhatsApp|واتساب/, "Telegram"),
  };
  const stops: (() => void)[] = [];
  let pressed: HTMLElement | null = null;
  const place = makeChallengePlace(words, () => pressed);
  const offered = sent.resend === null ? [] : sent.nextChannels;
  const buttons = offered.map(({ channel, available }) => {
    // The same way again is shown beforehand, so that people wait for it; the others would only distract.
    const isAgain = channel === (offered.find((offer) => offer.channel === "sms") ?? offered[0])?.channel;
    const button = h("button", { part: "quiet", type: "button" }, names[channel]);
    stops.push(
      countDown(available, (left) => {
        const wasWaiting = button.disabled;
        button.disabled = left > 0;
        button.hidden = !isAgain && left > 0;
        button.textContent = left > 0 ? `${names[channel]} (${formatDuration(left, tag)})` : names[channel];
        if (wasWaiting && left === 0 && isAgain) announce(names[channel]);
      }),
    );
    button.addEventListener("click", () => {
      pressed = button;
      void work.run(button, () => resend(channel));
    });
    return button;
  });

  const none = offered.length === 0;
  return {
    root: h(
      "div",
      { part: "resends" },
      h("p", { part: "hint" }, none ? words.noMore : words.missing),
      place.root,
      ...buttons,
      otherwise,
    ),
    stop: () => {
      for (const stop of stops) stop();
    },
  };

  async function resend(channel: Channel): Promise<void> {
    const { session } = sent;
    const outcome = await throughChallenges(kit, { place, signal, known: null }, (captchaToken) =>
      // Not aborted by leaving, because its message may be out.
      client.resend({ session, channel, captchaToken }),
    );
    if (signal.aborted) return;
    if (outcome.kind === "sent") onSent(outcome);
    else onTrouble(outcome);
  }
}
