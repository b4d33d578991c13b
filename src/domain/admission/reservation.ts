import type { SpendMeter } from "../delivery/money.ts";
import type { BudgetGroup, Level, Pool } from "./exposure.ts";

/** What one message took, kept with its session until the code comes back. */
export interface Reservation {
  /** Given back or booked once, and only if it was really taken. */
  id: string;
  atMs: number;
  weight: number;
  taken: { key: string; windowSeconds: number }[];
  /** Levels that took nothing and still hear of the verification. */
  earns: { key: string; windowSeconds: number }[];
  meters: SpendMeter[];
  /** The tally that hears of the verification, where a block let the message through to see whether it converts. */
  probe?: string;
  /** The tallies that hear of the verification, where rules in record-only mode would have stopped the message. */
  stoppers?: readonly string[];
}

/**
 * What a message paid from this purse takes, and who learns when it is answered: whatever let a stranger in, the address it
 * came from has earned room for the next one. Someone known proves nothing new about an address, or one number verified
 * over and over would make it a proven one.
 */
export function reservationFor(
  pool: Pool,
  drawn: readonly Level[],
  levels: Record<BudgetGroup, Level[]>,
  weight: number,
  meters: SpendMeter[],
  id: string,
  atMs: number,
): Reservation {
  const taken = new Set(drawn.map(({ key }) => key));
  const learners = pool === "known" ? [] : levels.stranger.filter(({ name }) => name === "address");
  const slim = ({ key, windowSeconds }: Level) => ({ key, windowSeconds });
  return {
    id,
    atMs,
    weight,
    taken: drawn.map(slim),
    earns: learners.filter(({ key }) => !taken.has(key)).map(slim),
    meters,
  };
}
