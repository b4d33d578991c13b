/** Postures and the documents that set them, in words. */
import type { ControlDocument, Posture } from "../domain/watch/posture.ts";

export const POSTURE_MEANS: Readonly<Record<Posture, string>> = {
  normal: "Sending as the policy says.",
  elevated: "Strangers must solve a challenge, and limits are tighter.",
  emergency: "Every stranger must solve a fresh challenge, and limits are tightest.",
  shutdown: "Nothing is sent to anybody.",
};

/** The document that decides on the posture: a throttle of people's alone leaves that to the watch. */
export const decidingOf = (
  operator: ControlDocument | null,
  cron: ControlDocument | null,
): ControlDocument | null => (operator !== null && operator.holds_posture !== false ? operator : cron);

/** `21 Nov 15:04 UTC`: where a sentence must say the same to everybody. */
export function utc(ms: number): string {
  const text = new Date(ms).toUTCString();
  return `${text.slice(5, 11)} ${text.slice(17, 22)} UTC`;
}

/** What people set, who, why and until when; null when they set nothing. */
export function saysDocument(document: ControlDocument | null): string | null {
  if (document === null) return null;
  const { posture, who, why, until_ms, since_ms, caps_lifted, max_per_minute, holds_posture } = document;
  const extras = [
    ...(caps_lifted ? ["spend caps lifted"] : []),
    ...(max_per_minute === undefined ? [] : [`at most ${max_per_minute} messages a minute`]),
  ];
  const what = [...(holds_posture === false ? [] : [`posture ${posture}`]), ...extras].join(", ");
  return `what ${who ?? "somebody"} set at ${utc(since_ms)} (${what}, until ${utc(until_ms)}): “${why}”`;
}
