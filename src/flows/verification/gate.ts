/**
 * Refuses what can be refused without asking a store or an issuer. Sends and resends pass the same gates, each in an order of
 * its own, and the first refusal counts.
 */
import { mayUseFlow } from "../../domain/access/api-key.ts";
import { CALL_TOO_EARLY, isEarlyCall } from "../../domain/delivery/early-call.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { type Phone, refuseNumber } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { captchaWanted } from "../admission/refuse-by-challenge.ts";
import {
  type ControlNeeds,
  type EffectiveControl,
  readEffectiveControl,
  refusePaused,
  refuseShutdown,
} from "../control/read-effective-control.ts";
import { type Refused, refused } from "../publish/facts.ts";

/** A request, as far as the gates look at it. */
export interface GateRequest {
  caller: Caller;
  flow: string;
  channel: Channel;
  /** The number, or the refusal that reading it came to. */
  phone: Phone | Refusal;
  /** False where a resend repeats a number and it is not the session's. */
  isSessionNumber: boolean;
  captchaToken: string | undefined;
}

/** Gates in the order in which a kind of request passes them. */
export interface GateOrder {
  gates: readonly GateName[];
  /** The log's name for the flow that a key may not use. */
  flowInLog(flow: string): string;
}

export type GateNeeds = ControlNeeds & Pick<Deps, "admission">;

/** A send is refused by its number before its CAPTCHA token: such a number gets no code with any token. */
export const SEND_GATES: GateOrder = {
  gates: ["flow", "shutdown", "number", "destination", "pause", "text_first", "captcha", "overload"],
  flowInLog: (flow) => `flow ${flow}`,
};

/** A resend's number passed its destination's gate with the first message, and its session knows when a call may follow. */
export const RESEND_GATES: GateOrder = {
  gates: ["flow", "session_number", "shutdown", "captcha", "number", "pause", "overload"],
  flowInLog: () => "this flow",
};

/** @returns the number and the effective control where every gate lets the request pass */
export async function gate(
  deps: GateNeeds,
  { gates, flowInLog }: GateOrder,
  request: GateRequest,
): Promise<{ kind: "passed"; phone: Phone; control: EffectiveControl } | Refused> {
  const control = await readEffectiveControl(deps);
  const { policy, admission } = deps;
  const service = { policy, admission, control, nowMs: deps.nowMs(), flowInLog };
  for (const name of gates) {
    const refusal = GATES[name](request, service);
    if (refusal) return refused(refusal);
  }
  const { phone } = request;
  return "kind" in phone ? refused(phone) : { kind: "passed", phone, control };
}

interface Service {
  policy: Policy;
  admission: Pick<Deps["admission"], "mayAsk">;
  control: EffectiveControl;
  nowMs: number;
  flowInLog: GateOrder["flowInLog"];
}

type GateName =
  | "flow"
  | "session_number"
  | "shutdown"
  | "number"
  | "destination"
  | "pause"
  | "text_first"
  | "captcha"
  | "overload";

/** Each refuses, or returns null. Gates that look at the number let one pass that could not be read: `number` refuses it. */
const GATES: Record<GateName, (request: GateRequest, service: Service) => Refusal | null> = {
  flow: ({ caller: { server }, flow }, { flowInLog }) =>
    server && !mayUseFlow(server, flow)
      ? { kind: "unauthorized", cause: `key ${server.keyId} may not use ${flowInLog(flow)}` }
      : null,

  session_number: ({ isSessionNumber }) =>
    isSessionNumber ? null : invalid("phone", "is not the number of this session"),

  shutdown: (_, { control }) => refuseShutdown(control),

  number: ({ phone }) => ("kind" in phone ? phone : null),

  destination: ({ phone, channel, flow }, { policy }) =>
    "kind" in phone
      ? null
      : refuseNumber(phone, channel, policy.numbers, policy.flows[flow]?.countries ?? policy.countries),

  pause: ({ phone, flow }, { control, nowMs }) =>
    "kind" in phone ? null : refusePaused(control, { country: phone.country, flow }, nowMs),

  // A landline hears nothing but calls. One that only a lookup knows for such passes here, and admission looks it up.
  text_first: ({ phone, channel }, { policy }) =>
    "kind" in phone || !isEarlyCall(phone, channel, policy.delivery) || policy.lookup.provider !== "none"
      ? null
      : CALL_TOO_EARLY,

  captcha: ({ caller, captchaToken }, { policy, control }) =>
    captchaToken === undefined && captchaWanted({ policy }, control, caller)
      ? { kind: "challenge_required", fresh: false, factors: [] }
      : null,

  // The last gate: what is refused anyway asks no store.
  overload: (_, { admission }) =>
    admission.mayAsk()
      ? null
      : { kind: "sending_paused", cause: "store overloaded", retryAfterSeconds: OVERLOAD_SECONDS },
};

/** A client comes back after this long; until then the store has caught up, or refuses it as quickly again. */
const OVERLOAD_SECONDS = 5;

const invalid = (field: string, reason: string): Refusal => ({
  kind: "invalid_request",
  errors: [{ field, reason }],
});
