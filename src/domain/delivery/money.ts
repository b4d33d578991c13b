import type { Channel } from "../kernel/channel.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import type { MoneyPolicy } from "./money.policy.ts";

/** One row of the price table: the price of a message, in millionths of the table's currency. */
export interface PriceRow {
  /** ISO 3166-1 alpha-2, or `*` for every country without a row of its own. */
  country: string;
  provider: string;
  channel: Channel;
  message_micros: number;
  /** Scrubbing fee of a DLT registry (India), on top. */
  dlt_micros: number;
}

/** One running total that must stay under its cap; the store keeps it per UTC period. */
export interface SpendMeter {
  scope: string;
  period: "minute" | "hour" | "day" | "month";
  amount: number;
  cap: number;
  /** An operator has lifted the cap: the total is counted and reported, and refuses nothing. */
  lifted: boolean;
}

/** A meter after a message. */
export interface SpendReading {
  meter: SpendMeter;
  /** The total with this message. */
  total: number;
}

/**
 * The price of one message before it is sent. The table's default row errs high, so that a country nobody priced runs
 * into its cap sooner and not later.
 *
 * @throws when the table has no row for the provider and no default: `config.ts` lets no such table through
 */
export function messagePriceMicros(
  prices: readonly PriceRow[],
  country: string,
  provider: string,
  channel: Channel,
): number {
  const row = priceRowOf(prices, country, provider, channel);
  return row.message_micros + row.dlt_micros;
}

/** The row of the table that prices a message: its country's own, or the default one. */
export function priceRowOf(
  prices: readonly PriceRow[],
  country: string,
  provider: string,
  channel: Channel,
): PriceRow {
  const fits = (row: PriceRow, where: string) =>
    row.country === where && row.provider === provider && row.channel === channel;
  const row = prices.find((price) => fits(price, country)) ?? prices.find((price) => fits(price, "*"));
  if (!row) throw new Error(`no price for ${provider} ${channel}: config.ts lets no such table through`);
  return row;
}

/** The meters a message of this price adds to: hour, day and month, overall and for a country with caps of its own. */
export function spendMeters(
  policy: MoneyPolicy,
  country: string,
  costMicros: number,
  lifted: boolean,
): SpendMeter[] {
  const meters = (scope: string, caps: MoneyPolicy["caps"]): SpendMeter[] => [
    { scope, period: "hour", amount: costMicros, cap: caps.hour_micros, lifted },
    { scope, period: "day", amount: costMicros, cap: caps.day_micros, lifted },
    { scope, period: "month", amount: costMicros, cap: caps.month_micros, lifted },
  ];
  const own = policy.country_caps[country];
  return [...meters("spend:all", policy.caps), ...(own ? meters(`spend:${country}`, own) : [])];
}

/**
 * The alert shares that a meter crossed with its last message. The whole cap counts as crossed when no further message of this
 * price fits under it, because a total hardly ever meets its cap to the micro.
 */
export function crossedShares({ meter, total }: SpendReading, shares: readonly number[]): number[] {
  const reached = (share: number, at: number) =>
    share === 1 ? at + meter.amount > meter.cap : at >= share * meter.cap;
  return shares.filter((share) => reached(share, total) && !reached(share, total - meter.amount));
}

/** Seconds until the next period begins. A month counts as a day: whoever waits should look again tomorrow. */
export function capRetryAfterSeconds(period: SpendMeter["period"], nowMs: number): number {
  const lengthMs = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS, month: DAY_MS }[period];
  return Math.ceil((lengthMs - (nowMs % lengthMs)) / 1000);
}
