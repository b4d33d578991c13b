/** The actions of the switch page: the form of each, its consequences in words, and its flow. */
import * as z from "zod";
import { POSTURES } from "../domain/kernel/posture.ts";
import { DAY_SECONDS } from "../domain/kernel/time.ts";
import { roundedDurationText } from "../flows/audit/run-operator-action.ts";
import { measureUsualRate } from "../flows/monitor/measure-usual-rate.ts";
import { clearPosture, clearThrottle, setPosture, setThrottle } from "../flows/operators/change-posture.ts";
import { readPosture } from "../flows/operators/views/read-posture.ts";
import { defineAction, type OpsAction } from "./page.ts";
import { documentText, postureMeans, utcText } from "./posture-words.ts";

/** KV keeps nothing shorter than a minute; what lasts longer than a month is policy. */
export const switchDurationField = z
  .string()
  .regex(/^\d{1,7}$/, "must be whole seconds")
  .transform(Number)
  .pipe(
    z
      .int()
      .min(60)
      .max(30 * DAY_SECONDS),
  );

const none = z.object({});

const unreadNote = (unread: boolean) =>
  unread ? ["What is set now cannot be read; this replaces it, whatever it is."] : [];

const posture = defineAction({
  path: "/switch/posture",
  title: "Set the posture",
  back: "/switch",
  fields: z.object({
    posture: z.enum(POSTURES),
    for_seconds: switchDurationField,
    lift_caps: z.literal("yes").optional(),
  }),
  async intent(deps, { posture, for_seconds, lift_caps }) {
    const now = await readPosture(deps);
    const untilMs = deps.nowMs() + for_seconds * 1000;
    const throttle = now.operator?.max_per_minute;
    return {
      says: [
        `The posture goes from ${now.posture} to ${posture}, and is held there for ${roundedDurationText(for_seconds * 1000)}, until ${utcText(untilMs)}.`,
        postureMeans(posture, deps.policy),
        "The watch neither raises nor lowers it meanwhile.",
        ...(posture === "normal" ? ["An attack that begins meanwhile raises nothing."] : []),
        ...(lift_caps ? ["Spend caps hold nothing back as long: money runs on over them."] : []),
        ...(throttle === undefined ? [] : [`The throttle of ${throttle} messages a minute stays.`]),
        "Every place acts on it within a minute.",
        ...unreadNote(now.unread),
      ],
      replaces: documentText(now.operator),
      button: posture === "shutdown" ? "Stop all sending" : `Hold at ${posture}`,
      laxer: lift_caps === "yes" || POSTURES.indexOf(posture) < POSTURES.indexOf(now.posture),
    };
  },
  perform: (deps, act, { posture, for_seconds, lift_caps }) =>
    setPosture(deps, act, { posture, forSeconds: for_seconds, liftCaps: lift_caps === "yes" }),
});

const clear = defineAction({
  path: "/switch/clear",
  title: "Back to normal",
  back: "/switch",
  fields: none,
  async intent(deps) {
    const now = await readPosture(deps);
    return {
      says: [
        `The posture goes from ${now.posture} to normal. ${postureMeans("normal", deps.policy)}`,
        "The watch raises it again over messages that leave from now on; to hold it, set normal for a time.",
        ...(now.operator?.max_per_minute === undefined ? [] : ["The throttle is taken off too."]),
        ...(now.operator?.caps_lifted ? ["Spend caps hold again."] : []),
        ...unreadNote(now.unread),
      ],
      replaces: documentText(now.operator),
      button: "Back to normal",
      laxer: true,
    };
  },
  perform: (deps, act) => clearPosture(deps, act),
});

const throttleFields = z
  .object({
    unit: z.enum(["percent", "per_minute"]),
    amount: z
      .string()
      .regex(/^\d{1,7}$/, "must be a whole number")
      .transform(Number)
      .pipe(z.int().min(1).max(1_000_000)),
    for_seconds: switchDurationField,
  })
  .refine(({ unit, amount }) => unit !== "percent" || amount <= 100, {
    path: ["amount"],
    error: "is at most 100 percent",
  });

const throttle = defineAction({
  path: "/switch/throttle",
  title: "Throttle",
  back: "/switch",
  fields: throttleFields,
  async intent(deps, { unit, amount, for_seconds }) {
    const now = await readPosture(deps);
    const normal = unit === "percent" ? await measureUsualRate(deps.monitorState, deps.nowMs()) : null;
    if (normal?.from === "nothing") {
      const reason = "of normal means nothing yet: what is normal is not known. Give messages a minute";
      return { kind: "invalid", errors: [{ field: "percent", reason }] };
    }
    const most = normal === null ? amount : Math.max(1, Math.round((normal.perMinute * amount) / 100));
    return {
      says: [
        `The whole service sends at most ${most} ${most === 1 ? "message" : "messages"} a minute for ${roundedDurationText(for_seconds * 1000)}.`,
        ...(normal === null
          ? []
          : [`That is ${amount} % of the normal ${Math.round(normal.perMinute * 10) / 10} a minute.`]),
        "Who comes after them is asked to wait, honest people too.",
        now.operator !== null && now.operator.holds_posture !== false
          ? `The posture is held at ${now.posture} as long.`
          : "The watch goes on deciding on the posture.",
        ...unreadNote(now.unread),
      ],
      replaces: documentText(now.operator),
      button: `At most ${most} a minute`,
    };
  },
  perform: (deps, act, { unit, amount, for_seconds: forSeconds }) =>
    setThrottle(deps, act, {
      ...(unit === "percent" ? { percent: amount } : { maxPerMinute: amount }),
      forSeconds,
    }),
});

const unthrottle = defineAction({
  path: "/switch/unthrottle",
  title: "Take the throttle off",
  back: "/switch",
  fields: none,
  async intent(deps) {
    const { operator } = await readPosture(deps);
    if (operator?.max_per_minute === undefined) return { kind: "not_found", reason: "There is no throttle." };
    return {
      says: [
        `The service sends as many messages as it is asked for, no longer at most ${operator.max_per_minute} a minute.`,
        "Limits, budgets and spend caps hold as before.",
      ],
      replaces: documentText(operator),
      button: "Take it off",
      laxer: true,
    };
  },
  perform: (deps, act) => clearThrottle(deps, act),
});

export const SWITCH_ACTIONS: readonly OpsAction[] = [posture, clear, throttle, unthrottle];
