/** The monitor: from when on a count is a finding, and how long bans last. */
import * as z from "zod";
import { type PolicyOf, seconds } from "../kernel/shapes.policy.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

const isRising = (curve: readonly (readonly [number, number])[]) =>
  curve.every(([age, share], i) => age > (curve[i - 1]?.[0] ?? -1) && share >= (curve[i - 1]?.[1] ?? 0));

/** A share of findings that chance alone may cause, per judgement. */
const falseAlarm = z.number().gt(0).max(0.01);

export const monitorPolicy = z
  .strictObject({
    window_minutes: z.int().min(5).max(60).default(15),
    /** Fewer due sends than this say nothing. */
    min_sends: z.int().min(5).default(30),
    /** Below this share of verified messages it is an attack; 60 to 80 % is normal. */
    alarm_ratio: z.number().gt(0).lt(1).default(0.3),
    /** Once alarmed, a ratio under this is not healthy yet. */
    clear_ratio: z.number().gt(0).lt(1).default(0.4),
    /** Healthy minutes before the monitor lowers the posture by a step. */
    clear_after_minutes: z.int().min(1).default(15),
    /** How long a posture holds that the monitor raised and does not renew. */
    flag_seconds: seconds(60, DAY_SECONDS).default(HOUR_SECONDS),
    /** A run that comes this long after the last one is itself worth an alert. */
    late_after_minutes: z.int().min(2).max(60).default(5),
    /** Times to verify before anything has been measured: by so many seconds, this share of those who will has verified. */
    answer_curve: z
      .array(z.tuple([z.number().min(0), z.number().min(0).max(1)]))
      .min(2)
      .refine(isRising, { error: "ages and shares must rise" })
      .default([
        [5, 0],
        [15, 0.35],
        [30, 0.65],
        [60, 0.85],
        [120, 0.95],
        [180, 1],
      ]),
    /** Sequential test of a subject's conversion against its own history. */
    collapse: z
      .strictObject({
        /** Messages a subject must have in its history (they fade) to have one. */
        history_sent: z.int().min(10).default(50),
        /** The alternative: conversion at this share of what it was. */
        to_share: z.number().gt(0).lt(0.8).default(0.05),
        false_alarm: falseAlarm.default(0.0008),
      })
      .prefault({}),
    /** Messages against the same time of day in the past week. */
    volume: z
      .strictObject({ factor: z.number().min(1.2).default(2), min_sent: z.int().min(10).default(60) })
      .prefault({}),
    /** Messages to a country or prefix without history. */
    new_destination: z.strictObject({ min_sent: z.int().min(1).default(3) }).prefault({}),
    /** Different numbers that one source asks for in the window. */
    sources: z
      .strictObject({
        numbers_per_address: z.int().min(2).default(8),
        numbers_per_network: z.int().min(10).default(100),
      })
      .prefault({}),
    /** Many of a number range's messages to one hundred of its numbers. */
    dense: z
      .strictObject({
        min_sent: z.int().min(3).default(5),
        false_alarm: falseAlarm.default(0.000001),
      })
      .prefault({}),
    /** Requests that met a used-up budget, against what is usual. */
    turned_away: z
      .strictObject({ min: z.int().min(5).default(60), factor: z.number().min(1).default(4) })
      .prefault({}),
    /** Times the hourly part of the plan (`money.plan_day_micros`). */
    spend: z.strictObject({ hour_factor: z.number().min(1).default(3) }).prefault({}),
    /** Spend that rose while the outcomes a backend reports did not. */
    outcomes: z
      .strictObject({
        window_minutes: z.int().min(60).max(1440).default(240),
        min_outcomes: z.int().min(10).default(50),
        spend_factor: z.number().min(1).default(1.5),
        false_alarm: falseAlarm.default(0.0001),
      })
      .prefault({}),
    /** A provider's messages that were refused or came back undelivered. */
    delivery: z
      .strictObject({
        min_sent: z.int().min(5).default(20),
        failing_share: z.number().gt(0).max(1).default(0.3),
      })
      .prefault({}),
    /**
     * Messages of one number range that providers took for fraud in the window, from which on the range is banned. One or two
     * may be an error of the vendor's, which people hear of.
     */
    fraud: z.strictObject({ min_verdicts: z.int().min(1).default(3) }).prefault({}),
    /** Bans by the monitor. */
    blocks: z
      .strictObject({
        first_seconds: seconds(300, DAY_SECONDS).default(HOUR_SECONDS),
        /** Each return within a week is for this many times longer. */
        factor: z.number().min(1).max(24).default(4),
        longest_seconds: seconds(HOUR_SECONDS, 30 * DAY_SECONDS).default(7 * DAY_SECONDS),
        /** One message in this time goes through as a probe, to see whether it is verified. */
        probe_seconds: seconds(60, DAY_SECONDS).default(900),
        /** Bans at once; those that would end first give way. */
        most: z.int().min(1).max(500).default(200),
      })
      .prefault({}),
  })
  .prefault({});

export type MonitorPolicy = PolicyOf<typeof monitorPolicy>;
