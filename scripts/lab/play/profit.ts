/** What an attack earns and pays. A pump's partner gets a share of every message's price, answered or not. */
import type { SendOutcome } from "../rule.ts";
import type { TraceEvent } from "../trace.ts";
import type { AttackBooks } from "./report.ts";

/** The attacker's share of a message's price. */
export const REVENUE_SHARE = 0.4;

/** What the attacker pays for, in micros of the lab's currency. */
export const COSTS_MICROS = {
  solvedChallenge: 2_000,
  address: 1_000,
  answer: 20_000,
  simCard: 300_000,
} as const;

export interface AttackLedger {
  /** @param solved a fresh challenge was solved on the way */
  asked(event: TraceEvent, outcome: SendOutcome, solved: boolean): void;
  answered(): void;
  books(): AttackBooks;
}

/** Books of one attack. @param sims own SIM cards, paid once */
export function attackBooks(sims: number): AttackLedger {
  const addresses = new Set<string>();
  let [solved, answers, costMicros] = [0, 0, 0];
  return {
    asked({ ip }, outcome, hasSolved) {
      addresses.add(ip);
      if (hasSolved) solved++;
      if (outcome.kind === "left") costMicros += outcome.costMicros;
    },
    answered: () => {
      answers++;
    },
    books: () => ({
      solved,
      addresses: addresses.size,
      sims,
      profit_micros: Math.round(
        REVENUE_SHARE * costMicros -
          COSTS_MICROS.solvedChallenge * solved -
          COSTS_MICROS.address * addresses.size -
          COSTS_MICROS.answer * answers -
          COSTS_MICROS.simCard * sims,
      ),
    }),
  };
}
