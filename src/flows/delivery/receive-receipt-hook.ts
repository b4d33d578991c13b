import type { IncomingHook } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import { type SettleNeeds, settleReceipt } from "./settle-receipt.ts";

/** The answer to the caller of a receipt hook: no more than this, so that nobody learns which message ids are ours. */
export type ReceiptHookResult = "taken" | "refused" | "unknown_provider" | "try_again";

/**
 * Takes in a provider's webhook: signature, then each receipt to the session whose message it is. Genuine receipts for
 * nobody have no effect.
 */
export async function receiveReceiptHook(
  deps: SettleNeeds & Pick<Deps, "providers" | "receipts">,
  providerName: string,
  hook: IncomingHook,
): Promise<ReceiptHookResult> {
  const { providers, receipts, log, nowMs } = deps;
  const provider = providers.get(providerName);
  if (!provider?.readReceipt) return "unknown_provider";
  const reading = await provider.readReceipt(hook, nowMs());
  if (reading.kind === "forged") {
    log("receipt_refused", { provider: providerName, cause: reading.cause });
    return "refused";
  }
  if (reading.kind === "ignored") return "taken";
  for (const receipt of reading.receipts) {
    const owner = await receipts.claim(providerName, receipt);
    if (owner === null) log("receipt_for_nobody", { provider: providerName });
    else if ("kind" in owner) return "try_again";
    else await settleReceipt(deps, providerName, receipt, owner);
  }
  return "taken";
}
