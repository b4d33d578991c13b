import type { AlertContext } from "../../domain/monitor/alert.ts";
import type { Deps } from "../../ports/deps.ts";

/** The settings and the time that an alert is made with; the dashboard is where the service is. */
export function alertContext(
  { policy, environment }: Pick<Deps, "policy" | "environment">,
  nowMs: number,
): AlertContext {
  return {
    environment,
    currency: policy.money.currency,
    policy: policy.alerts,
    dashboardUrl: `${policy.proof.issuer.replace(/\/+$/, "")}/ops`,
    nowMs,
  };
}
