/**
 * Starts a verification for a client that has no token to hold, and names the number alone.
 *
 * 1. Find the number's verification. While one is pending, there is no second: a request that follows within ten seconds is a
 *    client's retry and is answered from it; a later one is a resend, or a conflict where the door says so.
 * 2. Draw on the creates of the number, answers without a message included.
 * 3. Send. Requests at once share one idempotency key, so that one message leaves and all of them get its verification.
 * 4. Keep the names by which it is found.
 */

import type { LimitRule } from "../../domain/admission/limits.policy.ts";
import { createsLimit, tightestRefusal } from "../../domain/admission/limits.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { refusalByLimit } from "../admission/judge-limits.ts";
import {
  type FindNeeds,
  findVerification,
  keepVerification,
  type NamedVerification,
} from "./named-verification.ts";
import type { RefusedAnswer } from "./publish-and-answer.ts";
import type { SendInput } from "./request.ts";
import { resend } from "./resend.ts";
import { type SendNeeds, send } from "./send.ts";

/** A request for a verification. */
export interface StartInput
  extends Pick<SendInput, "phone" | "flow" | "channel" | "locale" | "userId" | "reference"> {
  /** Of the door's own customer: nobody else finds the verification. */
  scope: string;
  /** Channels that follow, where the caller names an order. */
  nextChannels?: readonly Channel[];
  /** Answers of any kind for one number; null for no bound but that of its messages. */
  creates: LimitRule | null;
  /** What another request for a number is while its verification is pending. */
  whilePending: "resend" | "conflict";
}

export type StartResult =
  | { kind: "started"; verification: NamedVerification }
  | { kind: "conflict"; verification: NamedVerification }
  | RefusedAnswer;

export type StartNeeds = SendNeeds & FindNeeds;

/** A request that follows its message so soon is the same request, tried again. */
const RETRY_MS = 10_000;

/** @param correlationId names the verification, should this be the first request for it */
export async function startVerification(
  deps: StartNeeds,
  input: StartInput,
  caller: Caller,
  correlationId: string,
): Promise<StartResult> {
  const { scope, whilePending } = input;
  const number = parsePhone(input.phone, undefined);
  // Whatever is wrong with a number is said, and counted, by the send.
  if ("kind" in number) return sendFirst(deps, input, { previous: null, caller, correlationId });
  const found = await findVerification(deps, scope, { phone: number.e164 });
  const pending = found?.view.status === "pending" && found.view.delivery !== "refused" ? found : null;
  if (whilePending === "conflict" && pending && pending.view.expiresInSeconds > 0) {
    return { kind: "conflict", verification: pending };
  }
  const limited = await drawCreate(deps, input, number.e164);
  if (limited.refusal) return { ...limited.refusal, correlationId };

  const answer = await sendOrResend(deps, input, { found, pending, caller, correlationId });
  // Nobody uses up a number's creates with requests that are refused.
  if (answer.kind !== "started" && answer.kind !== "conflict") deps.defer(limited.refund(), correlationId);
  return answer;
}

interface Starting {
  /** The number's last verification, whatever became of it. */
  found: NamedVerification | null;
  pending: NamedVerification | null;
  caller: Caller;
  correlationId: string;
}

async function sendOrResend(
  deps: StartNeeds,
  input: StartInput,
  { found, pending, caller, correlationId }: Starting,
): Promise<StartResult> {
  const again = input.whilePending === "resend" && (pending !== null || found?.view.status === "locked");
  if (found === null || !again) {
    return sendFirst(deps, input, { previous: found?.claims.sessionId ?? null, caller, correlationId });
  }
  const lastMs = found.view.messages.at(-1)?.atMs ?? 0;
  if (pending && deps.nowMs() - lastMs < RETRY_MS) return { kind: "started", verification: found };
  return resendNamed(deps, found, input.channel, caller);
}

/** Sends the code of a verification once more. */
export async function resendNamed(
  deps: StartNeeds,
  found: NamedVerification,
  channel: Channel,
  caller: Caller,
): Promise<StartResult> {
  const answer = await resend(
    deps,
    { ...NOTHING_BROUGHT, session: found.token, channel, phone: undefined },
    caller,
  );
  if (answer.kind !== "sent") return answer;
  const view = await deps.sessions.view(found.claims.sessionId, deps.policy);
  return { kind: "started", verification: { ...found, view: view ?? found.view } };
}

const NOTHING_BROUGHT = {
  region: undefined,
  captchaToken: undefined,
  deviceToken: undefined,
  deviceId: undefined,
} as const;

async function sendFirst(
  deps: StartNeeds,
  { scope, nextChannels, creates: _, whilePending, ...request }: StartInput,
  {
    previous,
    caller,
    correlationId,
  }: Pick<Starting, "caller" | "correlationId"> & { previous: string | null },
): Promise<StartResult> {
  // What follows one verification of a number is one request, whoever sends it at the same time.
  const idempotencyKey = `${scope} ${request.phone} after ${previous ?? "none"}`;
  const answer = await send(deps, { ...request, ...NOTHING_BROUGHT, idempotencyKey }, caller, correlationId);
  if (answer.kind !== "sent") return answer;
  const kept = { token: answer.session, ...(nextChannels && { nextChannels }) };
  const verification = await keepVerification(deps, scope, kept);
  if (!verification) return { kind: "session_gone", cause: "ended while it began", correlationId };
  const first = answer.correlationId === correlationId;
  return { kind: first || whilePending === "resend" ? "started" : "conflict", verification };
}

/** Draws on the creates of a number; what was drawn for a request that is refused is given back. */
async function drawCreate(
  { limits, admission, vault }: Pick<Deps, "limits" | "admission" | "vault">,
  { creates, scope }: StartInput,
  e164: string,
): Promise<{ refusal: Refusal | null; refund: () => Promise<void> }> {
  if (creates === null) return { refusal: null, refund: async () => undefined };
  const draws = [createsLimit(await vault.tag("creates", `${scope} ${e164}`), [creates])];
  const refund = () => admission.giveBack({ reservation: null, draws, claim: null, askTag: null });
  const drawn = await limits.take(draws);
  if (drawn.kind === "unavailable") {
    const refusal = { kind: "sending_paused", cause: "store unavailable", retryAfterSeconds: 30 } as const;
    return { refusal, refund };
  }
  const limited = tightestRefusal(drawn.results);
  return { refusal: limited && refusalByLimit(limited), refund };
}
