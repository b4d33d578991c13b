/**
 * Hears that a delivered code was typed: budgets, the monitor and the providers learn what a verification teaches. Nothing is
 * proven by it: the word is the caller's.
 */
import { mayUseFlow } from "../../domain/access/api-key.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { type PublishNeeds, publish } from "../publish/publish.ts";
import { deliveryName } from "./deliver-code.ts";
import type { RefusedAnswer } from "./publish-and-answer.ts";

/** A delivery, by the id that its answer gave or by what was delivered. */
export type DeliveryReference = { correlationId: string } | { flow: string; phone: string; code: string };

export interface DeliveryConfirmed {
  kind: "confirmed";
  correlationId: string;
  /** It was heard before, and nothing is counted twice. */
  repeated: boolean;
}

export type ConfirmNeeds = PublishNeeds & Pick<Deps, "handles" | "sessions" | "tokens">;

/** @param scope of the door that delivered it */
export async function confirmDelivery(
  deps: ConfirmNeeds,
  scope: string,
  reference: DeliveryReference,
  caller: Caller,
): Promise<DeliveryConfirmed | RefusedAnswer> {
  const { handles, sessions, tokens, vault } = deps;
  const name = await nameOf(deps, scope, reference);
  const handle = name === null ? null : await handles.find(name);
  const claims = handle?.scope === scope ? await tokens.open(handle.token) : null;
  if (!claims) return { kind: "session_gone", cause: "no such delivery" };
  const { sessionId, correlationId, flow } = claims;
  if (caller.server && !mayUseFlow(caller.server, flow)) {
    return { kind: "flow_refused", flow, correlationId };
  }
  const result = await sessions.confirm(sessionId);
  if (result.kind === "gone") return { kind: "session_gone", cause: result.cause, correlationId };
  if (result.kind === "repeated") return { kind: "confirmed", correlationId, repeated: true };

  const number = parsePhone(claims.phone, undefined);
  const numberTag = await vault.tag("number", claims.phone);
  const request = { correlationId, flow, phone: "kind" in number ? null : number, source: caller };
  publish(deps, request, { kind: "attempted", claims, result, numberTag });
  return { kind: "confirmed", correlationId, repeated: false };
}

/** null for a number that is none. */
async function nameOf(
  deps: Pick<Deps, "vault">,
  scope: string,
  reference: DeliveryReference,
): Promise<string | null> {
  if ("correlationId" in reference) return reference.correlationId;
  const number = parsePhone(reference.phone, undefined);
  if ("kind" in number) return null;
  return deliveryName(deps, { scope, flow: reference.flow, phone: number.e164, code: reference.code });
}
