import { parsePhone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { countRefused } from "../../domain/monitor/counting.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { recordEvent } from "./record-event.ts";

/** What a refused request said of itself. */
export interface RefusedRequest {
  phone: string;
  region: string | undefined;
  flow: string;
}

/** Refusals after which the same request may go on. */
const CHALLENGES: readonly Refusal["kind"][] = ["challenge_required", "step_up_required"];

/**
 * Tells the watch, behind the answer, that a request was refused, and the ledger of the first few of a kind. What failed at
 * the provider was counted there.
 */
export function recordRefusal(
  deps: Deps,
  refusal: Refusal,
  { phone, region, flow }: RefusedRequest,
  caller: Caller,
  correlationId: string,
): void {
  if (refusal.kind === "delivery_failed") return;
  const { counters, events, vault, nowMs, defer } = deps;
  const parsed = parsePhone(phone, region);
  const place = { country: "e164" in parsed ? parsed.country : null, flow, asn: caller.asn };
  const { turnedAway = false, entries = [] } = refusal.observed ?? {};
  const refused = countRefused(place, refusal.kind, turnedAway);
  const ownId = refusal.correlationId ?? correlationId;
  defer(counters.count([{ minute: minuteOf(nowMs()), entries: [...refused, ...entries] }]), ownId);
  if (!events.samples(refusal.kind)) return;
  const happening = {
    kind: CHALLENGES.includes(refusal.kind) ? ("challenged" as const) : ("refused" as const),
    of: vault.newId(),
    correlationId: ownId,
    flow,
    ...("e164" in parsed ? { phone: parsed } : {}),
    source: caller,
    code: refusal.kind,
    ...(refusal.verdict ?? ("cause" in refusal ? { reasons: refusal.cause } : {})),
  };
  defer(recordEvent(deps, happening), ownId);
}
