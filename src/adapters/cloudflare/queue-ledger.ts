import * as z from "zod";
import { minuteOf } from "../../domain/kernel/time.ts";
import type { LedgerEvent } from "../../domain/ledger/event.ts";
import { NO_REFUSAL_SAMPLES, takeRefusalSample } from "../../domain/ledger/refusals.ts";
import type { Log } from "../../ports/deps.ts";
import type { LedgerEventsPort, VerificationLedgerPort } from "../../ports/ledger.ts";
import type { WriteResult } from "../../ports/result.ts";
import { parseJson } from "../json.ts";
import { ledgerEventSchema } from "./d1-ledger-rows.ts";

/** Waits between attempts to put events on the queue (ms). */
const WAITS_MS = [100, 1000];

/** The body of a queue message: the events of one request. */
export const ledgerBody = (events: readonly LedgerEvent[]) => ({ ledger: events });

const bodySchema = z.strictObject({ ledger: z.array(ledgerEventSchema).min(1).max(20) });

/**
 * The ledger's events by way of a Cloudflare Queue; the consumer is flows/consumers/consume-ledger.ts. When the queue takes nothing, they
 * go straight into the database, and only when that is away too are they lost, which the log says.
 */
export function queueLedger(
  queue: Queue,
  ledger: Pick<VerificationLedgerPort, "write">,
  nowMs: () => number,
  log: Log,
): LedgerEventsPort & {
  /** A queue message's body, checked; null for anything else. */
  read(body: unknown): LedgerEvent[] | null;
  requeue(body: string): Promise<WriteResult>;
} {
  let samples = NO_REFUSAL_SAMPLES;

  async function send(events: readonly LedgerEvent[]): Promise<boolean> {
    for (const waitMs of [...WAITS_MS, null]) {
      try {
        await queue.send(ledgerBody(events), { contentType: "json" });
        return true;
      } catch {
        if (waitMs !== null) await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
    return false;
  }

  return {
    samples(code) {
      const taken = takeRefusalSample(samples, code, minuteOf(nowMs()));
      samples = taken ?? samples;
      return taken !== null;
    },

    async put(events) {
      if (events.length === 0 || (await send(events))) return;
      const written = await ledger.write(events);
      if (written.kind === "done") return log("ledger_queue_away", { events: events.length });
      const kinds = events.map(({ kind }) => kind).join(" ");
      const [first] = events;
      log("ledger_events_lost", {
        correlation_id: first?.correlationId ?? null,
        kinds,
        cause: written.cause,
      });
    },

    read(body) {
      const parsed = bodySchema.safeParse(body);
      return parsed.success ? parsed.data.ledger : null;
    },

    async requeue(body) {
      const parsed = bodySchema.safeParse(parseJson(body));
      if (!parsed.success) return { kind: "unavailable", cause: "the letter holds no ledger events" };
      return (await send(parsed.data.ledger))
        ? { kind: "done" }
        : { kind: "unavailable", cause: "the queue does not take it" };
    },
  };
}
