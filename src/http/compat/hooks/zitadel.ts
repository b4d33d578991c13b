/** Zitadel's SMS provider of the type HTTP (https://zitadel.com/docs/guides/manage/customize/notification-providers). */
import * as z from "zod";
import { type DeliveryHook, international, readTable, refusalStatus } from "./hook.ts";

const sms = z.object({
  contextInfo: z.object({ recipientPhoneNumber: z.string().max(40) }),
  args: z.object({ code: z.string() }),
});

export const zitadelSms: DeliveryHook = {
  system: "zitadel",
  path: "",
  limitMs: 9000,
  read(body) {
    const read = sms.safeParse(readTable(body));
    if (!read.success) return null;
    const { contextInfo, args } = read.data;
    return { to: international(contextInfo.recipientPhoneNumber), code: args.code };
  },
  sent: {},
  refuse: (problem) => ({
    status: refusalStatus(problem),
    body: { code: problem.code, message: problem.title },
  }),
};
