import { DurableObject } from "cloudflare:workers";
import { HOUR_MS, MINUTE_MS } from "../../domain/kernel/time.ts";
import { deliveredEvent } from "../../domain/ledger/delivered-event.ts";
import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "../../domain/ledger/event.ts";
import {
  type AttemptCommand,
  type AttemptResult,
  attemptCode,
  attemptOnce,
  type KeyedAttemptResult,
  unknownSession,
} from "../../domain/session/attempt.ts";
import {
  type CancelResult,
  type ConfirmResult,
  cancelSession,
  confirmSession,
} from "../../domain/session/conclude.ts";
import {
  doubtfulVerification,
  type ExpiredSession,
  expiredSession,
  expiryEvent,
  unansweredMessages,
} from "../../domain/session/end.ts";
import { SESSION_GRACE_MS } from "../../domain/session/lifetimes.ts";
import { type ResendCommand, type ResendResult, resendMessage } from "../../domain/session/resend.ts";
import {
  type CarriedReceipt,
  type OpenCommand,
  openSession,
  type SendRecord,
  type SessionRules,
  type SessionState,
} from "../../domain/session/session.ts";
import { carriedReceipts, carryReceipt, receiveReceipt, settleSend } from "../../domain/session/settle.ts";
import { type SessionView, viewSession } from "../../domain/session/view.ts";
import type { Handle } from "../../ports/handles.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import { ledgerBody } from "./queue-ledger.ts";

/** The messages for the outbox about a session that ended without its code. */
function outboxOfEnd(state: SessionState, atMs: number): OutboxMessage[] {
  const { correlationId } = state;
  const event = expiryEvent(state);
  return [
    ...unansweredMessages(state).map((message) => ({
      kind: "feedback" as const,
      ...message,
      verified: false,
      atMs,
      correlationId,
    })),
    ...(event === null ? [] : [{ kind: "event" as const, event }]),
  ];
}

/** The ledger's events of a session's end with its deliveries; none where the right code has brought them already. */
function ledgerOfEnd(state: SessionState): LedgerEvent[] {
  const { correlationId, status, endsAtMs } = state;
  const delivered = carriedReceipts(state).map((receipt) => deliveredEvent(correlationId, receipt));
  const event = (kind: "expired" | "verified", end: ExpiredSession, atMs: number): LedgerEvent[] => [
    ...delivered,
    { ...EMPTY_EVENT_DETAILS, ...end, id: `${kind}.${correlationId}`, kind, atMs },
  ];
  const doubtful = doubtfulVerification(state);
  if (doubtful !== null) return event("verified", doubtful, doubtful.atMs);
  const expiry = expiredSession(state);
  if (expiry !== null) return event("expired", expiry, endsAtMs);
  return status === "verified" ? [] : delivered;
}

/** How long after a queue refused what the session has to tell it is tried again, */
const AGAIN_MS = 10 * MINUTE_MS;

/** and how long after the session's end nobody needs to hear it any more. */
const TELLING_MS = 6 * HOUR_MS;

/**
 * One verification. Each method reads the state, lets the domain judge, and writes it back without an await in between:
 * while it runs nothing else can, so counting and single use hold under any parallelism, and SQLite's storage has it
 * before the answer leaves (output gate). It talks to nobody: measured in workerd, objects that fetched between reading
 * and writing saw five calls with the same count. Expected failures are data, because an error loses its class on the
 * way through RPC.
 */
export class SessionObject extends DurableObject<Env> {
  async open(command: OpenCommand, rules: SessionRules): Promise<SessionView> {
    const nowMs = Date.now();
    const existing = this.#state();
    const state = existing ?? openSession(command, rules, nowMs);
    if (!existing) {
      this.#keep(state);
      await this.ctx.storage.setAlarm(state.endsAtMs + SESSION_GRACE_MS);
    }
    return viewSession(state, rules, nowMs);
  }

  resend(command: ResendCommand, rules: SessionRules): ResendResult {
    const state = this.#state();
    if (!state) return { kind: "gone", cause: "no such session" };
    const next = resendMessage(state, command, rules, Date.now());
    this.#keep(next.state);
    return next.result;
  }

  attempt(digest: string, rules: SessionRules): AttemptResult {
    const state = this.#state();
    if (!state) return { kind: "gone", cause: "no such session" };
    const next = attemptCode(state, digest, rules, Date.now());
    this.#keep(next.state);
    return next.result;
  }

  attemptOnce(command: AttemptCommand, rules: SessionRules): KeyedAttemptResult {
    const nowMs = Date.now();
    const state = this.#state();
    if (!state) return unknownSession(command, nowMs);
    const next = attemptOnce(state, command, rules, nowMs);
    this.#keep(next.state);
    return next.result;
  }

  settle(sendIndex: number, outcome: Pick<SendRecord, "status" | "provider" | "messageId">): void {
    const state = this.#state();
    if (state) this.#keep(settleSend(state, sendIndex, outcome));
  }

  receipt(
    sendIndex: number,
    receipt: Parameters<typeof receiveReceipt>[2],
    carried?: CarriedReceipt,
  ): boolean | "carried" {
    const state = this.#state();
    if (!state) return false;
    const next = receiveReceipt(state, sendIndex, receipt);
    const carrying =
      next.changed && carried ? carryReceipt(next.state, sendIndex, carried, Date.now()) : null;
    // One part of several is kept, and is no news yet.
    if (next.state !== state) this.#keep(carrying ?? next.state);
    return carrying === null ? next.changed : "carried";
  }

  /** Calls the session off. */
  cancel(): CancelResult {
    const state = this.#state();
    if (!state) return { kind: "gone", cause: "no such session" };
    const next = cancelSession(state, Date.now());
    this.#keep(next.state);
    return next.result;
  }

  /** Hears that the code was typed elsewhere. */
  confirm(): ConfirmResult {
    const state = this.#state();
    if (!state) return { kind: "gone", cause: "no such session" };
    const next = confirmSession(state);
    this.#keep(next.state);
    return next.result;
  }

  /** Keeps what a name stands for; an object that holds no session is deleted when that has ended. */
  async keepHandle(handle: Handle, untilMs: number): Promise<void> {
    this.ctx.storage.kv.put("handle", { ...handle, untilMs });
    if (this.#state() === undefined) await this.ctx.storage.setAlarm(untilMs);
  }

  handle(): Handle | null {
    const kept = this.ctx.storage.kv.get<Handle & { untilMs: number }>("handle");
    if (kept === undefined || Date.now() >= kept.untilMs) return null;
    const { untilMs: _, ...handle } = kept;
    return handle;
  }

  /** Ends it at once and keeps nothing: its person asked to be forgotten. @returns false where there was nothing */
  async forget(): Promise<boolean> {
    const known = this.#state() !== undefined;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    return known;
  }

  view(rules: SessionRules): SessionView | null {
    const state = this.#state();
    return state ? viewSession(state, rules, Date.now()) : null;
  }

  /**
   * At the session's end providers and the ledger get its unanswered messages, and everything is deleted. An alarm that throws
   * is run again six times within minutes and then never more, which would leave the state for ever: a queue that is away
   * for longer is asked again later, and for some hours.
   *
   * @see https://developers.cloudflare.com/durable-objects/api/alarms/
   */
  override async alarm(): Promise<void> {
    const state = this.#state();
    if (state !== undefined && Date.now() < state.endsAtMs + TELLING_MS) {
      try {
        await this.#tellEnd(state);
      } catch {
        await this.ctx.storage.setAlarm(Date.now() + AGAIN_MS);
        return;
      }
    }
    await this.ctx.storage.deleteAll();
  }

  async #tellEnd(state: SessionState): Promise<void> {
    const messages = outboxOfEnd(state, Date.now());
    if (messages.length > 0) await this.env.OUTBOX.sendBatch(messages.map((body) => ({ body })));
    const expired = ledgerOfEnd(state);
    if (expired.length > 0) await this.env.LEDGER.send(ledgerBody(expired), { contentType: "json" });
  }

  #state(): SessionState | undefined {
    return this.ctx.storage.kv.get<SessionState>("session");
  }

  #keep(state: SessionState): void {
    this.ctx.storage.kv.put("session", state);
  }
}
