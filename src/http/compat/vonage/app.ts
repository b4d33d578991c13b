/**
 * Vonage Verify v2, as its own clients speak it (https://developer.vonage.com/en/api/verify.v2): a client whose host is this
 * service runs unchanged. Applications come with a token that they signed, whose public key the policy has; others with HTTP
 * Basic and one of our API keys as its password.
 */

import { type Context, Hono } from "hono";
import * as z from "zod";
import type { ApiKey } from "../../../domain/access/api-key.ts";
import { CHANNELS, type Channel } from "../../../domain/kernel/channel.ts";
import type { Refusal } from "../../../domain/kernel/refusal.ts";
import { SessionUnreachable, UNREACHABLE_RETRY_SECONDS } from "../../../domain/session/unreachable.ts";
import {
  cancelVerification,
  checkVerification,
  findVerification,
  keepVerification,
} from "../../../flows/verification/named-verification.ts";
import type { RefusedAnswer } from "../../../flows/verification/publish-and-answer.ts";
import {
  resendNamed,
  type StartNeeds,
  startVerification,
} from "../../../flows/verification/start-verification.ts";
import type { VerifyNeeds } from "../../../flows/verification/verify.ts";
import type { ApiKeyLookupPort, ApplicationTokens } from "../../../ports/access.ts";
import { readBody } from "../../body.ts";
import { callerFor } from "../../deliver.ts";
import { finish } from "../../finish.ts";
import { logInternalError } from "../../log-internal-error.ts";
import type { ProblemWire } from "../../problems.ts";
import { keyOfBasic, readBasic, refuseFlow } from "../basic.ts";
import { newRequestBody, readWorkflow } from "./new-request.ts";
import {
  BROKEN,
  conflictWith,
  INVALID_CODE,
  invalidParams,
  NOT_FOUND,
  TRY_LATER,
  UNAUTHORIZED,
  type VonageProblem,
  vonageProblem,
} from "./problems.ts";

export type VonageNeeds = StartNeeds &
  VerifyNeeds & { apiKeys: ApiKeyLookupPort; applicationTokens: ApplicationTokens };

/** An application, or the holder of a key. */
interface Entered {
  key: Omit<ApiKey, "name">;
  flow: string;
  /** Requests are the application's own: another one's are not found. */
  scope: string;
}

const REQUEST_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const checkBody = z.object({ code: z.string().regex(/^[0-9A-Za-z]{4,10}$/) });

export function vonageVerify(deps: VonageNeeds) {
  const { policy, vault, log } = deps;
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });

  app.post("/", async (c) => {
    const correlationId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, correlationId);
    const body = await readBody(c, newRequestBody);
    if (!body.ok) return fail(c, invalidBody(body.wire), correlationId);
    const workflow = readWorkflow(body.value.workflow, policy);
    if ("status" in workflow) return fail(c, workflow, correlationId);
    const { key, flow, scope } = entered;
    const { locale, client_ref: reference } = body.value;
    const request = { ...workflow, flow, scope, locale, reference, userId: undefined, creates: null };
    const starting = startVerification(
      deps,
      { ...request, whilePending: "conflict" },
      callerFor(key, undefined),
      correlationId,
    );
    const started = await finish(deps, starting, correlationId);
    if (started.kind !== "started" && started.kind !== "conflict") return refuse(c, started, correlationId);
    const requestId = started.verification.claims.sessionId;
    return started.kind === "started"
      ? c.json({ request_id: requestId }, 202)
      : fail(c, conflictWith(requestId), correlationId);
  });

  app.post("/:id", async (c) => {
    const correlationId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, correlationId);
    const body = await readBody(c, checkBody);
    const id = c.req.param("id");
    if (!REQUEST_ID.test(id)) return fail(c, NOT_FOUND, correlationId);
    if (!body.ok) return fail(c, INVALID_CODE, correlationId);
    const typed = { name: { id }, code: body.value.code };
    const checking = checkVerification(deps, entered.scope, typed, callerFor(entered.key, undefined));
    const { answer } = await finish(deps, checking, correlationId);
    if (answer.kind === "verified")
      return c.json({ request_id: id, status: "completed", proof: answer.proof });
    // The code was right and is used up; only the signer of proofs is silent.
    return answer.kind === "proof_unavailable"
      ? c.json({ request_id: id, status: "completed" })
      : refuse(c, answer, correlationId);
  });

  app.post("/:id/next_workflow", async (c) => {
    const correlationId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, correlationId);
    const moved = await finish(deps, nextWorkflow(entered, c.req.param("id")), correlationId);
    if (moved === "moved") return c.json({});
    return "status" in moved ? fail(c, moved, correlationId) : refuse(c, moved, correlationId);
  });

  app.delete("/:id", async (c) => {
    const correlationId = vault.newId();
    const entered = await enter(c);
    if ("status" in entered) return fail(c, entered, correlationId);
    const id = c.req.param("id");
    if (!REQUEST_ID.test(id)) return fail(c, NOT_FOUND, correlationId);
    const cancelled = await cancelVerification(deps, entered.scope, { id });
    return cancelled.kind === "cancelled" ? c.body(null, 204) : refuse(c, cancelled, correlationId);
  });

  app.onError((error, c) => {
    const correlationId = vault.newId();
    if (error instanceof SessionUnreachable) {
      const retryAfterSeconds = UNREACHABLE_RETRY_SECONDS;
      return refuse(c, { kind: "sending_paused", cause: error.message, retryAfterSeconds }, correlationId);
    }
    logInternalError(deps, error, correlationId);
    return fail(c, BROKEN, correlationId);
  });
  return app;

  async function enter(c: Context): Promise<Entered | VonageProblem> {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    if (token !== undefined) return application(token);
    const key = await keyOfBasic(readBasic(c), deps.apiKeys);
    if ("kind" in key) return vonageProblem(key);
    const { flow } = policy.compat.vonage;
    const refusal = refuseFlow(key, flow);
    if (refusal) return vonageProblem(refusal);
    return Object.hasOwn(policy.flows, flow) ? { key, flow, scope: "vonage" } : UNAUTHORIZED;
  }

  async function application(token: string): Promise<Entered | VonageProblem> {
    const id = await deps.applicationTokens.identify(token);
    const known = id === null ? undefined : policy.compat.vonage.applications[id];
    if (id === null || known === undefined) return UNAUTHORIZED;
    const { flow, max_per_minute: maxPerMinute } = known;
    const key = { keyId: `vonage.${id}`, flows: [flow], skipCaptcha: true, maxPerMinute };
    return { key, flow, scope: `vonage ${id}` };
  }

  /** By the first of the channels that follow which is allowed by now, else by the present one once more. */
  async function nextWorkflow(
    { key, scope }: Entered,
    id: string,
  ): Promise<"moved" | VonageProblem | RefusedAnswer> {
    const found = REQUEST_ID.test(id) ? await findVerification(deps, scope, { id }) : null;
    if (found?.view.status !== "pending") return NOT_FOUND;
    const following = found.nextChannels.filter(isChannel);
    if (following.length === 0) return TRY_LATER;
    const isOpen = (name: Channel) =>
      found.view.nextChannels.some(
        ({ channel, availableInSeconds }) => channel === name && availableInSeconds === 0,
      );
    const next = following.findIndex(isOpen);
    const resent = await resendNamed(
      deps,
      found,
      following[next] ?? found.view.channel,
      callerFor(key, undefined),
    );
    if (resent.kind === "too_many_requests") {
      return { ...TRY_LATER, retryAfterSeconds: resent.retryAfterSeconds };
    }
    if (resent.kind !== "started" && resent.kind !== "conflict") return resent;
    if (next >= 0) {
      await keepVerification(deps, scope, { token: found.token, nextChannels: following.slice(next + 1) });
    }
    return "moved";
  }

  function refuse(c: Context, refusal: RefusedAnswer, requestId: string) {
    const failure = vonageProblem<Refusal["kind"]>(refusal);
    return fail(c, failure, refusal.correlationId ?? requestId, "cause" in refusal ? refusal.cause : null);
  }

  function fail(c: Context, failure: VonageProblem, correlationId: string, cause: string | null = null) {
    const { status, title, name, detail, retryAfterSeconds, more = {} } = failure;
    log("refused", { correlation_id: correlationId, path: c.req.routePath, code: `vonage ${name}`, cause });
    if (status === 401) c.header("WWW-Authenticate", "Bearer, Basic");
    if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
    const type = `https://developer.vonage.com/api-errors#${name}`;
    const body = JSON.stringify({ title, type, detail, instance: correlationId, ...more });
    return c.body(body, status, { "content-type": "application/problem+json" });
  }
}

const isChannel = (name: string): name is Channel => (CHANNELS as readonly string[]).includes(name);

/** A body that cannot be read, in the vendor's form. */
const invalidBody = ({ title, extension }: ProblemWire): VonageProblem =>
  invalidParams(
    (extension.errors ?? [{ field: "body", reason: title }]).map(({ field, reason }) => ({
      name: field,
      reason,
    })),
  );
