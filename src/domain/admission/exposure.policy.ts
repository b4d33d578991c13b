/** Budgets of unverified messages: how many may be out, per destination and per source, and who draws on which pool. */
import * as z from "zod";
import { type PolicyOf, seconds } from "../kernel/shapes.policy.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

/**
 * A budget that somebody names; what it does not say has its default.
 *
 * @param base units that may be out before anything was ever verified
 * @param gain units of room that one verified unit earns
 */
export const namedBudget = (base: number, gain: number) =>
  z.strictObject({ base: z.number().min(0).default(base), gain: z.number().min(0).max(5).default(gain) });

/** A budget that is there with its defaults where nobody names it. */
const budget = (base: number, gain: number) => namedBudget(base, gain).prefault({});

/** `base` units may be out before anything was ever verified, and `gain` more for each verified unit. */
export type BudgetRule = PolicyOf<ReturnType<typeof budget>>;

/** The window of a small pool: short, so that whoever finds it empty may find room when they try again. */
const smallPoolWindow = seconds(300, 7 * DAY_SECONDS).default(1200);

export const exposurePolicy = z
  .strictObject({
    /** Strangers: over this window, every level must have room. */
    window_seconds: seconds(HOUR_SECONDS, 7 * DAY_SECONDS).default(DAY_SECONDS),
    /** Ten thousand numbers: one person who asks three times and gives up. */
    block: budget(3, 0.5),
    /** About one operator's series: that person and half of another. */
    prefix: budget(5, 0.5),
    /** Bears strangers of whom 68 in 100 verify, 1 / (1 + gain). Any conversion above that is the slack an attack finds. */
    country: budget(5, 0.46),
    /** A network has hundreds of addresses: twice what one may have. */
    network: budget(10, 0.5),
    /** A household, or an office in the minute before its first codes are typed. */
    address: budget(5, 0.7),
    /** All countries together that have verified less than `history_verified`. Two countries' worth: forty at once are no more. */
    unknown: budget(10, 0.5),
    /**
     * All requests together whose source does not fit their destination (hosting network, another country). Travellers and VPNs
     * are 3 in 100: room for a few abroad beside what an attack through `unknown` takes.
     */
    odd: budget(20, 0.5),
    /**
     * Those to one country, which draw on this and not on the country's own room, so that nobody uses it up from afar. One
     * traveller's session: three texts and the call.
     */
    odd_country: budget(4, 0.5),
    /** Six countries' worth: a second line behind theirs. */
    overall: budget(30, 0.5),
    /**
     * Messages to strangers that one range of ten thousand numbers may get in the window, verified or not. Thirty strangers a day
     * there are a campaign; of a bought range they are all an attacker gets, for bought conversion stops here.
     */
    block_density: z.int().min(1).default(30),
    /** Verified units count towards room only up to `start + factor x` those of earlier slots: room doubles at most so fast. */
    slow_start: z
      .strictObject({ start: z.number().min(0).default(10), factor: z.number().min(1).default(2) })
      .prefault({}),
    /**
     * In sums over countries a message weighs its price over this one's, from 1 up to `max_weight`; everywhere else it is one
     * message. With 2.5 a session's four fit `unknown`, the smallest of those sums.
     */
    reference_price_micros: z.int().positive().default(60_000),
    max_weight: z.number().min(1).max(100).default(2.5),
    /**
     * Gains learned from the messages and answers of earlier days: `factor` times (1 - r) / r at a conversion of r, which is what
     * the shipped gains are at 72 %, up to `most`, once `least_verified` were verified.
     */
    learned_gain: z
      .strictObject({
        factor: z.number().min(1).max(2).default(1.2),
        least: z.number().min(0).max(5).default(0.3),
        most: z.number().min(0).max(5).default(1.2),
        least_verified: z.int().min(1).default(50),
      })
      .prefault({}),
    /** Verifications ever (with gaps under 30 days) that give a country a history. */
    history_verified: z.int().min(1).default(5),
    /**
     * A larger base for what has verified for long: one unit more for so many verifications ever, at most `most`. Chance weighs
     * more on ten people a day than on a thousand, and a country that verified hundreds is no stranger on a thin day. With ten to
     * a hundred strangers a day, two to three standard deviations are 4 to 20 units: 5 to 15 with the base.
     */
    seasoned: z
      .strictObject({ verified_per_unit: z.int().min(1).default(20), most: z.int().min(0).default(10) })
      .prefault({}),
    /**
     * Strangers' verifications, in the window or ever, that make an address evidence for its next stranger, and what may be out
     * on such evidence: it stands in for the country's room and not for every bound. Three today, or twenty ever so that a thin
     * day does not close a carrier's address to its strangers.
     */
    proven: z
      .strictObject({
        verified: z.int().min(1).default(3),
        verified_ever: z.int().min(1).default(20),
        country: budget(10, 0.7),
        overall: budget(30, 0.7),
      })
      .prefault({}),
    /**
     * A second, smaller pool for strangers who passed a fresh challenge while the first budgets were used up; its `block` counts
     * over the long window. People and bots draw lots for it: larger leaks more, smaller loses whoever asks only once. See the
     * lab's sweep.
     */
    challenged: z
      .strictObject({
        window_seconds: smallPoolWindow,
        block: budget(2, 1),
        country: budget(4, 1),
        overall: budget(6, 1),
      })
      .prefault({}),
    /**
     * A third pool, for strangers who were refused and ask again for the same number after `after_seconds`: people do, and to
     * pumps it is twice the work for half the messages. A minute is when people ask again. Larger serves no more of them, and
     * leaks more to bots that come back too. A range gets no more from it than from the second pool alone.
     */
    returned: z
      .strictObject({
        after_seconds: seconds(30, 600).default(60),
        window_seconds: smallPoolWindow,
        country: budget(6, 1),
        overall: budget(8, 1),
      })
      .prefault({}),
    /**
     * Both pools behind a fresh challenge together, in the long window: their short windows open seventy-two times a day, and this
     * is what a solver who waits for each of them gets. Verified units count at once.
     */
    second_pools: budget(150, 1),
    /**
     * Money to numbers that nobody verified before the last `fresh_days`, answered or not, in a window: own SIM cards answer
     * everything, and exposure cannot bind them. A country gets `base_micros`, and `factor` times the price for each verification
     * of a longer known number there; those with fewer than `settled_verified` of them get `unsettled_micros` together. A service
     * that knows no number for so long has no bound but its caps.
     */
    growth: z
      .strictObject({
        fresh_days: z.int().min(1).max(60).default(7),
        base_micros: z.int().min(0).default(10_000_000),
        unsettled_micros: z.int().min(0).default(40_000_000),
        settled_verified: z.int().min(1).default(20),
        factor: z.number().min(0).default(3),
      })
      .prefault({}),
    /**
     * People who verified before: `number` bounds the codes a day that nobody types for one number, whatever pool pays; `device`
     * those that an own device asks for. `block`, `country` and `overall` are those of requests that name a known number.
     */
    known: z
      .strictObject({
        window_seconds: seconds(HOUR_SECONDS, 7 * DAY_SECONDS).default(DAY_SECONDS),
        number: budget(4, 0),
        device: budget(4, 0.5),
        block: budget(10, 0.7),
        country: budget(20, 0.7),
        overall: budget(60, 0.7),
      })
      .prefault({}),
    /**
     * Flows whose verifications nobody reports (`flows.*.verified = "unknown"`): a message gives nothing back and earns nothing,
     * so that these are the messages of a window. Tighter than a stranger's, because nothing here tells people from a pump.
     */
    unreported: z
      .strictObject({
        number: budget(3, 0),
        block: budget(3, 0),
        country: budget(5, 0),
        /** No more than strangers in countries without history get together (`unknown`). */
        overall: budget(10, 0),
      })
      .prefault({}),
    /** People on a device that verified their number. Strangers cannot touch these, whatever number they name. */
    own: z
      .strictObject({
        block: budget(10, 0.7),
        country: budget(20, 0.7),
        overall: budget(60, 0.7),
      })
      .prefault({}),
  })
  .prefault({});

export type ExposurePolicy = PolicyOf<typeof exposurePolicy>;
