/**
 * The life of one verification, as a state and its transitions. Nothing here knows about time, storage or digits: the
 * session object hands in the stored state and the clock, stores what comes back, and does both without a pause in
 * between, which is what makes a code single-use and an attempt counted under any parallelism.
 */

import type { Hold } from "../admission/exposure.ts";
import type { CustomerSubject } from "../customer-event.ts";
import type { CodePolicy } from "./code.ts";
import { sameDigest } from "./code.ts";

export type Channel = "sms" | "voice" | "whatsapp";

export interface AttemptPolicy {
  /** Wrong codes one session takes, 3 to 5. */
  max: number;
  /** Wait after the 1st, 2nd, ... wrong code; the last one repeats. */
  wait_seconds: readonly number[];
}

export interface ResendPolicy {
  /** Wait before the 1st, 2nd, ... resend. As many resends as waits. */
  wait_seconds: readonly number[];
  /**
   * The longest wait after a message that came back undelivered. There is nothing left to wait for, but a number's own limit
   * lets no second message through sooner (`limits.number`): what the person is told must be what then happens.
   */
  undelivered_wait_seconds: number;
}

/** What became of one message, as far as the provider told us; the last two by its receipt. */
export type SendStatus = "sending" | "accepted" | "refused" | "unknown" | "delivered" | "undelivered";

/** Which channels there are, and what voice waits for. */
export interface ChannelPolicy {
  channels: readonly Channel[];
  /**
   * Text messages a session must have tried before a call may follow, each after its wait: a call costs ten times as much
   * and pays the owner of a premium number by the minute. A landline hears nothing else, and is called at once.
   */
  voice_after_messages: number;
}

export interface SendRecord {
  channel: Channel;
  atMs: number;
  status: SendStatus;
  provider: string | null;
  messageId: string | null;
  /** Network of whoever asked for it. */
  asn: number | null;
  /** What the message took from the budgets, until the code comes back; null when it was given back. */
  hold: Hold | null;
  /** How long the code was good for before this message: a message that never left must not lengthen its life. */
  codeExpiredAtMs: number;
}

/** A code as the session keeps it: a digest to compare with and a sealed copy for the resend, never the digits. */
export interface KeptCode {
  digest: string;
  sealed: string;
}

/** What a session keeps for events to the customer's backend that nobody brings a token for. */
export interface SessionCustomer {
  subject: CustomerSubject;
  /** Whether its end is told. */
  hearsExpiry: boolean;
}

export interface SessionState {
  correlationId: string;
  createdAtMs: number;
  endsAtMs: number;
  code: KeptCode;
  codeExpiresAtMs: number;
  attempts: number;
  attemptNotBeforeMs: number;
  sends: SendRecord[];
  status: "open" | "verified" | "closed";
  /** The number can only be called. */
  landline: boolean;
  /** Absent or null where no backend hears of it. */
  customer?: SessionCustomer | null;
}

export interface SessionRules {
  code: CodePolicy;
  attempts: AttemptPolicy;
  resend: ResendPolicy;
  delivery: ChannelPolicy;
}

/** What the client must know about a session to act. */
export interface SessionView {
  status: "pending" | "verified" | "locked" | "gone";
  correlationId: string;
  channel: Channel;
  delivery: SendStatus;
  sends: number;
  attemptsLeft: number;
  expiresInSeconds: number;
  /** null when no further resend will be possible in this session. */
  resendInSeconds: number | null;
  /** What the next message may travel by, and when. */
  nextChannels: { channel: Channel; availableInSeconds: number }[];
  /** For events to the customer's backend, never for the client. */
  customer?: CustomerSubject | null;
}

export interface OpenCommand {
  correlationId: string;
  channel: Channel;
  code: KeptCode;
  /** null for a decoy, which takes nothing. */
  hold: Hold | null;
  asn: number | null;
  landline: boolean;
  customer?: SessionCustomer | null;
}

export interface ResendCommand {
  channel: Channel;
  /** The code to use when the present one is over. */
  fresh: KeptCode;
  hold: Hold;
  asn: number | null;
}

const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000));

const sending = (
  { channel, hold, asn }: Pick<SendRecord, "channel" | "hold" | "asn">,
  codeExpiredAtMs: number,
  atMs: number,
): SendRecord => ({
  channel,
  atMs,
  status: "sending",
  provider: null,
  messageId: null,
  asn,
  hold,
  codeExpiredAtMs,
});

/** Opens a session with its first message marked as being sent, before any message leaves. */
export function openSession(command: OpenCommand, rules: SessionRules, nowMs: number): SessionState {
  const endsAtMs = nowMs + rules.code.session_seconds * 1000;
  return {
    correlationId: command.correlationId,
    createdAtMs: nowMs,
    endsAtMs,
    code: command.code,
    codeExpiresAtMs: Math.min(nowMs + rules.code.ttl_seconds * 1000, endsAtMs),
    attempts: 0,
    attemptNotBeforeMs: nowMs,
    sends: [sending(command, nowMs, nowMs)],
    status: "open",
    landline: command.landline,
    customer: command.customer ?? null,
  };
}

export type ResendResult =
  | {
      kind: "send";
      code: KeptCode;
      sendIndex: number;
      view: SessionView;
      /** Providers of earlier messages that left, or may have: the code did not come by them. */
      tried: string[];
    }
  | { kind: "gone"; cause: string }
  | { kind: "locked"; retryAfterSeconds: number }
  | { kind: "wait"; retryAfterSeconds: number };

/**
 * Asks for another message. The same code goes out again while it is good, because messages arrive late and out of
 * order and whichever arrives must work; after that the fresh one takes its place. Attempts already used stay used.
 */
export function resendSession(
  state: SessionState,
  { channel, fresh, hold, asn }: ResendCommand,
  rules: SessionRules,
  nowMs: number,
): { state: SessionState; result: ResendResult } {
  const refused = (result: ResendResult) => ({ state, result });
  if (isOver(state, nowMs)) return refused({ kind: "gone", cause: overCause(state) });
  if (state.attempts >= rules.attempts.max) {
    return refused({ kind: "locked", retryAfterSeconds: seconds(state.endsAtMs - nowMs) });
  }
  const resendAtMs = channelAtMs(state, channel, rules, nowMs);
  if (resendAtMs === null)
    return refused({ kind: "wait", retryAfterSeconds: seconds(state.endsAtMs - nowMs) });
  if (nowMs < resendAtMs) return refused({ kind: "wait", retryAfterSeconds: seconds(resendAtMs - nowMs) });
  const stillGood = nowMs < state.codeExpiresAtMs;
  const next: SessionState = {
    ...state,
    code: stillGood ? state.code : fresh,
    codeExpiresAtMs: Math.min(nowMs + rules.code.ttl_seconds * 1000, state.endsAtMs),
    sends: [...state.sends, sending({ channel, hold, asn }, state.codeExpiresAtMs, nowMs)],
  };
  return {
    state: next,
    result: {
      kind: "send",
      code: next.code,
      sendIndex: next.sends.length - 1,
      view: viewSession(next, rules, nowMs),
      tried: outOf(state).flatMap(({ provider }) => provider ?? []),
    },
  };
}

/** A message of a session whose code came back. */
export type AnsweredSend = Pick<SendRecord, "atMs" | "channel" | "provider" | "messageId" | "asn"> &
  Pick<Hold, "stoppers">;

export type AttemptResult =
  | {
      kind: "verified";
      channel: Channel;
      /** The messages that may have carried the code, in order: the cohorts it counts for. One answer answers them all. */
      sends: AnsweredSend[];
      /** Those that came back undelivered while another may have carried it. */
      lost: AnsweredSend[];
      /** What the last message took that may have carried it: one answer earns once. null for a decoy. */
      hold: Hold | null;
      /** What the other messages took. */
      otherHolds: Hold[];
    }
  | { kind: "incorrect"; attemptsLeft: number; retryInSeconds: number }
  | { kind: "locked"; retryAfterSeconds: number }
  | { kind: "wait"; attemptsLeft: number; retryAfterSeconds: number }
  | { kind: "gone"; cause: string };

/**
 * Judges one code. The attempt is counted in the same step that compares, and a right code is used up in that step, so
 * whatever arrives in parallel finds the session already changed.
 *
 * @param digest of the offered code, made with the session's key
 */
export function attemptCode(
  state: SessionState,
  digest: string,
  rules: SessionRules,
  nowMs: number,
): { state: SessionState; result: AttemptResult } {
  const unchanged = (result: AttemptResult) => ({ state, result });
  if (isOver(state, nowMs)) return unchanged({ kind: "gone", cause: overCause(state) });
  const { max, wait_seconds: waits } = rules.attempts;
  if (state.attempts >= max) {
    return unchanged({ kind: "locked", retryAfterSeconds: seconds(state.endsAtMs - nowMs) });
  }
  if (nowMs >= state.codeExpiresAtMs) return unchanged({ kind: "gone", cause: "code expired" });
  if (nowMs < state.attemptNotBeforeMs) {
    const retryAfterSeconds = seconds(state.attemptNotBeforeMs - nowMs);
    return unchanged({ kind: "wait", attemptsLeft: max - state.attempts, retryAfterSeconds });
  }

  const attempts = state.attempts + 1;
  if (sameDigest(digest, state.code.digest)) {
    const out = outOf(state);
    const arrived = out.filter(({ status }) => status !== "undelivered");
    // A code that was typed did arrive, whatever the receipts say.
    const carriers = arrived.length > 0 ? arrived : out;
    const last = carriers.at(-1);
    return {
      state: { ...state, attempts, status: "verified" },
      result: {
        kind: "verified",
        // The proof names a channel that may have carried the code.
        channel: last?.channel ?? "sms",
        sends: carriers.map(answered),
        lost: out.filter((send) => !carriers.includes(send)).map(answered),
        hold: last?.hold ?? null,
        otherHolds: state.sends.flatMap((send) => (send === last ? [] : (send.hold ?? []))),
      },
    };
  }
  const retryInSeconds = attempts >= max ? 0 : (waits[attempts - 1] ?? waits.at(-1) ?? 0);
  return {
    state: { ...state, attempts, attemptNotBeforeMs: nowMs + retryInSeconds * 1000 },
    result: { kind: "incorrect", attemptsLeft: max - attempts, retryInSeconds },
  };
}

const answered = ({ atMs, channel, provider, messageId, asn, hold }: SendRecord): AnsweredSend => ({
  atMs,
  channel,
  provider,
  messageId,
  asn,
  ...(hold?.stoppers && { stoppers: hold.stoppers }),
});

/** Writes down what the provider answered for one message. A session none of whose messages left is closed. */
export function settleSend(
  state: SessionState,
  sendIndex: number,
  outcome: Pick<SendRecord, "status" | "provider" | "messageId">,
): SessionState {
  const send = state.sends[sendIndex];
  // Its receipt may have been quicker than the answer, which then brings the names alone.
  if (send?.status === "delivered" || send?.status === "undelivered") {
    const named = { provider: outcome.provider, messageId: outcome.messageId ?? send.messageId };
    return { ...state, sends: state.sends.with(sendIndex, { ...send, ...named }) };
  }
  const refused = outcome.status === "refused";
  const settled = refused ? { ...outcome, hold: null } : outcome;
  // A later message that left has its own claim on the code's life.
  const last = state.sends.slice(sendIndex + 1).every(({ status }) => status === "refused");
  const before = refused && last ? state.sends[sendIndex]?.codeExpiredAtMs : undefined;
  const codeExpiresAtMs = before ?? state.codeExpiresAtMs;
  const sends = state.sends.map((send, index) => (index === sendIndex ? { ...send, ...settled } : send));
  const nothingLeft = sends.every((send) => send.status === "refused");
  const status = nothingLeft && state.status === "open" ? "closed" : state.status;
  return { ...state, sends, status, codeExpiresAtMs };
}

/**
 * Takes in a provider's receipt. They come late, twice and out of order: a delivered message stays delivered, and whatever
 * comes after a final word changes nothing else.
 */
export function receiveReceipt(
  state: SessionState,
  sendIndex: number,
  receipt: { status: "delivered" | "undelivered"; messageId: string },
): { state: SessionState; changed: boolean } {
  const send = state.sends[sendIndex];
  const final = send?.status === "delivered" || send?.status === "refused" || send?.status === receipt.status;
  if (send === undefined || final) return { state, changed: false };
  const settled = { ...send, status: receipt.status, messageId: receipt.messageId };
  const sends = state.sends.map((other, index) => (index === sendIndex ? settled : other));
  return { state: { ...state, sends }, changed: true };
}

/** What may be told to whoever holds the session token. */
export function viewSession(state: SessionState, rules: SessionRules, nowMs: number): SessionView {
  const last = state.sends.at(-1);
  const locked = state.attempts >= rules.attempts.max;
  const resendAtMs = nextResendAtMs(state, rules);
  const over = isOver(state, nowMs);
  return {
    status: state.status === "verified" ? "verified" : over ? "gone" : locked ? "locked" : "pending",
    correlationId: state.correlationId,
    customer: state.customer?.subject ?? null,
    channel: last?.channel ?? "sms",
    delivery: last?.status ?? "unknown",
    sends: state.sends.length,
    attemptsLeft: Math.max(0, rules.attempts.max - state.attempts),
    expiresInSeconds: over ? 0 : seconds(state.codeExpiresAtMs - nowMs),
    resendInSeconds: over || locked || resendAtMs === null ? null : seconds(resendAtMs - nowMs),
    nextChannels:
      over || locked
        ? []
        : rules.delivery.channels.flatMap((channel) => {
            const atMs = channelAtMs(state, channel, rules, nowMs);
            return atMs === null ? [] : [{ channel, availableInSeconds: seconds(atMs - nowMs) }];
          }),
  };
}

function nextResendAtMs(state: SessionState, rules: SessionRules): number | null {
  // A message that never left uses up no resend.
  const out = outOf(state);
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
function channelAtMs(
  state: SessionState,
  channel: Channel,
  rules: SessionRules,
  nowMs: number,
): number | null {
  const nextMs = nextResendAtMs(state, rules);
  if (nextMs === null) return null;
  if (state.landline) return channel === "voice" ? nextMs : null;
  if (channel !== "voice") return nextMs;
  const out = outOf(state);
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

/** The messages that left, or may have. */
const outOf = ({ sends }: SessionState): SendRecord[] => sends.filter(({ status }) => status !== "refused");

function isOver(state: SessionState, nowMs: number): boolean {
  return state.status !== "open" || nowMs >= state.endsAtMs;
}

function overCause(state: SessionState): string {
  return state.status === "open" ? "session expired" : `session ${state.status}`;
}
