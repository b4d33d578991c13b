import type { SpendMeter } from "../delivery/money.ts";
import type { BudgetGroup, Level, Pool } from "./exposure.ts";

/** What one message took from budgets and spend meters, kept with its session until the code comes back. */
export interface Reservation {
  /** Released or credited once, and only if it was really taken. */
  id: string;
  atMs: number;
  /** Weight of the message on each budget, in hundredths of a unit. */
  weight: number;
  taken: { key: string; windowSeconds: number }[];
  /** Levels that took nothing and are credited with the verification all the same. */
  earns: { key: string; windowSeconds: number }[];
  meters: SpendMeter[];
  /** The tally that counts the verification, where a ban let the message through to see whether it converts. */
  probe?: string;
  /** The tallies that count the verification, where rules in record-only mode would have stopped the message. */
  stoppers?: readonly string[];
}

/** A message that is about to be paid for. */
export interface ReservationDraft extends Pick<Reservation, "id" | "atMs" | "weight" | "meters"> {
  /** The pool that pays. */
  pool: Pool;
  /** The levels it draws on. */
  drawn: readonly Level[];
  /** All levels of the request. */
  levels: Record<BudgetGroup, Level[]>;
}

/**
 * The reservation of a message. Whichever pool let a stranger in, the address earns room for the next stranger by the
 * verification. A known person proves nothing new about an address, or one number verified over and over would make it a
 * proven one.
 */
export function reservationFor({ pool, drawn, levels, ...message }: ReservationDraft): Reservation {
  const taken = new Set(drawn.map(({ key }) => key));
  const learners = pool === "known" ? [] : levels.stranger.filter(({ name }) => name === "address");
  const slim = ({ key, windowSeconds }: Level) => ({ key, windowSeconds });
  return {
    id: message.id,
    atMs: message.atMs,
    weight: message.weight,
    taken: drawn.map(slim),
    earns: learners.filter(({ key }) => !taken.has(key)).map(slim),
    meters: message.meters,
  };
}
