/**
 * Delivers a code that belongs to somebody else: a login system that makes and checks its codes itself.
 *
 * 1. Claim the caller's idempotency key for this number and code, where there is one.
 * 2. Send, as any other code is sent, with the given one in place of ours: the same gates, limits, budgets, routes and texts. The
 *    same number and code within ten minutes is the same delivery.
 * 3. Keep where the delivery is found, for the news that its code was typed.
 *
 * The caller cannot show a challenge: a demand for one is answered like a demand for another factor.
 */
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { GIVEN_SECONDS } from "./open-session.ts";
import { deliveryFacts } from "./prepare-claim.ts";
import type { RefusedAnswer, SentAnswer } from "./publish-and-answer.ts";
import type { SendInput } from "./request.ts";
import { type SendNeeds, send } from "./send.ts";

/** A code to deliver. */
export interface DeliverInput
  extends Pick<
    SendInput,
    "phone" | "flow" | "channel" | "locale" | "userId" | "reference" | "idempotencyKey"
  > {
  /** Taken literally: leading zeros are part of it. */
  givenCode: string;
}

/** A delivery that is on its way, or was before. */
export type CodeDelivered = Pick<SentAnswer, "correlationId" | "channel" | "maskedPhone"> & {
  kind: "delivered";
  /** The token of its session, for doors that check the code here after all. */
  session: string;
  /** An earlier call delivered it. */
  repeated: boolean;
};

/** The scope of deliveries that come to the gateway itself. */
export const GATEWAY_SCOPE = "gateway";

export type DeliverCodeNeeds = SendNeeds & Pick<Deps, "handles">;

/**
 * @param scope of the door that the code came to: another one's deliveries are not found there
 * @param correlationId names the delivery, should it be the first of its kind
 */
export async function deliverCode(
  deps: DeliverCodeNeeds,
  { scope, ...input }: DeliverInput & { scope: string },
  caller: Caller,
  correlationId: string,
): Promise<CodeDelivered | RefusedAnswer> {
  const conflict = await claimKey(deps, input, caller);
  if (conflict) return { ...conflict, correlationId };

  const nothingFromDevice = { captchaToken: undefined, deviceToken: undefined, deviceId: undefined };
  const request = { ...input, ...nothingFromDevice, region: undefined };
  const answer = await send(deps, request, caller, correlationId);
  if (answer.kind === "challenge_required") return { ...answer, kind: "step_up_required" };
  if (answer.kind !== "sent") return answer;

  const claims = await deps.tokens.open(answer.session);
  if (claims) await keepDelivery(deps, { ...claims, scope, token: answer.session }, input.givenCode);
  const { channel, maskedPhone, session } = answer;
  const repeated = answer.correlationId !== correlationId;
  return {
    kind: "delivered",
    correlationId: answer.correlationId,
    channel,
    maskedPhone,
    session,
    repeated,
  };
}

/** Refuses a key that was used for another number or code; null where it may go on. */
async function claimKey(
  { admission, vault }: Pick<Deps, "admission" | "vault">,
  { flow, phone, givenCode, idempotencyKey }: DeliverInput,
  { server }: Caller,
): Promise<RefusedAnswer | null> {
  if (idempotencyKey === undefined) return null;
  const [key, facts] = await Promise.all([
    vault.tag("delivery key", `${server?.keyId ?? "public"} ${idempotencyKey}`),
    vault.tag("delivery facts", deliveryFacts(flow, phone, givenCode)),
  ]);
  const answer = await admission.ask({
    draws: [],
    claim: { key, value: facts, ttlSeconds: KEY_SECONDS },
    person: null,
    levels: [],
    meters: [],
  });
  if (answer.kind === "unavailable") {
    return { kind: "sending_paused", cause: "store unavailable", retryAfterSeconds: 30 };
  }
  return answer.held === facts ? null : { kind: "idempotency_conflict" };
}

/** As long as the same code is the same delivery. */
const KEY_SECONDS = 600;

interface KeptDelivery {
  scope: string;
  token: string;
  sessionId: string;
  flow: string;
  phone: string;
}

/** A delivery is found by its correlation id, which its session has for a name, and by its number and code. */
async function keepDelivery(
  { handles, vault, nowMs }: Pick<Deps, "handles" | "vault" | "nowMs">,
  { scope, token, sessionId, flow, phone }: KeptDelivery,
  code: string,
): Promise<void> {
  const untilMs = nowMs() + GIVEN_SECONDS * 1000;
  const name = await deliveryName({ vault }, { scope, flow, phone, code });
  await Promise.all([
    handles.keep(sessionId, { scope, token }, untilMs),
    handles.keep(name, { scope, token }, untilMs),
  ]);
}

/** The name under which a delivery is found by its number (E.164) and code. */
export const deliveryName = async (
  { vault }: Pick<Deps, "vault">,
  { scope, flow, phone, code }: { scope: string; flow: string; phone: string; code: string },
): Promise<string> =>
  `delivery ${await vault.tag("delivery name", `${scope} ${deliveryFacts(flow, phone, code)}`)}`;
