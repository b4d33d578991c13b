import { DurableObject } from "cloudflare:workers";
import {
  type AttemptResult,
  attemptCode,
  type OpenCommand,
  openSession,
  type ResendCommand,
  type ResendResult,
  receiveReceipt,
  resendSession,
  type SendRecord,
  type SessionRules,
  type SessionState,
  type SessionView,
  settleSend,
  viewSession,
} from "../domain/session/session.ts";
import type { OutboxMessage } from "../ports.ts";

/** What providers hear of a session that ended without its code: its messages did not convert. */
function unansweredFeedback(state: SessionState, atMs: number): OutboxMessage[] {
  if (state.status === "verified") return [];
  return state.sends.flatMap(({ provider, messageId, channel }) =>
    provider === null || messageId === null
      ? []
      : [{ kind: "feedback", provider, messageId, channel, verified: false, atMs }],
  );
}

/** A session outlives its end by this much, for receipts that come late; then the alarm deletes it. */
const GRACE_MS = 15 * 60_000;

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
      await this.ctx.storage.setAlarm(state.endsAtMs + GRACE_MS);
    }
    return viewSession(state, rules, nowMs);
  }

  resend(command: ResendCommand, rules: SessionRules): ResendResult {
    const state = this.#state();
    if (!state) return { kind: "gone", cause: "no such session" };
    const next = resendSession(state, command, rules, Date.now());
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

  settle(sendIndex: number, outcome: Pick<SendRecord, "status" | "provider" | "messageId">): void {
    const state = this.#state();
    if (state) this.#keep(settleSend(state, sendIndex, outcome));
  }

  receipt(sendIndex: number, receipt: Parameters<typeof receiveReceipt>[2]): boolean {
    const state = this.#state();
    if (!state) return false;
    const next = receiveReceipt(state, sendIndex, receipt);
    if (next.changed) this.#keep(next.state);
    return next.changed;
  }

  view(rules: SessionRules): SessionView | null {
    const state = this.#state();
    return state ? viewSession(state, rules, Date.now()) : null;
  }

  /** At its end: providers hear of messages nobody answered, and everything is deleted. */
  override async alarm(): Promise<void> {
    const state = this.#state();
    const feedback = state === undefined ? [] : unansweredFeedback(state, Date.now());
    if (feedback.length > 0) await this.env.OUTBOX.sendBatch(feedback.map((body) => ({ body })));
    await this.ctx.storage.deleteAll();
  }

  #state(): SessionState | undefined {
    return this.ctx.storage.kv.get<SessionState>("session");
  }

  #keep(state: SessionState): void {
    this.ctx.storage.kv.put("session", state);
  }
}
