import type { Refusal } from "../../domain/kernel/refusal.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { countRefused } from "../../domain/monitor/counting.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Broken, DecoySent, Refused, RequestSummary } from "./facts.ts";
import { type GiveBackNeeds, giveBack } from "./give-back.ts";
import { requestedEvent } from "./publish-delivered.ts";
import { recordEvent } from "./record-event.ts";

export type RefusedNeeds = GiveBackNeeds & Pick<Deps, "counters" | "events" | "vault" | "nowMs" | "defer">;

/** Refusals after which the same request may go on. */
const CHALLENGES: readonly Refusal["kind"][] = ["challenge_required", "step_up_required"];

/** Counts a refusal, records the first few of each kind in a minute, and gives back what the request took. */
export function publishRefused(deps: RefusedNeeds, request: RequestSummary, fact: Refused): void {
  const { counters, events, vault, nowMs, defer } = deps;
  const { refusal, observed, verdict, askTag } = fact;
  const { correlationId, flow, phone, source } = request;
  giveBack(deps, fact.giveBack, correlationId, askTag);
  // A delivery that failed is counted with the message it failed for.
  if (refusal.kind === "delivery_failed") return;
  const place = { country: phone?.country ?? null, flow, asn: source.asn };
  const { budgetUsedUp = false, entries = [] } = observed ?? {};
  const refusals = countRefused(place, refusal.kind, budgetUsedUp);
  const updates = [{ minute: minuteOf(nowMs()), entries: [...refusals, ...entries] }];
  defer(counters.countSoon(updates), correlationId);
  if (!events.samples(refusal.kind)) return;
  const event = {
    kind: CHALLENGES.includes(refusal.kind) ? ("challenged" as const) : ("refused" as const),
    of: vault.newId(),
    correlationId,
    flow,
    ...(phone && { phone }),
    source,
    code: refusal.kind,
    ...(verdict ?? ("cause" in refusal ? { reasons: refusal.cause } : {})),
  };
  defer(recordEvent(deps, event), correlationId);
}

/** Counts what a decoy's request met, and records the first few decoys in a minute as refused. */
export function publishDecoySent(
  deps: Pick<RefusedNeeds, "counters" | "events" | "vault" | "nowMs" | "defer">,
  { correlationId, flow, phone, source }: RequestSummary,
  { observed, verdict, channel }: DecoySent,
): void {
  const { counters, events, vault, nowMs, defer } = deps;
  if (observed.length > 0) {
    defer(counters.countSoon([{ minute: minuteOf(nowMs()), entries: observed }]), correlationId);
  }
  if (!events.samples("decoy")) return;
  const asked = { correlationId, flow, ...(phone && { phone }), source, channel, ...verdict };
  const event = { ...asked, kind: "refused" as const, of: vault.newId(), code: "decoy" };
  defer(recordEvent(deps, event), correlationId);
}

/** Records a message that had begun when an error broke its send off, and gives back what it cannot have used. */
export function publishBroken(
  deps: GiveBackNeeds & Pick<Deps, "events" | "vault" | "nowMs">,
  request: RequestSummary,
  fact: Broken,
): void {
  giveBack(deps, fact.giveBack ?? undefined, request.correlationId);
  if (fact.requested === null) return;
  const { message, verdict } = fact.requested;
  deps.defer(recordEvent(deps, requestedEvent(request, message, verdict)), request.correlationId);
}
