/** Supabase Auth: the Send SMS hook and the Custom Access Token hook (https://supabase.com/docs/guides/auth/auth-hooks). */
import * as z from "zod";
import { type DeliveryHook, international, readTable, refusalStatus } from "./hook.ts";

const sendSms = z.object({
  user: z.object({ id: z.string().max(128).optional(), phone: z.string().max(40).optional() }),
  sms: z.object({ otp: z.string(), phone: z.string().max(40).optional() }),
});

/**
 * Each of its three tries, all within five seconds, has a new `webhook-id`: number and code tell that they are one. The address
 * in `metadata` falls back to a forwarded header that its sender writes, so that nothing is judged by it.
 */
export const supabaseSendSms: DeliveryHook = {
  system: "supabase",
  path: "/send-sms",
  limitMs: 4500,
  read(body) {
    const read = sendSms.safeParse(readTable(body));
    if (!read.success) return null;
    const { user, sms } = read.data;
    // A number that is being changed stands in `sms`, the old one in `user`.
    const to = sms.phone || user.phone;
    return to ? { to: international(to), code: sms.otp, user: user.id } : null;
  },
  sent: {},
  refuse: (problem) => ({
    status: 200,
    body: { error: { http_code: refusalStatus(problem), message: problem.title } },
  }),
};

const accessToken = z.object({
  claims: z.looseObject({ phone: z.string().max(40).optional() }),
  authentication_method: z.string().optional(),
});

/** The claims to hand back, and the number whose code was typed; null for a body that is none of this hook's. */
export function readAccessToken(body: string): { claims: object; phone: string | null } | null {
  const read = accessToken.safeParse(readTable(body));
  if (!read.success) return null;
  const { claims, authentication_method: method } = read.data;
  const typed = method === "otp" && claims.phone ? international(claims.phone) : null;
  return { claims, phone: typed };
}
