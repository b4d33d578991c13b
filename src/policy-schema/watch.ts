/** The watch: what alarms it, what a posture changes, who is told. */
import { z } from "zod";
import { ALERT_CHANNELS, OWNER_ROLES } from "../domain/monitor/alert.ts";
import { DAY, HOUR, seconds } from "./shapes.ts";

const rising = (curve: readonly (readonly [number, number])[]) =>
  curve.every(([age, share], i) => age > (curve[i - 1]?.[0] ?? -1) && share >= (curve[i - 1]?.[1] ?? 0));

export const monitor = z
  .strictObject({
    window_minutes: z.int().min(5).max(60).default(15),
    min_sends: z.int().min(5).default(30),
    alarm_ratio: z.number().gt(0).lt(1).default(0.3),
    // Once alarmed, it takes this much to be healthy again.
    clear_ratio: z.number().gt(0).lt(1).default(0.4),
    clear_after_minutes: z.int().min(1).default(15),
    flag_seconds: seconds(60, 86_400).default(3600),
    late_after_minutes: z.int().min(2).max(60).default(5),
    answer_curve: z
      .array(z.tuple([z.number().min(0), z.number().min(0).max(1)]))
      .min(2)
      .refine(rising, { error: "ages and shares must rise" })
      .default([
        [5, 0],
        [15, 0.35],
        [30, 0.65],
        [60, 0.85],
        [120, 0.95],
        [180, 1],
      ]),
    collapse: z
      .strictObject({
        history_sent: z.int().min(10).default(50),
        to_share: z.number().gt(0).lt(0.8).default(0.05),
        false_alarm: z.number().gt(0).max(0.01).default(0.0008),
      })
      .prefault({}),
    volume: z
      .strictObject({ factor: z.number().min(1.2).default(2), min_sent: z.int().min(10).default(60) })
      .prefault({}),
    new_destination: z.strictObject({ min_sent: z.int().min(1).default(3) }).prefault({}),
    sources: z
      .strictObject({
        numbers_per_address: z.int().min(2).default(8),
        numbers_per_network: z.int().min(10).default(100),
      })
      .prefault({}),
    dense: z
      .strictObject({
        min_sent: z.int().min(3).default(5),
        false_alarm: z.number().gt(0).max(0.01).default(0.000001),
      })
      .prefault({}),
    turned_away: z
      .strictObject({ min: z.int().min(5).default(60), factor: z.number().min(1).default(4) })
      .prefault({}),
    spend: z.strictObject({ hour_factor: z.number().min(1).default(3) }).prefault({}),
    outcomes: z
      .strictObject({
        window_minutes: z.int().min(60).max(1440).default(240),
        min_outcomes: z.int().min(10).default(50),
        spend_factor: z.number().min(1).default(1.5),
        false_alarm: z.number().gt(0).max(0.01).default(0.0001),
      })
      .prefault({}),
    delivery: z
      .strictObject({
        min_sent: z.int().min(5).default(20),
        failing_share: z.number().gt(0).max(1).default(0.3),
      })
      .prefault({}),
    blocks: z
      .strictObject({
        first_seconds: seconds(300, DAY).default(HOUR),
        factor: z.number().min(1).max(24).default(4),
        longest_seconds: seconds(HOUR, 30 * DAY).default(7 * DAY),
        probe_seconds: seconds(60, DAY).default(900),
        most: z.int().min(1).max(500).default(200),
      })
      .prefault({}),
  })
  .prefault({});

const postureRules = (defaults: {
  challenge?: "as_usual" | "always";
  limit_factor?: number;
  unknown_ranges?: "as_usual" | "challenge" | "stop";
}) =>
  z
    .strictObject({
      challenge: z.enum(["as_usual", "always"]).default(defaults.challenge ?? "as_usual"),
      fresh_challenge: z.boolean().default(false),
      limit_factor: z
        .number()
        .gt(0)
        .max(1)
        .default(defaults.limit_factor ?? 1),
      unknown_ranges: z
        .enum(["as_usual", "challenge", "stop"])
        .default(defaults.unknown_ranges ?? "as_usual"),
    })
    .prefault({});

export const postures = z
  .strictObject({
    elevated: postureRules({ challenge: "always" }),
    emergency: postureRules({ challenge: "always", limit_factor: 0.5, unknown_ranges: "stop" }),
  })
  .prefault({});

export const alerts = z
  .strictObject({
    owners: z
      .array(
        z.strictObject({
          role: z.enum(OWNER_ROLES),
          name: z.string().min(1).max(80),
          channels: z.array(z.enum(ALERT_CHANNELS)),
          from: z.iso.datetime({ offset: true }).optional(),
          until: z.iso.datetime({ offset: true }).optional(),
        }),
      )
      .superRefine((owners, context) => {
        for (const role of OWNER_ROLES) {
          const permanent = owners.some((owner) => owner.role === role && !owner.from && !owner.until);
          if (!permanent) context.addIssue(`nobody owns ${role}: name an owner without dates`);
        }
      }),
    repeat_minutes: z.int().min(5).default(60),
    max_per_hour: z.int().min(1).default(20),
    runbook_url: z.string().min(1).default("https://github.com/your-team/tollgate#runbook"),
  })
  .prefault({ owners: [] });
