import type { CounterEntry } from "../../src/domain/monitor/tally.ts";
import type { CountersPort } from "../../src/ports/monitor.ts";

const AT_ONCE = 50;

/**
 * Counts traffic in the minutes up to and with `last`, and tells a terminal how far it is.
 *
 * @param traffic what is counted of each message of a minute
 * @param afterMinute called when a minute is counted
 */
export async function fillMinutes(
  counters: CountersPort,
  last: number,
  minutes: number,
  traffic: () => CounterEntry[][],
  afterMinute: () => void = () => undefined,
): Promise<void> {
  for (let minute = last - minutes + 1; minute <= last; minute++) {
    const at = minute - last + minutes;
    if (process.stderr.isTTY) process.stderr.write(`\rminute ${at} of ${minutes}`);
    const messages = traffic();
    for (let i = 0; i < messages.length; i += AT_ONCE) {
      const some = messages.slice(i, i + AT_ONCE);
      await Promise.all(some.map((entries) => counters.count([{ minute, entries }])));
    }
    afterMinute();
  }
  if (process.stderr.isTTY) process.stderr.write("\r");
}
