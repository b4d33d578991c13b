/** The routes in one screen. Each reads its request, calls one flow, and puts the outcome on the wire. */

import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { routePath } from "hono/route";
import { secureHeaders } from "hono/secure-headers";
import { JWKS_CACHE_SECONDS } from "../domain/access/key-age.ts";
import { DAY_SECONDS } from "../domain/kernel/time.ts";
import { SessionUnreachable, UNREACHABLE_RETRY_SECONDS } from "../domain/session/unreachable.ts";
import type { RefusedAnswer } from "../flows/verification/publish-and-answer.ts";
import { readSessionStatus } from "../flows/verification/read-session-status.ts";
import { resend } from "../flows/verification/resend.ts";
import { send } from "../flows/verification/send.ts";
import { verify } from "../flows/verification/verify.ts";
import { opsApp } from "../ops/app.tsx";
import type { OpsDeps } from "../ops/page.ts";
import { type AdminDeps, adminApi } from "./admin.ts";
import { sentToWire, sessionStatusToWire, verifiedToWire } from "./answers.ts";
import { readBody } from "./body.ts";
import { boundBodies } from "./bound-bodies.ts";
import { type HookNeeds, systemHooks } from "./compat/hooks/app.ts";
import { twilioVerify } from "./compat/twilio/app.ts";
import { type VonageNeeds, vonageVerify } from "./compat/vonage/app.ts";
import { verifyBody } from "./contract.ts";
import { confirmedToWire, deliveredToWire, takeConfirmation, takeDelivery } from "./deliver.ts";
import { docsPages } from "./docs.ts";
import { finish } from "./finish.ts";
import { logInternalError } from "./log-internal-error.ts";
import { openApiDocument } from "./openapi.ts";
import { takeOutcomes } from "./outcomes.ts";
import { answerProblem, type ProblemWire, problemWire, refusalToWire } from "./problems.ts";
import { identifyCaller, readIdempotencyKey, readSend, type SendDeps } from "./read-send.ts";
import { takeReceipt } from "./receipts.ts";
import { DEV_CLIENT_HEADER, devClientUnreadable, sourceOf } from "./source.ts";

export type EnvironmentName = "development" | "staging" | "production";

/** What a page's tracing adds to its requests (W3C Trace Context, Baggage, Sentry); without leave it breaks them. */
const TRACING_HEADERS = ["traceparent", "tracestate", "baggage", "sentry-trace"];

export function createApp(
  deps: SendDeps & AdminDeps & OpsDeps & VonageNeeds & HookNeeds,
  environment: EnvironmentName,
) {
  const { policy, proofs, log, vault } = deps;
  const app = new Hono();

  app.use(secureHeaders());
  app.use(
    "/v1/*",
    cors({
      origin: policy.cors.origins.includes("*") ? "*" : [...policy.cors.origins],
      allowMethods: ["GET", "POST"],
      allowHeaders: [
        "authorization",
        "content-type",
        "idempotency-key",
        DEV_CLIENT_HEADER,
        ...TRACING_HEADERS,
      ],
      exposeHeaders: ["retry-after", "ratelimit", "ratelimit-policy"],
      maxAge: DAY_SECONDS,
    }),
  );
  app.use("/v1/*", async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });

  for (const doors of ["/v1/*", "/v2/*"]) {
    app.use(
      doors,
      boundBodies((c, failure) => problem(c, failure, vault.newId())),
    );
  }

  app.post("/v1/send", async (c) => {
    const correlationId = vault.newId();
    const request = await readSend(c, deps, environment);
    if ("wire" in request) return problem(c, request.wire, correlationId);
    if ("refusal" in request) return refuse(c, request.refusal, correlationId);
    const sending =
      request.kind === "resend"
        ? resend(deps, request.resend, request.caller)
        : send(deps, request.send, request.caller, correlationId);
    const outcome = await finish(deps, sending, correlationId);
    if (outcome.kind !== "sent") return refuse(c, outcome, correlationId);
    if (outcome.ownLimit) {
      // Of the caller's own limits only: a destination's headroom would tell an attacker where there is still room.
      c.header("RateLimit-Policy", `"own";q=${outcome.ownLimit.max}`);
      c.header("RateLimit", `"own";r=${outcome.ownLimit.remaining}`);
    }
    return c.json(sentToWire(outcome), 202);
  });

  app.post("/v1/verify", async (c) => {
    const requestId = vault.newId();
    const source = sourceOf(c, environment);
    if (!source) return refuse(c, devClientUnreadable, requestId);
    const body = await readBody(c, verifyBody);
    if (!body.ok) return problem(c, body.wire, requestId);
    const key = readIdempotencyKey(c);
    if ("kind" in key) return refuse(c, key, requestId);
    const { session, code, reference, client } = body.value;
    const caller = await identifyCaller(c, source, client, deps.apiKeys);
    if ("kind" in caller) return refuse(c, caller, requestId);
    const outcome = await finish(deps, verify(deps, { session, code, reference, ...key }, caller), requestId);
    return outcome.kind === "verified" ? c.json(verifiedToWire(outcome)) : refuse(c, outcome, requestId);
  });

  app.get("/v1/session", async (c) => {
    const requestId = vault.newId();
    const token = /^Bearer +([\w.-]{1,4096})$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (token === undefined) {
      const errors = [{ field: "Authorization", reason: "must be Bearer and the session token" }];
      return refuse(c, { kind: "invalid_request", errors }, requestId);
    }
    const outcome = await readSessionStatus(deps, token);
    return outcome.kind === "status" ? c.json(sessionStatusToWire(outcome)) : refuse(c, outcome, requestId);
  });

  app.post("/v1/outcomes", async (c) => {
    const requestId = vault.newId();
    const outcome = await takeOutcomes(c, deps);
    if ("wire" in outcome) return problem(c, outcome.wire, requestId);
    if (outcome.kind !== "reported") return refuse(c, outcome, requestId);
    return c.json({ accepted: outcome.accepted, repeated: outcome.repeated }, 202);
  });

  app.post("/v1/deliver", async (c) => {
    const correlationId = vault.newId();
    const outcome = await finish(deps, takeDelivery(c, deps, correlationId), correlationId);
    if ("wire" in outcome) return problem(c, outcome.wire, correlationId);
    return outcome.kind === "delivered"
      ? c.json(deliveredToWire(outcome), 202)
      : refuse(c, outcome, correlationId);
  });

  app.post("/v1/deliver/verified", async (c) => {
    const requestId = vault.newId();
    const outcome = await finish(deps, takeConfirmation(c, deps), requestId);
    if ("wire" in outcome) return problem(c, outcome.wire, requestId);
    return outcome.kind === "confirmed" ? c.json(confirmedToWire(outcome)) : refuse(c, outcome, requestId);
  });

  app.on(["GET", "POST"], "/v1/receipts/:provider", async (c) => {
    const answer = await takeReceipt(c, deps);
    return "wire" in answer ? problem(c, answer.wire, vault.newId()) : answer;
  });

  app.route("/v1/hooks", systemHooks(deps));
  app.route("/v2", twilioVerify(deps));
  app.route("/v2/verify", vonageVerify(deps));
  app.route("/admin/v1", adminApi(deps));
  app.route("/ops", opsApp(deps));

  app.route("/", docsPages());
  app.get("/.well-known/jwks.json", async (c) => {
    const published = await proofs.publicKeys();
    return "kind" in published
      ? refuse(c, { ...published, kind: "proof_unavailable", retryAfterSeconds: 5 }, vault.newId())
      : c.json(published, 200, { "cache-control": `public, max-age=${JWKS_CACHE_SECONDS}` });
  });
  app.get("/openapi.json", (c) => c.json(openApiDocument(policy.proof.issuer)));
  app.get("/healthz", (c) => c.json({ status: "ok", environment }));

  app.notFound((c) => problem(c, unknownRoute(c), vault.newId()));
  app.onError((error, c) => {
    const correlationId = vault.newId();
    if (error instanceof SessionUnreachable) {
      const retryAfterSeconds = UNREACHABLE_RETRY_SECONDS;
      return refuse(c, { kind: "sending_paused", cause: error.message, retryAfterSeconds }, correlationId);
    }
    logInternalError(deps, error, correlationId);
    return answerProblem(c, problemWire(500, "internal_error", "Something broke on our side"), correlationId);
  });
  return app;

  function refuse(c: Context, refusal: RefusedAnswer, requestId: string) {
    const cause = "cause" in refusal ? refusal.cause : null;
    const { kind, correlationId = requestId } = refusal;
    // A session that is over is named in the log alone: its name in the answer would tell a genuine token from a forged one.
    const id = kind === "session_gone" ? requestId : correlationId;
    return problem(c, refusalToWire(refusal, policy.captcha), id, { cause, sessionsId: correlationId });
  }

  function problem(
    c: Context,
    failure: ProblemWire,
    correlationId: string,
    { cause = null, sessionsId = correlationId }: { cause?: string | null; sessionsId?: string } = {},
  ) {
    const named = sessionsId === correlationId ? {} : { session_correlation_id: sessionsId };
    const path = routePath(c, -1);
    log("refused", { correlation_id: correlationId, ...named, path, code: failure.code, cause });
    return answerProblem(c, failure, correlationId);
  }

  function unknownRoute(c: Context): ProblemWire {
    const known = app.routes.filter(({ path, method }) => path === c.req.path && method !== "ALL");
    if (known.length === 0) return problemWire(404, "not_found", "There is nothing here");
    c.header("Allow", [...new Set(known.map(({ method }) => method))].join(", "));
    return problemWire(405, "method_not_allowed", "Not with this method");
  }
}
