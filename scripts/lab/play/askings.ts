/** People, as the report counts them: one asking is a person who wants one code, with all their retries. */

import type { TraceEvent } from "../trace.ts";
import { countryOf } from "../world/numbers.ts";

/** A person is lost who got neither a message nor another way in within this time of first asking. */
export const PATIENCE_SECONDS = 600;

export interface Asking {
  label: TraceEvent["label"];
  firstAt: number;
  country: string;
  /** The number or the device had verified earlier in the trace when they first asked. */
  known: boolean;
  /** They first asked on the very device that had verified this number. */
  ownDevice: boolean;
  challenged: boolean;
  steppedUp: boolean;
  /** Trace seconds of the first message, or of the other way in. */
  servedAt: number | null;
  /** Verified, or in by another way: will not retry. */
  done: boolean;
  /** A message left that could have reached them, or another way in did. */
  reached: boolean;
  /** Why their last refused request within their patience was refused: the rule's reasons, else its answer. */
  refusedFor: readonly string[] | null;
}

export interface Askings {
  /** The asking this event belongs to, or null if it does not happen because its person is done. */
  join(event: TraceEvent): Asking | null;
  /** The person typed the right code: they, their number and their device are known from now on. */
  verified(event: TraceEvent, asking: Asking): void;
  all(): readonly Asking[];
}

/**
 * Groups events into askings: by `retry_of`, or by number and label within ten minutes for traces that do not say.
 * Memory grows with the number of events by the size of a map entry.
 */
export function askings(): Askings {
  const everyone: Asking[] = [];
  const byEvent = new Map<string, Asking>();
  const byNumber = new Map<string, Asking>();
  const knownNumbers = new Set<string>();
  const knownDevices = new Set<string>();
  /** The numbers that each device verified. */
  const ownNumbers = new Set<string>();

  const find = (event: TraceEvent, key: string): Asking | undefined => {
    const retried = event.retry_of === null ? undefined : byEvent.get(event.retry_of);
    if (retried) return retried;
    const latest = byNumber.get(key);
    return latest && !latest.done && event.t - latest.firstAt <= PATIENCE_SECONDS ? latest : undefined;
  };

  return {
    join(event) {
      const key = `${event.label} ${event.phone}`;
      const found = find(event, key);
      if (found) {
        byEvent.set(event.id, found);
        return found.done ? null : found;
      }
      const asking: Asking = {
        label: event.label,
        firstAt: event.t,
        country: countryOf(event.phone),
        known: knownNumbers.has(event.phone) || (event.device !== null && knownDevices.has(event.device)),
        ownDevice: event.device !== null && ownNumbers.has(`${event.device} ${event.phone}`),
        challenged: false,
        steppedUp: false,
        servedAt: null,
        done: false,
        reached: false,
        refusedFor: null,
      };
      everyone.push(asking);
      byEvent.set(event.id, asking);
      byNumber.set(key, asking);
      return asking;
    },
    verified(event, asking) {
      asking.done = true;
      knownNumbers.add(event.phone);
      if (event.device === null) return;
      knownDevices.add(event.device);
      ownNumbers.add(`${event.device} ${event.phone}`);
    },
    all: () => everyone,
  };
}

/** True when the person got nothing within their patience. */
export const isLost = ({ servedAt, firstAt }: Asking): boolean =>
  servedAt === null || servedAt - firstAt > PATIENCE_SECONDS;

/**
 * True when every message that left for the person was lost on the way, and asking again within their patience was refused:
 * nobody counts them as lost, and they stand there all the same.
 */
export const isStranded = (one: Asking): boolean =>
  !isLost(one) && !one.done && !one.reached && one.refusedFor !== null;
