import type { SpendMeter } from "../delivery/money.ts";
import { type BudgetGroup, type BudgetPool, type Level, UNIT_HUNDREDTHS } from "./exposure.ts";

/** The part of a reservation that one level gave. */
interface TakenLevel {
  key: string;
  windowSeconds: number;
  /** Hundredths; where it is absent, the reservation's own weight. */
  weight?: number;
  /** A verification gives nothing back of it. */
  kept?: true;
}

/** The amounts that one message took from budgets and spend meters, kept with its session until the code comes back. */
export interface Reservation {
  /** Released or credited once, and only if it was really taken. */
  id: string;
  atMs: number;
  /** Hundredths that a message weighs where nothing else is said. */
  weight: number;
  taken: TakenLevel[];
  /** Levels that took nothing and are credited with the verification all the same. */
  earns: { key: string; windowSeconds: number }[];
  meters: SpendMeter[];
  /**
   * Key of the level that counts its number over all pools, with `.own` for its own devices: a verification gives back every
   * open reservation there.
   */
  person?: string;
  /** The tally that counts the verification, where a ban let the message through to see whether it converts. */
  probe?: string;
  /** The tallies that count the verification, where rules in record-only mode would have stopped the message. */
  stoppers?: readonly string[];
}

/** A message that is about to be paid for. */
export interface ReservationDraft extends Pick<Reservation, "id" | "atMs" | "meters"> {
  /** The pool that pays. */
  pool: BudgetPool;
  /** The levels it draws on. */
  drawn: readonly Level[];
  /** All levels of the request. */
  levels: Record<BudgetGroup, Level[]>;
  /** The number verified before; it did not before the last `growth.fresh_days`. */
  number: { known: boolean; fresh: boolean };
}

/**
 * The reservation of a message. Whichever pool let a stranger in, the address earns room for the next stranger by the
 * verification. A number that verified before proves nothing new about an address, or one verified over and over would make it
 * a proven one; one known for long settles its country.
 */
export function reservationFor(draft: ReservationDraft): Reservation {
  const { id, atMs, meters, pool, drawn, levels, number } = draft;
  const takenKeys = new Set(drawn.map(({ key }) => key));
  const addresses = number.known ? [] : levels.stranger.filter(({ name }) => name === "address");
  const learners = pool === "unreported" ? [] : number.fresh ? addresses : [...addresses, ...levels.settled];
  return {
    id,
    atMs,
    meters,
    weight: UNIT_HUNDREDTHS,
    taken: drawn.map(({ key, windowSeconds, weight, kept }) => ({
      key,
      windowSeconds,
      weight,
      ...(kept && { kept: true as const }),
    })),
    earns: learners
      .filter(({ key }) => !takenKeys.has(key))
      .map(({ key, windowSeconds }) => ({ key, windowSeconds })),
    ...(pool !== "unreported" &&
      levels.person[0] && { person: `${levels.person[0].key}${pool === "known" ? ".own" : ""}` }),
  };
}

/**
 * Hundredths that a verification credits at one level. A resend weighs nothing while its number has an unanswered message: then
 * the verification credits the message it repeats, the heaviest of the number's reservations that it settles, and one only.
 *
 * @param settled the number's other reservations that the verification gives back
 */
export function creditedWeight(
  key: string,
  verified: Pick<Reservation, "taken" | "weight">,
  settled: readonly Pick<Reservation, "taken" | "weight">[],
): number {
  const own = weightIn(verified, key);
  if (own > 0) return own;
  const taking = settled.filter(({ taken }) => taken.some((level) => level.key === key && !level.kept));
  return Math.max(0, ...taking.map((one) => weightIn(one, key)));
}

/** Hundredths that a reservation takes of one of its levels. */
export const weightIn = ({ taken, weight }: Pick<Reservation, "taken" | "weight">, key: string): number =>
  taken.find((level) => level.key === key)?.weight ?? weight;
