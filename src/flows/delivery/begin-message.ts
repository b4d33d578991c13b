import type { Reservation } from "../../domain/admission/reservation.ts";
import type { ResendCommand } from "../../domain/session/resend.ts";
import type { OpenCommand } from "../../domain/session/session.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { Deps } from "../../ports/deps.ts";
import { type Refused, refused } from "../publish/facts.ts";

/** The way a session gets its message: it is opened with its first one, or asked for another. */
export type BeginCommand =
  | { kind: "open"; command: Omit<OpenCommand, "hold">; code: string }
  | { kind: "resend"; command: Omit<ResendCommand, "hold"> };

/** A message that its session has marked as being sent. */
export interface MarkedSend {
  kind: "begun";
  view: SessionView;
  sendIndex: number;
  code: string;
  /** Providers of the session's earlier messages: the code did not come by them. */
  tried: readonly string[];
}

export type BeginNeeds = Pick<Deps, "policy" | "sessions" | "vault">;

/**
 * Marks a message in its session as being sent, before anything leaves.
 *
 * @returns a refusal where the session sends no message now
 */
export async function beginMessage(
  { policy, sessions, vault }: BeginNeeds,
  sessionId: string,
  beginning: BeginCommand,
  reservation: Reservation,
): Promise<MarkedSend | Refused> {
  if (beginning.kind === "open") {
    const { command, code } = beginning;
    const view = await sessions.open(sessionId, { ...command, hold: reservation }, policy);
    return { kind: "begun", view, sendIndex: 0, code, tried: [] };
  }
  const result = await sessions.resend(sessionId, { ...beginning.command, hold: reservation }, policy);
  switch (result.kind) {
    case "send": {
      const { view, sendIndex, tried } = result;
      const code = await vault.unsealCode(sessionId, result.code.sealed);
      return { kind: "begun", view, sendIndex, code, tried };
    }
    case "gone":
      return refused({ kind: "session_gone", cause: result.cause });
    case "locked": {
      const { retryAfterSeconds } = result;
      return refused({ kind: "too_many_attempts", attemptsLeft: 0, retryAfterSeconds });
    }
    case "wait": {
      const { retryAfterSeconds } = result;
      return refused({ kind: "too_many_requests", cause: "resend too soon", retryAfterSeconds });
    }
  }
}
