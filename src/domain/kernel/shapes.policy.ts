/** Shapes that the policy's tables share. Durations are in seconds wherever a key names no other unit. */
import * as z from "zod";
import { CHANNELS } from "./channel.ts";

/** The values of a policy table as the service reads them: checked, defaults filled in, and read-only all the way down. */
export type PolicyOf<Table extends z.ZodType> = DeepReadonly<z.output<Table>>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A whole number of seconds between two bounds, both included. */
export const seconds = (min: number, max: number) => z.int().min(min).max(max);

/** A name the operator chooses: of a flow, a group, an outcome. */
export const name = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "must be lower-case letters, digits and _");

export const channel = z.enum(CHANNELS);

/** A telephone country, or `*` for every country. */
export const country = z
  .string()
  .regex(/^([A-Z]{2}|\*)$/, "must be an ISO 3166-1 alpha-2 code in capitals, or *");
