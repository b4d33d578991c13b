/** Shapes that the policy's tables share. Durations are in seconds wherever a key names no other unit. */
import * as z from "zod";
import { CHANNELS } from "./channel.ts";
import { ruleCountryFault } from "./country.ts";

/** The values of a policy table as the service reads them: checked, defaults filled in, and read-only all the way down. */
export type PolicyOf<Table extends z.ZodType> = DeepReadonly<z.output<Table>>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A whole number of seconds between two bounds, both included. */
export const seconds = (min: number, max: number) => z.int().min(min).max(max);

/** A name the operator chooses: of a flow, a group, an outcome. */
export const name = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "must be lower-case letters, digits and _");

export const channel = z.enum(CHANNELS);

const ISO_CODE = /^[A-Z]{2}$/;

/** A telephone country: an ISO 3166-1 alpha-2 code that numbers can be of. */
export const countryCode = z.string().superRefine((code, context) => {
  const fault = ISO_CODE.test(code)
    ? ruleCountryFault(code)
    : "must be an ISO 3166-1 alpha-2 code in capitals";
  if (fault !== null) context.addIssue(fault);
});

/** A telephone country, or `*` for every country. */
export const country = z.string().superRefine((code, context) => {
  if (code === "*") return;
  const fault = ISO_CODE.test(code)
    ? ruleCountryFault(code)
    : "must be an ISO 3166-1 alpha-2 code in capitals, or *";
  if (fault !== null) context.addIssue(fault);
});
