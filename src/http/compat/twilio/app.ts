/**
 * Twilio Verify v2, as its own clients speak it (https://www.twilio.com/docs/verify/api): a client whose base URL is this service
 * runs unchanged. HTTP Basic with one of our API keys as its password; the user name comes back as `account_sid`.
 */

import { type Context, Hono } from "hono";
import type { ApiKey } from "../../../domain/access/api-key.ts";
import type { Refusal } from "../../../domain/kernel/refusal.ts";
import { SessionUnreachable, UNREACHABLE_RETRY_SECONDS } from "../../../domain/session/unreachable.ts";
import { type ConfirmNeeds, confirmDelivery } from "../../../flows/verification/confirm-delivery.ts";
import { deliverCode } from "../../../flows/verification/deliver-code.ts";
import {
  cancelVerification,
  checkVerification,
  findVerification,
  keepVerification,
  nameByNumber,
  type VerificationName,
} from "../../../flows/verification/named-verification.ts";
import type { RefusedAnswer } from "../../../flows/verification/publish-and-answer.ts";
import {
  type StartNeeds,
  type StartResult,
  startVerification,
} from "../../../flows/verification/start-verification.ts";
import type { VerifyNeeds } from "../../../flows/verification/verify.ts";
import type { ApiKeyLookupPort } from "../../../ports/access.ts";
import type { Deps } from "../../../ports/deps.ts";
import { callerFor } from "../../deliver.ts";
import { finish } from "../../finish.ts";
import { logInternalError } from "../../log-internal-error.ts";
import { keyOfBasic, readBasic, refuseFlow } from "../basic.ts";
import { readForm } from "../form.ts";
import { type CreateFields, readCreate } from "./create.ts";
import { BROKEN, invalidParameter, NOT_FOUND, TRY_AGAIN, type TwilioError, twilioError } from "./refusals.ts";
import { checkToWire, sessionIdOf, type TwilioPlace, verificationToWire } from "./wire.ts";

export type TwilioNeeds = StartNeeds &
  VerifyNeeds &
  ConfirmNeeds &
  Pick<Deps, "handles"> & { apiKeys: ApiKeyLookupPort };

/** A caller who may use the service that it names. */
interface Entered {
  key: ApiKey;
  flow: string;
  /** Verifications are the service's own: another one's are not found. */
  scope: string;
  place: TwilioPlace;
}

/** 4 to 10 of what a code may be made of. */
const CODE = /^[0-9A-Za-z]{4,10}$/;

export function twilioVerify(deps: TwilioNeeds) {
  const { policy, vault, log } = deps;
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });

  app.post("/Services/:service/Verifications", async (c) => {
    const correlationId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, correlationId);
    const form = await readForm(c);
    if ("fault" in form) return fail(c, invalidParameter(form.fault), correlationId);
    const fields = readCreate(form, policy);
    if ("status" in fields) return fail(c, fields, correlationId);
    const started = await finish(deps, start(entered, fields, correlationId), correlationId);
    return started.kind === "started"
      ? c.json(verificationToWire(started.verification, entered.place, "pending"), 201)
      : refuse(c, started as RefusedAnswer, correlationId);
  });

  app.post("/Services/:service/VerificationCheck", async (c) => {
    const requestId = vault.newId();
    try {
      return await finish(deps, check(c, requestId), requestId);
    } catch (error) {
      logInternalError(deps, error, requestId);
      return fail(c, TRY_AGAIN, requestId);
    }
  });

  app.get("/Services/:service/Verifications/:sid", async (c) => {
    const requestId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, requestId);
    const name = nameOf(c.req.param("sid"));
    const found = name && (await findVerification(deps, entered.scope, name));
    switch (found?.view.status) {
      case "pending":
        return c.json(verificationToWire(found, entered.place, "pending"));
      case "locked":
        return c.json(verificationToWire(found, entered.place, "max_attempts_reached"));
      default:
        return fail(c, NOT_FOUND, requestId);
    }
  });

  app.post("/Services/:service/Verifications/:sid", async (c) => {
    const requestId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, requestId);
    const form = await readForm(c);
    if ("fault" in form) return fail(c, invalidParameter(form.fault), requestId);
    const name = nameOf(c.req.param("sid"));
    if (name === null) return fail(c, NOT_FOUND, requestId);
    switch (form.get("Status")) {
      case "canceled": {
        const cancelled = await cancelVerification(deps, entered.scope, name);
        return cancelled.kind === "cancelled"
          ? c.json(verificationToWire(cancelled.found, entered.place, "canceled"))
          : refuse(c, cancelled, requestId);
      }
      case "approved":
        return approve(c, entered, name, requestId);
      default:
        return fail(c, invalidParameter("`Status`"), requestId);
    }
  });

  app.onError((error, c) => {
    const requestId = vault.newId();
    if (error instanceof SessionUnreachable) {
      const retryAfterSeconds = UNREACHABLE_RETRY_SECONDS;
      return refuse(c, { kind: "sending_paused", cause: error.message, retryAfterSeconds }, requestId);
    }
    logInternalError(deps, error, requestId);
    return fail(c, BROKEN, requestId);
  });
  return app;

  /** Who calls, and for which service: a key first, so that strangers learn of no service. */
  async function enter(c: Context): Promise<Entered | TwilioError> {
    const credentials = readBasic(c);
    const key = await keyOfBasic(credentials, deps.apiKeys);
    if ("kind" in key) return twilioError(key);
    const service = c.req.param("service") ?? "";
    const { services } = policy.compat.twilio;
    const flow = Object.hasOwn(services, service) ? services[service] : undefined;
    if (flow === undefined || !Object.hasOwn(policy.flows, flow)) return NOT_FOUND;
    const refusal = refuseFlow(key, flow);
    if (refusal) return twilioError(refusal);
    const place = { origin: new URL(c.req.url).origin, service, account: credentials?.user ?? "" };
    return { key, flow, scope: `twilio ${service}`, place };
  }

  async function start(
    { key, flow, scope }: Entered,
    fields: CreateFields,
    correlationId: string,
  ): Promise<StartResult> {
    const { to: phone, channel, locale, reference, customCode: givenCode } = fields;
    const caller = callerFor(key, fields.ip);
    const request = { phone, flow, channel, locale, reference, userId: undefined };
    if (givenCode === undefined) {
      const { creates } = policy.compat.twilio;
      const input = { ...request, scope, creates, whilePending: "resend" } as const;
      return startVerification(deps, input, caller, correlationId);
    }
    const input = { ...request, scope, givenCode, idempotencyKey: undefined };
    const delivered = await deliverCode(deps, input, caller, correlationId);
    if (delivered.kind !== "delivered") return delivered;
    const verification = await keepVerification(deps, scope, { token: delivered.session });
    return verification
      ? { kind: "started", verification }
      : { kind: "session_gone", cause: "ended while it began", correlationId };
  }

  async function check(c: Context, requestId: string): Promise<Response> {
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered.status >= 500 ? TRY_AGAIN : entered, requestId);
    const form = await readForm(c);
    if ("fault" in form) return fail(c, invalidParameter(form.fault), requestId);
    const code = form.get("Code") ?? "";
    if (!CODE.test(code)) return fail(c, invalidParameter("`Code`"), requestId);
    const [sid, to] = [form.get("VerificationSid"), form.get("To")];
    if (!sid && !to) return fail(c, invalidParameter("`To` or `VerificationSid`"), requestId);
    const name = sid ? nameBySid(sid) : nameByNumber(to ?? "");
    if (name === null) return fail(c, sid ? NOT_FOUND : invalidParameter("`To`"), requestId);
    const caller = callerFor(entered.key, undefined);
    const { found, answer } = await checkVerification(deps, entered.scope, { name, code }, caller);
    if (found === null) return fail(c, NOT_FOUND, requestId);
    const { place } = entered;
    if (answer.kind === "verified") return c.json(checkToWire(found, place, "approved", answer.proof));
    // The code was right and is used up; only the signer of proofs is silent.
    if (answer.kind === "proof_unavailable") return c.json(checkToWire(found, place, "approved"));
    if (answer.kind === "code_incorrect") return c.json(checkToWire(found, place, "pending"));
    return refuse(c, answer, requestId);
  }

  /** The word of a caller who brought the code: it was typed. For codes of ours it is refused. */
  async function approve(
    c: Context,
    { key, scope, place }: Entered,
    name: VerificationName,
    requestId: string,
  ) {
    const found = await findVerification(deps, scope, name);
    if (found === null) return fail(c, NOT_FOUND, requestId);
    const { sessionId, correlationId } = found.claims;
    if (sessionId !== correlationId) {
      return fail(c, invalidParameter("`Status` approved is for verifications with a CustomCode"), requestId);
    }
    const confirmed = await confirmDelivery(deps, scope, { correlationId }, callerFor(key, undefined));
    return confirmed.kind === "confirmed" && !confirmed.repeated
      ? c.json(verificationToWire(found, place, "approved"))
      : fail(c, NOT_FOUND, requestId);
  }

  function refuse(c: Context, refusal: RefusedAnswer, requestId: string) {
    const failure = twilioError<Refusal["kind"]>(refusal);
    return fail(c, failure, refusal.correlationId ?? requestId, "cause" in refusal ? refusal.cause : null);
  }

  function fail(c: Context, failure: TwilioError, correlationId: string, cause: string | null = null) {
    const { status, code, message, retryAfterSeconds } = failure;
    log("refused", { correlation_id: correlationId, path: c.req.routePath, code: `twilio ${code}`, cause });
    if (status === 401) c.header("WWW-Authenticate", 'Basic realm="Twilio API"');
    if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
    const more_info = `https://www.twilio.com/docs/errors/${code}`;
    return c.json({ code, message, more_info, status }, status);
  }
}

/** A SID, or the number in its place. */
const nameOf = (text: string): VerificationName | null => nameBySid(text) ?? nameByNumber(text);

function nameBySid(sid: string): VerificationName | null {
  const id = sessionIdOf(sid);
  return id === null ? null : { id };
}
