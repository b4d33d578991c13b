import type { Deps } from "../../ports/deps.ts";
import type { DecoyRequest } from "../admission/request.ts";
import { type Broken, type DecoySent, type Refused, refused, type TakenResources } from "../publish/facts.ts";
import type { MintedSession, SessionOpening } from "./open-session.ts";

/** Opens a session like any other, whose code nobody gets: whoever was refused sees the answer of a send. */
export async function openDecoy(
  { policy, sessions }: Pick<Deps, "policy" | "sessions">,
  { trail, observed, verdict, ownLimits }: DecoyRequest,
  { claims, token }: MintedSession,
  { command }: SessionOpening,
): Promise<DecoySent | Broken> {
  const { sessionId, phone } = claims;
  try {
    const view = await sessions.open(sessionId, { ...command, hold: null }, policy);
    await sessions.settle(sessionId, 0, { status: "accepted", provider: null, messageId: null });
    const session = { token, phone, view, ownLimits };
    return { kind: "decoy_sent", channel: command.channel, session, trail, observed, verdict };
  } catch (error) {
    return { kind: "broken", error, trail, requested: null, giveBack: null };
  }
}

/** Where no answer can look like a send's, whoever asked is refused like a caller at a limit. */
export const refuseDecoy = ({ observed, trail }: DecoyRequest, giveBack?: TakenResources): Refused =>
  refused(
    { kind: "too_many_requests", cause: "risk", retryAfterSeconds: 60 },
    { observed: { budgetUsedUp: false, entries: observed }, trail, ...(giveBack && { giveBack }) },
  );
