import { parsePhone } from "../domain/phone.ts";
import type { Refusal } from "../domain/reasons.ts";
import { minuteOf } from "../domain/watch/cohorts.ts";
import { countRefused } from "../domain/watch/tally.ts";
import type { Caller, Deps } from "../ports.ts";

/** What a refused request said of itself. */
export interface RefusedRequest {
  phone: string;
  region: string | undefined;
  flow: string;
}

/** Tells the watch, behind the answer, that a request was refused. What failed at the provider was counted there. */
export function bookRefusal(
  { counters, nowMs, defer }: Deps,
  refusal: Refusal,
  { phone, region, flow }: RefusedRequest,
  caller: Caller,
  correlationId: string,
): void {
  if (refusal.kind === "delivery_failed") return;
  const parsed = parsePhone(phone, region);
  const place = { country: "e164" in parsed ? parsed.country : null, flow, asn: caller.asn };
  const { turnedAway = false, entries = [] } = refusal.observed ?? {};
  const refused = countRefused(place, refusal.kind, turnedAway);
  defer(
    counters.count([{ minute: minuteOf(nowMs()), entries: [...refused, ...entries] }]),
    refusal.correlationId ?? correlationId,
  );
}
