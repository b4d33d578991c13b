/** Bodies and queries of operators. They are strict: an unknown field is a mistake, and mistakes here stop a service. */
import * as z from "zod";
import { isReadableText } from "../../domain/access/operator.ts";
import { POSTURES } from "../../domain/kernel/posture.ts";
import { DAY_SECONDS } from "../../domain/kernel/time.ts";
import { SUBJECT_DIMENSIONS } from "../../flows/operators/views/read-subjects.ts";
import { TALLY_SPANS } from "../../flows/operators/views/read-tally-lines.ts";

/** KV keeps nothing shorter than a minute; what lasts longer than a month is policy. */
const SHORTEST_SECONDS = 60;
const LONGEST_SECONDS = 30 * DAY_SECONDS;

export const durationField = z.int().min(SHORTEST_SECONDS).max(LONGEST_SECONDS);
export const whyField = z.string().trim().min(3).max(200).refine(isReadableText, {
  error: "must not hold control characters, lone surrogates or what turns the direction of text",
});

/** Exactly one of these fields. */
export function exactlyOneOf<T extends object>(...fields: (keyof T & string)[]) {
  return {
    holds: (body: T) => fields.filter((field) => body[field] !== undefined).length === 1,
    fault: { path: [fields[0] ?? ""], error: `give exactly one of ${fields.join(", ")}` },
  };
}

export const postureBody = z.strictObject({
  posture: z.enum(POSTURES),
  for_seconds: durationField,
  why: whyField,
  lift_caps: z.boolean().default(false),
});

export const whyBody = z.strictObject({ why: whyField });

const throttle = z.strictObject({
  percent: z.int().min(1).max(100).optional(),
  max_per_minute: z.int().min(1).max(1_000_000).optional(),
  for_seconds: durationField,
  why: whyField,
});
const amount = exactlyOneOf<z.infer<typeof throttle>>("percent", "max_per_minute");
export const throttleBody = throttle.refine(amount.holds, amount.fault);

const blocked = z.strictObject({
  range: z
    .string()
    .regex(/^\+[1-9]\d{0,14}$/, "must be the first digits of a number, like +23480")
    .optional(),
  network: z
    .string()
    .regex(/^AS[1-9]\d{0,9}$/, "must be an AS number, like AS64500")
    .optional(),
  ip: z.union([z.ipv4(), z.ipv6()], { error: "must be an IPv4 or IPv6 address" }).optional(),
  /** A ban for strangers, or a fresh challenge for them. */
  effect: z.enum(["stop", "challenge"]).default("stop"),
  for_seconds: durationField,
  why: whyField,
});
const target = exactlyOneOf<z.infer<typeof blocked>>("range", "network", "ip");
export const banBody = blocked.refine(target.holds, target.fault);

const unblocked = z.strictObject({
  /** Range, network, address, or an address as the list shows it. */
  subject: z.string().min(1).max(64),
  why: whyField,
  exempt_for_seconds: durationField.optional(),
  /** Ends the challenge alone: a ban of the monitor stays. */
  effect: z.literal("challenge").optional(),
});
export const liftBanBody = unblocked.refine(
  ({ effect, exempt_for_seconds }) => effect === undefined || exempt_for_seconds === undefined,
  { path: ["effect"], error: "give effect or exempt_for_seconds, not both" },
);

const count = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max));

const ranges = z.strictObject({
  by: z.enum(SUBJECT_DIMENSIONS).default("country"),
  minutes: count(15, 120).optional(),
  hours: count(1, 192).optional(),
  limit: count(1, 500).default(50),
});
export const rangesQuery = ranges.refine(
  ({ minutes, hours }) => minutes === undefined || hours === undefined,
  { path: ["minutes"], error: "give minutes or hours, not both" },
);

export const rulesQuery = z.strictObject({ span: z.enum(TALLY_SPANS).default("day") });

export const listQuery = z.strictObject({ limit: count(1, 500).default(100) });

/** Ids of incidents and dead letters. */
export const isRecordId = (text: string): boolean => /^[\w.:+*-]{1,256}$/.test(text);
