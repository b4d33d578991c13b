/** The gateway, for systems that make and check their codes themselves: `/v1/deliver` and `/v1/deliver/verified`. */
import type { Context } from "hono";
import * as z from "zod";
import { type ApiKey, mayUseFlow } from "../domain/access/api-key.ts";
import type { FieldError, Refusal } from "../domain/kernel/refusal.ts";
import {
  type ConfirmNeeds,
  confirmDelivery,
  type DeliveryConfirmed,
} from "../flows/verification/confirm-delivery.ts";
import {
  type CodeDelivered,
  type DeliverCodeNeeds,
  deliverCode,
  GATEWAY_SCOPE,
} from "../flows/verification/deliver-code.ts";
import type { RefusedAnswer } from "../flows/verification/publish-and-answer.ts";
import type { ApiKeyLookupPort } from "../ports/access.ts";
import type { Caller, LimitsPort } from "../ports/admission.ts";
import type { Deps } from "../ports/deps.ts";
import { authenticateServer, clientFacts, refuseByKeyLimit } from "./authenticate.ts";
import { readBody } from "./body.ts";
import { channel, correlationId, locale, reference, text } from "./contract.ts";
import type { ProblemWire } from "./problems.ts";
import { readIdempotencyKey } from "./read-send.ts";

const flow = text(32).default("default").meta({ description: "What the code is for", example: "login" });
const to = text(40).meta({ description: "The number, in E.164", example: "+919876543210" });
/** What a code may be at all; the policy (`gateway.codes`) decides on letters. */
const code = z
  .string()
  .regex(/^[0-9A-Z]{4,10}$/, "must be 4 to 10 digits, or capital letters where the policy has them")
  .meta({ description: "The code, which is delivered as it is", example: "012345" });

export const deliverBody = z
  .strictObject({
    to,
    code,
    ip: clientFacts.shape.ip
      .optional()
      .meta({ description: "The end user's address: it has limits of its own", example: "192.0.2.1" }),
    flow,
    user: text(128).optional().meta({ description: "The end user, in your words", example: "u_3f9c" }),
    locale: locale.optional().meta({ example: "en-IN" }),
    channel: channel.default("sms"),
    reference: reference.optional(),
  })
  .meta({ id: "DeliverRequest" });

export const deliverAnswer = z
  .object({
    correlation_id: correlationId,
    channel,
    masked_phone: z.string().meta({ example: "+91••••••••10" }),
    repeated: z.boolean().meta({
      description:
        "True where an earlier call delivered this code to this number, and no second message left",
      example: false,
    }),
  })
  .meta({ id: "DeliverAnswer" });

export const deliverVerifiedBody = z
  .strictObject({
    correlation_id: text(64)
      .optional()
      .meta({ description: "Of the delivery", example: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11" }),
    to: to.optional(),
    code: code.optional(),
    flow,
  })
  .refine(
    ({ correlation_id, to, code }) =>
      (correlation_id === undefined) !== (to === undefined || code === undefined),
    { path: ["correlation_id"], error: "is required, or `to` and `code` in its place" },
  )
  .meta({ id: "DeliverVerifiedRequest" });

export const deliverVerifiedAnswer = z
  .object({
    status: z.literal("verified"),
    correlation_id: correlationId,
    repeated: z.boolean().meta({ description: "True where it was known already", example: false }),
  })
  .meta({ id: "DeliverVerifiedAnswer" });

export type GatewayNeeds = DeliverCodeNeeds &
  ConfirmNeeds &
  Pick<Deps, "policy"> & { apiKeys: ApiKeyLookupPort; limits: LimitsPort };

/** Reads and delivers a code that a server brings. */
export async function takeDelivery(
  c: Context,
  deps: GatewayNeeds,
  correlationId: string,
): Promise<CodeDelivered | RefusedAnswer | { wire: ProblemWire }> {
  const key = await authenticateServer(c, deps.apiKeys);
  if ("kind" in key) return key;
  const body = await readBody(c, deliverBody);
  if (!body.ok) return { wire: body.wire };
  const idempotency = readIdempotencyKey(c);
  if ("kind" in idempotency) return idempotency;
  const { to, code, ip, flow, user, locale, channel, reference } = body.value;
  const refusal = refuseDelivery(deps, key, { code, flow, channel });
  if (refusal) return refusal;
  const input = {
    phone: to,
    givenCode: code,
    flow,
    channel,
    locale,
    reference,
    userId: user,
    ...idempotency,
  };
  return deliverCode(deps, { ...input, scope: GATEWAY_SCOPE }, callerFor(key, ip), correlationId);
}

/** Reads and takes in the news that a delivered code was typed. */
export async function takeConfirmation(
  c: Context,
  deps: GatewayNeeds,
): Promise<DeliveryConfirmed | RefusedAnswer | { wire: ProblemWire }> {
  const key = await authenticateServer(c, deps.apiKeys);
  if ("kind" in key) return key;
  const body = await readBody(c, deliverVerifiedBody);
  if (!body.ok) return { wire: body.wire };
  const limited = await refuseByKeyLimit(deps, key, "verified");
  if (limited) return limited;
  const { correlation_id: correlationId, to, code, flow } = body.value;
  const which = correlationId === undefined ? { flow, phone: to ?? "", code: code ?? "" } : { correlationId };
  if (!("correlationId" in which) && !mayUseFlow(key, flow)) return { kind: "flow_refused", flow };
  return confirmDelivery(deps, GATEWAY_SCOPE, which, callerFor(key, undefined));
}

/** A server, and the end user's address where it states one: its own says nothing of anybody, and no limit is drawn on it. */
export function callerFor(
  { keyId, flows, skipCaptcha, maxPerMinute }: Omit<ApiKey, "name">,
  ip: string | undefined,
): Caller {
  const server = { keyId, flows, skipCaptcha, maxPerMinute };
  return { ip: ip ?? null, asn: null, country: null, server };
}

/** Refuses what the policy does not have: a flow, a channel, letters in a code; and a flow that is not the key's. */
function refuseDelivery(
  { policy }: Pick<Deps, "policy">,
  key: Pick<ApiKey, "flows">,
  { code, flow, channel }: Pick<z.output<typeof deliverBody>, "code" | "flow" | "channel">,
): Refusal | null {
  const { channels } = policy.delivery;
  const errors: FieldError[] = [];
  if (!Object.hasOwn(policy.flows, flow)) {
    const reason = `is not known; known: ${Object.keys(policy.flows).join(", ")}`;
    errors.push({ field: "flow", reason });
  }
  if (!channels.includes(channel)) {
    errors.push({ field: "channel", reason: `is not offered; offered: ${channels.join(", ")}` });
  }
  if (!isDeliverableCode(policy, code)) errors.push({ field: "code", reason: "must be 4 to 10 digits" });
  if (errors.length > 0) return { kind: "invalid_request", errors };
  return mayUseFlow(key, flow) ? null : { kind: "flow_refused", flow };
}

/** True for a code that the policy lets others bring. */
export const isDeliverableCode = ({ gateway }: Pick<Deps["policy"], "gateway">, code: string): boolean =>
  (gateway.codes === "digits" ? /^[0-9]{4,10}$/ : /^[0-9A-Z]{4,10}$/).test(code);

export const deliveredToWire = (delivered: CodeDelivered): z.infer<typeof deliverAnswer> => ({
  correlation_id: delivered.correlationId,
  channel: delivered.channel,
  masked_phone: delivered.maskedPhone,
  repeated: delivered.repeated,
});

export const confirmedToWire = (confirmed: DeliveryConfirmed): z.infer<typeof deliverVerifiedAnswer> => ({
  status: "verified",
  correlation_id: confirmed.correlationId,
  repeated: confirmed.repeated,
});
