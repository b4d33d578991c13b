/** Rate limits: how much is asked for, whatever becomes of it. */
import * as z from "zod";
import { type PolicyOf, seconds } from "../kernel/shapes.policy.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

const limitRule = z.strictObject({ max: z.int().min(1), window_seconds: seconds(1, 30 * DAY_SECONDS) });

/** At most `max` in any `window_seconds`. */
export type LimitRule = PolicyOf<typeof limitRule>;

/** Several windows at once: all must have room. */
export const limitRules = z.array(limitRule).min(1);

export const limitPolicy = z
  .strictObject({
    /**
     * Messages per number: no tighter than the waits and the number of one session's messages (`resend`), or a person who does
     * as told is refused. Three texts and the call that may follow them fit into one session.
     */
    number: limitRules.default([
      { max: 1, window_seconds: 60 },
      { max: 4, window_seconds: 600 },
      { max: 10, window_seconds: DAY_SECONDS },
    ]),
    /** Requests per internet address (IPv6 by /64): a household, or a small office. */
    ip: limitRules.default([
      { max: 10, window_seconds: HOUR_SECONDS },
      { max: 50, window_seconds: DAY_SECONDS },
    ]),
    /** Distinct numbers per internet address. */
    numbers_per_ip: limitRules.default([
      { max: 10, window_seconds: HOUR_SECONDS },
      { max: 30, window_seconds: DAY_SECONDS },
    ]),
    /** Requests per device id, as the client claims it. */
    device: limitRules.default([{ max: 10, window_seconds: HOUR_SECONDS }]),
    /** Requests per user, as a server with an API key names them. */
    user: limitRules.default([{ max: 10, window_seconds: HOUR_SECONDS }]),
    /** Messages of the whole service in a minute, counted where money is: refused requests take nothing. */
    service_per_minute: z.int().min(1).default(600),
    /** Wrong codes per internet address, over all its sessions. */
    wrong_codes_per_ip: limitRules.default([{ max: 30, window_seconds: HOUR_SECONDS }]),
  })
  .prefault({});

export type LimitPolicy = PolicyOf<typeof limitPolicy>;
