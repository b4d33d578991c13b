import type { Reservation } from "../admission/reservation.ts";
import type { Channel } from "../kernel/channel.ts";
import { secondsUntil } from "../kernel/time.ts";
import { channelAtMs } from "./next-message.ts";
import {
  isSessionOver,
  type KeptCode,
  messagesThatMayHaveLeft,
  newSendRecord,
  type SessionRules,
  type SessionState,
  sessionEndCause,
} from "./session.ts";
import { type SessionView, viewSession } from "./view.ts";

/** The parameters of another message. */
export interface ResendCommand {
  channel: Channel;
  /** The code to use when the present one has expired. */
  fresh: KeptCode;
  hold: Reservation;
  asn: number | null;
}

/** The result of asking for another message. */
export type ResendResult =
  | {
      kind: "send";
      code: KeptCode;
      sendIndex: number;
      view: SessionView;
      /** Providers of earlier messages that may have left: the code did not arrive by them. */
      tried: string[];
    }
  | { kind: "gone"; cause: string }
  | { kind: "locked"; retryAfterSeconds: number }
  | { kind: "wait"; retryAfterSeconds: number };

/**
 * Asks for another message. The same code is sent again while it is good, because messages arrive late and out of order and
 * each of them must work; after that the fresh one replaces it. Attempts already used stay used.
 */
export function resendMessage(
  state: SessionState,
  { channel, fresh, hold, asn }: ResendCommand,
  rules: SessionRules,
  nowMs: number,
): { state: SessionState; result: ResendResult } {
  const refused = (result: ResendResult) => ({ state, result });
  if (isSessionOver(state, nowMs)) return refused({ kind: "gone", cause: sessionEndCause(state) });
  if (state.attempts >= rules.attempts.max) {
    return refused({ kind: "locked", retryAfterSeconds: secondsUntil(state.endsAtMs, nowMs) });
  }
  const resendAtMs = channelAtMs(state, channel, rules, nowMs);
  if (resendAtMs === null)
    return refused({ kind: "wait", retryAfterSeconds: secondsUntil(state.endsAtMs, nowMs) });
  if (nowMs < resendAtMs)
    return refused({ kind: "wait", retryAfterSeconds: secondsUntil(resendAtMs, nowMs) });
  const stillGood = nowMs < state.codeExpiresAtMs;
  const next: SessionState = {
    ...state,
    code: stillGood ? state.code : fresh,
    codeExpiresAtMs: Math.min(nowMs + rules.code.ttl_seconds * 1000, state.endsAtMs),
    sends: [...state.sends, newSendRecord({ channel, hold, asn }, state.codeExpiresAtMs, nowMs)],
  };
  return {
    state: next,
    result: {
      kind: "send",
      code: next.code,
      sendIndex: next.sends.length - 1,
      view: viewSession(next, rules, nowMs),
      tried: messagesThatMayHaveLeft(state).flatMap(({ provider }) => provider ?? []),
    },
  };
}
