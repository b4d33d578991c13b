/** The time of a session's next message, by channel. */

import type { Channel } from "../kernel/channel.ts";
import { messagesThatMayHaveLeft, type SessionRules, type SessionState } from "./session.ts";

/** The time (ms) of the next message by the channel that is free first; null when this session has none left. */
export function nextResendAtMs(state: SessionState, rules: SessionRules): number | null {
  // A message that never left uses up no resend.
  const out = messagesThatMayHaveLeft(state);
  const { wait_seconds: waits, undelivered_wait_seconds: shorter } = rules.resend;
  const waitSeconds = waits[out.length - 1];
  const last = out.at(-1);
  if (waitSeconds === undefined || last === undefined) return null;
  // A landline gets calls, and no receipt shortens their wait: the owner of a number controls its receipts.
  const nothingOnItsWay = last.status === "undelivered" && !state.landline;
  const atMs = last.atMs + (nothingOnItsWay ? Math.min(waitSeconds, shorter) : waitSeconds) * 1000;
  return atMs < state.endsAtMs ? atMs : null;
}

/** The time (ms) of the next message by this channel; null when this session has none left for it. */
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
  // Waiting alone earns no call: texts that are missing can be sent from now on at the earliest.
  const fromMs = missing > 0 ? Math.max(nextMs, nowMs) : nextMs;
  // Nor do receipts of undelivered texts: the owner of a premium number controls what they say.
  const atMs = Math.max(fromMs + sumMs(before.slice(out.length)), (out[0]?.atMs ?? nowMs) + sumMs(before));
  return atMs < state.endsAtMs ? atMs : null;
}
