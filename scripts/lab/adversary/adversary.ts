/** An attacker in the loop: it sees what came of each request before it decides on the next. */
import type { SendOutcome } from "../rule.ts";
import type { TraceEvent } from "../trace.ts";

export interface Adversary {
  /** Own SIM cards, which it paid for. */
  sims: number;
  /** Trace seconds of its next request; Infinity when it has none. */
  nextAt(): number;
  /** The request that is due. */
  act(): TraceEvent;
  /** @param solved a fresh challenge was solved on the way */
  heard(event: TraceEvent, outcome: SendOutcome, solved: boolean): void;
}
