/** What several of the policy's tables are made of. */
import { z } from "zod";

/** In seconds, as all durations of the policy but those that name another unit. */
export const HOUR = 3600;
export const DAY = 24 * HOUR;

export const seconds = (min: number, max: number) => z.int().min(min).max(max);
export const name = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "must be lower-case letters, digits and _");
export const channel = z.enum(["sms", "voice", "whatsapp"]);
export const country = z
  .string()
  .regex(/^([A-Z]{2}|\*)$/, "must be an ISO 3166-1 alpha-2 code in capitals, or *");
export const limitRules = z
  .array(z.strictObject({ max: z.int().min(1), window_seconds: seconds(1, 30 * 86_400) }))
  .min(1);
