/** Authgear's custom SMS gateway (https://docs.authgear.com). */
import * as z from "zod";
import type { ProblemCode } from "../../contract.ts";
import { type DeliveryHook, international, readTable, refusalStatus } from "./hook.ts";

const sms = z.object({
  to: z.string().max(40),
  language_tag: z.string().max(35).optional(),
  template_variables: z.object({ code: z.string() }),
});

const NUMBER_PROBLEMS: readonly ProblemCode[] = [
  "number_invalid",
  "number_type_refused",
  "country_not_served",
];

export const authgearSms: DeliveryHook = {
  system: "authgear",
  path: "",
  limitMs: 4500,
  read(body) {
    const read = sms.safeParse(readTable(body));
    if (!read.success) return null;
    const { to, language_tag: locale, template_variables } = read.data;
    return { to: international(to), code: template_variables.code, locale };
  },
  sent: { code: "ok" },
  refuse(problem) {
    const code = NUMBER_PROBLEMS.includes(problem.code)
      ? "invalid_phone_number"
      : refusalStatus(problem) === 429
        ? "rate_limited"
        : "delivery_rejected";
    return { status: refusalStatus(problem), body: { code, error_description: problem.title } };
  },
};
