/**
 * Hooks of systems that make and check their codes themselves. Each is an adapter in a file of its own over the gateway: signature,
 * body, and the form of a refusal. A hook serves once its secret is set; until then nothing is there.
 */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { HookSystem } from "../../../domain/access/hook-system.ts";
import { type ConfirmNeeds, confirmDelivery } from "../../../flows/verification/confirm-delivery.ts";
import {
  type CodeDelivered,
  type DeliverCodeNeeds,
  deliverCode,
} from "../../../flows/verification/deliver-code.ts";
import {
  findVerification,
  keepVerification,
  nameByNumber,
} from "../../../flows/verification/named-verification.ts";
import { GIVEN_SECONDS } from "../../../flows/verification/open-session.ts";
import type { RefusedAnswer } from "../../../flows/verification/publish-and-answer.ts";
import type { Caller } from "../../../ports/admission.ts";
import type { HookSignatures } from "../../../ports/hooks.ts";
import { locale as localeSchema } from "../../contract.ts";
import { callerFor, isDeliverableCode } from "../../deliver.ts";
import { finish } from "../../finish.ts";
import { answerProblem, type ProblemWire, problemWire, refusalToWire } from "../../problems.ts";
import { authgearSms } from "./authgear.ts";
import type { DeliveryHook, HookDelivery } from "./hook.ts";
import { keycloakSms } from "./keycloak.ts";
import { logtoSms } from "./logto.ts";
import { readAccessToken, supabaseSendSms } from "./supabase.ts";
import { zitadelSms } from "./zitadel.ts";

const DELIVERY_HOOKS: readonly DeliveryHook[] = [
  supabaseSendSms,
  logtoSms,
  authgearSms,
  zitadelSms,
  keycloakSms,
];

export type HookNeeds = DeliverCodeNeeds & ConfirmNeeds & { hookSignatures: HookSignatures };

const NOT_FOUND = problemWire(404, "not_found", "There is nothing here");
const FORGED = problemWire(401, "unauthorized", "This signature is not good");
const UNREADABLE = problemWire(400, "invalid_request", "The request cannot be read", {
  errors: [{ field: "body", reason: "is not what this hook sends" }],
});
/** The same call again finds the delivery that is under way. */
const STILL_SENDING = problemWire(503, "in_progress", "The message is on its way; repeat the call", {
  retry_after: 1,
});

export function systemHooks(deps: HookNeeds) {
  const { policy, vault, log } = deps;
  const app = new Hono();

  for (const hook of DELIVERY_HOOKS) {
    app.post(`/${hook.system}${hook.path}`, async (c) => {
      const correlationId = vault.newId();
      const call = await readCall(c, hook.system);
      if ("status" in call) return fail(c, call, correlationId);
      const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
      const asked = hook.read(call.text, type, policy);
      if (asked === null || !isDeliverableCode(policy, asked.code)) return fail(c, UNREADABLE, correlationId);
      const delivering = finish(deps, deliver(hook.system, asked, correlationId), correlationId);
      const answer = await Promise.race([delivering, deps.pause(hook.limitMs).then(() => null)]);
      if (answer === null || answer.kind === "in_progress") return fail(c, STILL_SENDING, correlationId);
      if (answer.kind === "delivered") return c.json(hook.sent as object);
      const problem = refusalToWire(answer, policy.captcha);
      logRefusal(c, problem, answer.correlationId ?? correlationId, "cause" in answer ? answer.cause : null);
      const { status, body } = hook.refuse(problem);
      return c.json(body as object, status as ContentfulStatusCode);
    });
  }

  app.post("/supabase/access-token", async (c) => {
    const correlationId = vault.newId();
    const call = await readCall(c, "supabase");
    if ("status" in call) return fail(c, call, correlationId);
    const read = readAccessToken(call.text);
    if (read === null) return fail(c, UNREADABLE, correlationId);
    // A sign-in never waits for us, and never fails with us.
    if (read.phone !== null) deps.defer(confirmNumber("supabase", read.phone), correlationId);
    return c.json({ claims: read.claims });
  });
  return app;

  async function readCall(c: Context, system: HookSystem): Promise<{ text: string } | ProblemWire> {
    const body = new Uint8Array(await c.req.arrayBuffer());
    const checked = await deps.hookSignatures.check(system, { headers: c.req.raw.headers, body });
    if (checked === "unset") return NOT_FOUND;
    if (checked === "forged") return FORGED;
    try {
      return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body) };
    } catch {
      return UNREADABLE;
    }
  }

  async function deliver(
    system: HookSystem,
    { to, code, locale, user }: HookDelivery,
    correlationId: string,
  ): Promise<CodeDelivered | RefusedAnswer> {
    const { flow, caller, scope } = partsOf(system);
    const language = localeSchema.safeParse(locale);
    const delivered = await deliverCode(
      deps,
      {
        phone: to,
        givenCode: code,
        flow,
        channel: "sms",
        locale: language.success ? language.data : undefined,
        userId: user || undefined,
        reference: undefined,
        idempotencyKey: undefined,
        scope,
      },
      caller,
      correlationId,
    );
    // Some systems say whose code was typed, and not which.
    if (delivered.kind === "delivered") {
      await keepVerification(deps, scope, { token: delivered.session, lifeSeconds: GIVEN_SECONDS });
    }
    return delivered;
  }

  async function confirmNumber(system: HookSystem, phone: string): Promise<void> {
    const { caller, scope } = partsOf(system);
    const name = nameByNumber(phone);
    const found = name && (await findVerification(deps, scope, name));
    if (!found) return;
    await confirmDelivery(deps, scope, { correlationId: found.claims.correlationId }, caller);
  }

  function partsOf(system: HookSystem): { flow: string; caller: Caller; scope: string } {
    const { flow } = policy.compat.hooks[system];
    const maxPerMinute = policy.limits.service_per_minute;
    const key = { keyId: `hook.${system}`, flows: [flow], skipCaptcha: true, maxPerMinute };
    return { flow, caller: callerFor(key, undefined), scope: `hook ${system}` };
  }

  function fail(c: Context, problem: ProblemWire, correlationId: string) {
    logRefusal(c, problem, correlationId, null);
    return answerProblem(c, problem, correlationId);
  }

  function logRefusal(c: Context, { code }: ProblemWire, correlationId: string, cause: string | null) {
    log("refused", { correlation_id: correlationId, path: c.req.routePath, code, cause });
  }
}
