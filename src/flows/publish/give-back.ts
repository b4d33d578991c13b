import { refundBoundAlert } from "../../domain/monitor/alert-once.ts";
import type { Deps } from "../../ports/deps.ts";
import { alertContext } from "./alert-context.ts";
import type { TakenResources } from "./facts.ts";

export type GiveBackNeeds = Pick<
  Deps,
  "policy" | "environment" | "admission" | "budgets" | "alerts" | "log" | "nowMs" | "defer"
>;

/**
 * Gives back what a request took, behind the answer: room and money, limits, and its place under an idempotency key.
 *
 * @param askTag keyed hash of number and address, where a challenge was demanded that is remembered
 */
export function giveBack(
  deps: GiveBackNeeds,
  taken: TakenResources | undefined,
  correlationId: string,
  askTag: string | null = null,
): void {
  const { reservation = null, limitDraws = [], claim = null, refusedBy } = taken ?? {};
  const nothing = reservation === null && limitDraws.length === 0;
  if (nothing && claim === null && askTag === null) return;
  const giveAllBack = async () => {
    const withheld =
      !nothing && refusedBy !== undefined && !(await takeRefund(deps, refusedBy, correlationId));
    if (withheld && claim === null && askTag === null) return;
    await deps.admission.giveBack({
      reservation: withheld ? null : reservation,
      draws: withheld ? [] : limitDraws,
      claim,
      askTag,
    });
  };
  deps.defer(giveAllBack(), correlationId);
}

/**
 * Takes one of the minute's refunds of a provider and a country. A provider that delivers and says that it did not must not
 * empty every budget.
 *
 * @returns false where none is left: then what the message took stays taken; people are told when the last one goes
 */
async function takeRefund(
  { policy, environment, budgets, alerts, log, nowMs }: GiveBackNeeds,
  { provider, country }: NonNullable<TakenResources["refusedBy"]>,
  correlationId: string,
): Promise<boolean> {
  const { refunds_per_minute: perMinute } = policy.delivery;
  const scope = `refunds:${provider}:${country}`;
  const drawn = await budgets.spend({ scope, period: "minute", amount: 1, cap: perMinute, lifted: false });
  if (drawn.kind === "granted" && drawn.total === perMinute) {
    const context = alertContext({ policy, environment }, nowMs());
    await alerts.raise([refundBoundAlert(context, { provider, country, perMinute })]);
  }
  if (drawn.kind !== "granted") {
    const cause = drawn.kind === "capped" ? "refunds_per_minute" : drawn.cause;
    log("refund_withheld", { correlation_id: correlationId, provider, country, cause });
  }
  return drawn.kind === "granted";
}
