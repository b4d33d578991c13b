/**
 * Tollgate for the phone-number plugin of better-auth: it sends and checks the codes, and a refusal reaches the person.
 *
 * @see https://better-auth.com/docs/plugins/phone-number
 */
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { APIError, createAuthMiddleware } from "better-auth/api";
import { createServerClient, type Outcome, type ServerClientOptions } from "./server/service.ts";

export interface TollgatePhoneOptions extends ServerClientOptions {
  /** The flow of the policy; `default` where absent. */
  flow?: string | undefined;
  /** The person's address, from what your platform says of the request; never a header that its sender writes. */
  clientIp(request: Request | undefined): string;
}

export interface TollgatePhone {
  /** Beside `phoneNumber` in `plugins`: it sends before the endpoint answers, which may send in the background. */
  plugin: BetterAuthPlugin;
  sendOTP(data: { phoneNumber: string }, ctx?: GenericEndpointContext): Promise<void>;
  sendPasswordResetOTP(data: { phoneNumber: string }, ctx?: GenericEndpointContext): Promise<void>;
  verifyOTP(data: { phoneNumber: string; code: string }, ctx?: GenericEndpointContext): Promise<boolean>;
}

const SEND_PATH = "/phone-number/send-otp";
/** As long as a session of the service can live. */
const SESSION_MS = 600_000;

const identifierOf = (phoneNumber: string) => `tollgate-session-${phoneNumber}`;

/** What `phoneNumber` of better-auth needs to have its codes sent and checked by the service. */
export function tollgatePhone({
  flow = "default",
  clientIp,
  ...options
}: TollgatePhoneOptions): TollgatePhone {
  const tollgate = createServerClient(options);
  const clientOf = (ctx: GenericEndpointContext) => ({ ip: clientIp(ctx.request) });

  async function start(phoneNumber: string, ctx: GenericEndpointContext): Promise<void> {
    const sent = await tollgate.send({ phone: phoneNumber, flow, client: clientOf(ctx) });
    if (!sent.ok) throw refusal(sent);
    await ctx.context.internalAdapter.createVerificationValue({
      identifier: identifierOf(phoneNumber),
      value: sent.answer.session,
      expiresAt: new Date(Date.now() + SESSION_MS),
    });
  }

  return {
    plugin: {
      id: "tollgate",
      hooks: {
        before: [
          {
            matcher: ({ path }) => path === SEND_PATH,
            handler: createAuthMiddleware(async (ctx) => {
              const phoneNumber: unknown = ctx.body?.phoneNumber;
              if (typeof phoneNumber === "string") await start(phoneNumber, ctx);
            }),
          },
        ],
      },
    },
    // better-auth's own code is thrown away: the one that was sent is the service's.
    async sendOTP({ phoneNumber }, ctx) {
      if (ctx !== undefined && ctx.path !== SEND_PATH) await start(phoneNumber, ctx);
    },
    async sendPasswordResetOTP({ phoneNumber }, ctx) {
      if (ctx !== undefined) await start(phoneNumber, ctx);
    },
    async verifyOTP({ phoneNumber, code }, ctx) {
      const kept = await ctx?.context.internalAdapter.findVerificationValue(identifierOf(phoneNumber));
      if (ctx === undefined || !kept) return false;
      const verified = await tollgate.verify({ session: kept.value, code, client: clientOf(ctx) });
      if (verified.ok) return true;
      if (verified.code === "too_many_attempts" || verified.problem === undefined) throw refusal(verified);
      return false;
    },
  };
}

/** A refusal as better-auth tells people of it. */
function refusal({ code, problem }: Extract<Outcome<unknown>, { ok: false }>): APIError {
  const retryAfter = problem?.retry_after;
  const status =
    problem === undefined || problem.status >= 500 ? "SERVICE_UNAVAILABLE" : STATUSES[problem.status];
  return new APIError(
    status ?? "FORBIDDEN",
    { code: code.toUpperCase(), message: problem?.title ?? "No codes are sent at the moment" },
    retryAfter === undefined ? {} : { "retry-after": String(retryAfter) },
  );
}

const STATUSES: Record<number, "BAD_REQUEST" | "FORBIDDEN" | "UNPROCESSABLE_ENTITY" | "TOO_MANY_REQUESTS"> = {
  400: "BAD_REQUEST",
  403: "FORBIDDEN",
  422: "UNPROCESSABLE_ENTITY",
  429: "TOO_MANY_REQUESTS",
};
