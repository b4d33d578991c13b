/** Keycloak with the SMS authenticator of netzbegruenung/keycloak-mfa-plugins, which hands over a text and no code. */
import * as z from "zod";
import { type DeliveryHook, international, readTable, refusalStatus } from "./hook.ts";

const table = z.record(z.string(), z.unknown());

/** Digits that stand alone: the code of a text that holds one. */
const CODES = /(?<![0-9])[0-9]{4,10}(?![0-9])/g;

export const keycloakSms: DeliveryHook = {
  system: "keycloak",
  path: "",
  limitMs: 9000,
  read(body, contentType, { compat }) {
    const isForm = contentType === "application/x-www-form-urlencoded";
    const read = table.safeParse(isForm ? Object.fromEntries(new URLSearchParams(body)) : readTable(body));
    if (!read.success) return null;
    const { number_field, text_field } = compat.hooks.keycloak;
    const [to, text] = [read.data[number_field], read.data[text_field]];
    if (typeof to !== "string" || typeof text !== "string") return null;
    const [code, ...others] = text.match(CODES) ?? [];
    return code === undefined || others.length > 0 ? null : { to: international(to), code };
  },
  sent: {},
  refuse: (problem) => ({
    status: refusalStatus(problem),
    body: { code: problem.code, message: problem.title },
  }),
};
