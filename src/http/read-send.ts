import type { Context } from "hono";
import type { Source } from "../domain/admission/source.ts";
import type { FieldError, Refusal } from "../domain/kernel/refusal.ts";
import type { ResendInput, SendInput } from "../flows/verification/request.ts";
import type { ApiKeyLookupPort } from "../ports/access.ts";
import type { Caller } from "../ports/admission.ts";
import type { Deps } from "../ports/deps.ts";
import { authenticate, type StatedClient } from "./authenticate.ts";
import { fieldErrors, NAMING_INPUT, readBody } from "./body.ts";
import { idempotencyKey, sendBody } from "./contract.ts";
import type { ProblemWire } from "./problems.ts";
import { devClientUnreadable, sourceOf } from "./source.ts";

export type SendDeps = Deps & { apiKeys: ApiKeyLookupPort };

export type SendReading =
  | { kind: "send"; send: SendInput; caller: Caller }
  | { kind: "resend"; resend: ResendInput; caller: Caller }
  | { refusal: Refusal }
  | { wire: ProblemWire };

/** Reads a send or a resend, with who asks for it, from a request; or says what is wrong with it. */
export async function readSend(
  c: Context,
  { apiKeys, policy }: SendDeps,
  environment: string,
): Promise<SendReading> {
  const source = sourceOf(c, environment);
  if (!source) return { refusal: devClientUnreadable };
  const read = await readBody(c, sendBody);
  if (!read.ok) return { wire: read.wire };
  const body = read.value;
  const key = readIdempotencyKey(c);
  if ("kind" in key) return { refusal: key };
  const caller = await identifyCaller(c, source, body.client, apiKeys);
  if ("kind" in caller) return { refusal: caller };

  const { channels } = policy.delivery;
  if (!channels.includes(body.channel)) {
    return invalid([{ field: "channel", reason: `is not offered; offered: ${channels.join(", ")}` }]);
  }
  const { phone, region, flow, channel, locale, reference, session } = body;
  const tokens = {
    captchaToken: body.captcha_token,
    deviceToken: body.device_token,
    deviceId: body.device_id,
  };
  if (session !== undefined) {
    return { kind: "resend", resend: { session, phone, region, channel, ...tokens }, caller };
  }
  // Not `in`: a flow named "constructor" is not one of ours.
  if (!Object.hasOwn(policy.flows, flow)) {
    return invalid([
      { field: "flow", reason: `is not known; known: ${Object.keys(policy.flows).join(", ")}` },
    ]);
  }
  const request = {
    phone: phone ?? "",
    region,
    flow,
    channel,
    locale,
    reference,
    userId: body.user_id,
    ...tokens,
  };
  return { kind: "send", send: { ...request, ...key }, caller };
}

/** The header `Idempotency-Key`, where there is one. */
export function readIdempotencyKey(c: Context): { idempotencyKey: string | undefined } | Refusal {
  const key = idempotencyKey.safeParse(c.req.header("Idempotency-Key"), NAMING_INPUT);
  if (key.success) return { idempotencyKey: key.data };
  const errors = fieldErrors(key.error).map(({ reason }) => ({ field: "Idempotency-Key", reason }));
  return { kind: "invalid_request", errors };
}

/** The caller as the flows see it: the platform's word for a public client, the server's word for its end user. */
export async function identifyCaller(
  c: Context,
  source: Source,
  client: StatedClient | undefined,
  apiKeys: ApiKeyLookupPort,
): Promise<Caller | Refusal> {
  const who = await authenticate(c, client, apiKeys);
  if (who.kind === "public") return { ...source, server: null };
  if (who.kind !== "server") return who;
  const { keyId, flows, skipCaptcha, maxPerMinute, user } = who;
  return { ...user, server: { keyId, flows, skipCaptcha, maxPerMinute } };
}

const invalid = (errors: FieldError[]): SendReading => ({ refusal: { kind: "invalid_request", errors } });
