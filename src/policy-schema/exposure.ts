/** How much may be out unanswered, and where it is more or less. */
import { z } from "zod";
import { country, DAY, HOUR, limitRules, name, seconds } from "./shapes.ts";

const budget = (base: number, gain: number) =>
  z
    .strictObject({ base: z.number().min(0).default(base), gain: z.number().min(0).max(5).default(gain) })
    .prefault({});

export const exposure = z
  .strictObject({
    window_seconds: seconds(HOUR, 7 * DAY).default(DAY),
    // One person who asks three times and gives up.
    block: budget(3, 0.5),
    // That person and half of another.
    prefix: budget(5, 0.5),
    // Bears strangers of whom 68 in 100 answer, 1 / (1 + gain). What more they answer is the slack an attack finds.
    country: budget(5, 0.46),
    // A network has hundreds of addresses: twice what one may have.
    network: budget(10, 0.5),
    // A household, or an office in the minute before its first codes are typed.
    address: budget(5, 0.7),
    // Two countries' worth: forty at once are no more than this.
    unknown: budget(10, 0.5),
    // Travellers and VPNs are 3 in 100: room for a few abroad beside what an attack through `unknown` takes.
    odd: budget(20, 0.5),
    // One traveller who asks three times.
    odd_country: budget(3, 0.5),
    // Six countries' worth: a second line behind theirs.
    overall: budget(30, 0.5),
    // Of ten thousand numbers thirty strangers a day are a campaign; of a bought range they are all an attacker gets.
    block_density: z.int().min(1).default(30),
    slow_start: z
      .strictObject({ start: z.number().min(0).default(10), factor: z.number().min(1).default(2) })
      .prefault({}),
    reference_price_micros: z.int().positive().default(60_000),
    max_weight: z.number().min(1).max(100).default(3),
    history_verified: z.int().min(1).default(5),
    // With ten to a hundred strangers a day, two to three standard deviations are 4 to 20 units: 5 to 15 with the base.
    seasoned: z
      .strictObject({ verified_per_unit: z.int().min(1).default(20), most: z.int().min(0).default(10) })
      .prefault({}),
    // Three answers today, or twenty ever so that a thin day does not close a carrier's address to its strangers.
    proven: z
      .strictObject({
        verified: z.int().min(1).default(3),
        verified_ever: z.int().min(1).default(20),
        country: budget(10, 0.7),
        overall: budget(30, 0.7),
      })
      .prefault({}),
    // People and bots draw lots for it: larger leaks more, smaller loses whoever asks only once. See the lab's sweep.
    challenged: z
      .strictObject({
        window_seconds: seconds(300, 7 * DAY).default(1200),
        block: budget(2, 1),
        country: budget(4, 1),
        overall: budget(6, 1),
      })
      .prefault({}),
    // A minute is when people ask again. Larger serves no more of them, and leaks more to bots that come back too.
    returned: z
      .strictObject({
        after_seconds: seconds(30, 600).default(60),
        window_seconds: seconds(300, 7 * DAY).default(1200),
        country: budget(6, 1),
        overall: budget(8, 1),
      })
      .prefault({}),
    // Four codes a day nobody answers, and the second purse's two for its block: a bombed victim costs six.
    known: z
      .strictObject({
        window_seconds: seconds(HOUR, 7 * DAY).default(DAY),
        number: budget(4, 0),
        device: budget(4, 0.5),
        block: budget(10, 0.7),
        country: budget(20, 0.7),
        overall: budget(60, 0.7),
      })
      .prefault({}),
  })
  .prefault({});

export const groups = z
  .record(
    name,
    z.strictObject({
      countries: z.array(country).min(1),
      exposure: z
        .strictObject({
          block: budget(3, 0.5).optional(),
          prefix: budget(5, 0.5).optional(),
          country: budget(5, 0.5).optional(),
        })
        .transform(({ block, prefix, country }) => ({
          ...(block && { block }),
          ...(prefix && { prefix }),
          ...(country && { country }),
        }))
        .prefault({}),
      number_limits: limitRules.optional(),
    }),
  )
  .default({});
