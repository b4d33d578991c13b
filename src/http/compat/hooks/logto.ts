/** Logto's HTTP SMS connector (https://docs.logto.io/integrations/http-sms). */
import * as z from "zod";
import { type DeliveryHook, international, readTable, refusalStatus } from "./hook.ts";

const sms = z.object({
  to: z.string().max(40),
  payload: z.object({ code: z.string(), locale: z.string().max(35).optional() }),
});

export const logtoSms: DeliveryHook = {
  system: "logto",
  path: "",
  limitMs: 9000,
  read(body) {
    const read = sms.safeParse(readTable(body));
    if (!read.success) return null;
    const { to, payload } = read.data;
    return { to: international(to), code: payload.code, locale: payload.locale };
  },
  sent: {},
  refuse: (problem) => ({
    status: refusalStatus(problem),
    body: { code: problem.code, message: problem.title },
  }),
};
