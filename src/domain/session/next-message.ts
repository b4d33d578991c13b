/** When a session may send its next message, and by which channel. */

import type { Channel } from "../kernel/channel.ts";
import { messagesThatMayHaveLeft, type SessionRules, type SessionState } from "./session.ts";

/** When the next message may go by the channel that is free first; null when not in this session. */
export function nextResendAtMs(state: SessionState, rules: SessionRules): number | null {
  // A message that never left uses up no resend.
  const out = messagesThatMayHaveLeft(state);
  const { wait_seconds: waits, undelivered_wait_seconds: shorter } = rules.resend;
  const waitSeconds = waits[out.length - 1];
  const last = out.at(-1);
  if (waitSeconds === undefined || last === undefined) return null;
  // A landline hears calls, which no receipt brings nearer: whoever owns a number also owns its receipts.
  const nothingOnItsWay = last.status === "undelivered" && !state.landline;
  const atMs = last.atMs + (nothingOnItsWay ? Math.min(waitSeconds, shorter) : waitSeconds) * 1000;
  return atMs < state.endsAtMs ? atMs : null;
}

/** When the next message may go by this channel; null when not in this session. */
export function channelAtMs(
  state: SessionState,
  channel: Channel,
  rules: SessionRules,
  nowMs: number,
): number | null {
  const nextMs = nextResendAtMs(state, rules);
  if (nextMs === null) return null;
  if (state.landline) return channel === "voice" ? nextMs : null;
  if (channel !== "voice") return nextMs;
  const out = messagesThatMayHaveLeft(state);
  const texts = out.filter((send) => send.channel !== "voice").length;
  const missing = Math.max(0, rules.delivery.voice_after_messages - texts);
  const before = rules.resend.wait_seconds.slice(0, out.length + missing);
  if (before.length < out.length + missing) return null;
  const sumMs = (waits: readonly number[]) => waits.reduce((sum, wait) => sum + wait, 0) * 1000;
  // Waiting alone brings no call: messages that are missing are at best sent from now on.
  const fromMs = missing > 0 ? Math.max(nextMs, nowMs) : nextMs;
  // Nor do receipts of messages that did not arrive: the owner of a premium number has them send what they like.
  const atMs = Math.max(fromMs + sumMs(before.slice(out.length)), (out[0]?.atMs ?? nowMs) + sumMs(before));
  return atMs < state.endsAtMs ? atMs : null;
}
