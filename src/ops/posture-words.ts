/** Postures and the documents that set them, in words. */

import type { Posture } from "../domain/kernel/posture.ts";
import type { PostureControls } from "../domain/monitor/posture.ts";
import type { Policy } from "../domain/policy.ts";

/** The meaning of a posture under this policy, in words. */
export function postureMeans(posture: Posture, { postures }: Pick<Policy, "postures">): string {
  if (posture === "normal") return "Sending as the policy says.";
  if (posture === "shutdown") return "Nothing is sent to anybody.";
  const { challenge, fresh_challenge, limit_factor, unknown_ranges } = postures[posture];
  const parts = [
    ...(fresh_challenge
      ? ["every stranger must solve a fresh challenge"]
      : challenge === "always"
        ? ["every public client must bring a CAPTCHA token"]
        : []),
    ...(limit_factor < 1 ? [`callers' limits are at ${Math.round(limit_factor * 100)} %`] : []),
    ...(unknown_ranges === "stop" ? ["ranges in which nobody ever verified get nothing"] : []),
    ...(unknown_ranges === "challenge"
      ? ["ranges in which nobody ever verified need a fresh challenge"]
      : []),
  ];
  const text = parts.join(", ");
  return text === "" ? "Sending as the policy says." : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

/** The document that decides on the posture: one with a throttle alone leaves that to the monitor. */
export const decidingDocument = (
  operator: PostureControls | null,
  cron: PostureControls | null,
): PostureControls | null => (operator !== null && operator.holds_posture !== false ? operator : cron);

/** `21 Nov 15:04 UTC`: where a sentence must say the same to everybody. */
export function utcText(ms: number): string {
  const text = new Date(ms).toUTCString();
  return `${text.slice(5, 11)} ${text.slice(17, 22)} UTC`;
}

/** A document by people in words, with its author, reason and end; null when there is none. */
export function documentText(document: PostureControls | null): string | null {
  if (document === null) return null;
  const { posture, who, why, until_ms, since_ms, caps_lifted, max_per_minute, holds_posture } = document;
  const extras = [
    ...(caps_lifted ? ["spend caps lifted"] : []),
    ...(max_per_minute === undefined ? [] : [`at most ${max_per_minute} messages a minute`]),
  ];
  const what = [...(holds_posture === false ? [] : [`posture ${posture}`]), ...extras].join(", ");
  return `what ${who ?? "somebody"} set at ${utcText(since_ms)} (${what}, until ${utcText(until_ms)}): “${why}”`;
}
