import type { Attempted, RequestSummary, SendFact } from "./facts.ts";
import { giveBack } from "./give-back.ts";
import { type AdmissionNeeds, logAdmission } from "./log-admission.ts";
import { type AttemptNeeds, publishAttempted } from "./publish-attempted.ts";
import { type DeliveredNeeds, publishDelivered } from "./publish-delivered.ts";
import { publishBroken, publishDecoySent, publishRefused, type RefusedNeeds } from "./publish-refused.ts";

/** The ports that publishing writes to. */
export type PublishNeeds = AdmissionNeeds & AttemptNeeds & DeliveredNeeds & RefusedNeeds;

/**
 * Publishes what became of a request: lines of the log at once, and behind the answer the ledger's rows, the customer's
 * events, the counters, and whatever the request gives back. Nothing of that delays the answer, and a store that is away
 * costs its own part only.
 */
export function publish(deps: PublishNeeds, request: RequestSummary, fact: SendFact | Attempted): void {
  if ("trail" in fact && fact.trail) logAdmission(deps, request, fact.trail);
  switch (fact.kind) {
    case "refused":
      publishRefused(deps, request, fact);
      break;
    case "delivered":
      publishDelivered(deps, request, fact);
      break;
    case "decoy_sent":
      publishDecoySent(deps, request, fact);
      break;
    case "broken":
      publishBroken(deps, request, fact);
      break;
    case "attempted":
      publishAttempted(deps, request, fact);
      break;
    case "replayed":
      // The first request's own fact says everything else.
      giveBack(deps, fact.giveBack, request.correlationId);
  }
}
