import { refusalMemorySeconds } from "../../domain/delivery/judgement.ts";
import type { HookReading, IncomingHook } from "../../ports/delivery.ts";
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
  if (reading.kind === "consent") return takeConsent(deps, providerName, reading);
  for (const receipt of reading.receipts) {
    const owner = await receipts.claim(providerName, receipt);
    if (owner === null) log("receipt_for_nobody", { provider: providerName });
    else if ("kind" in owner) return "try_again";
    else await settleReceipt(deps, providerName, receipt, owner);
  }
  return "taken";
}

/** Keeps a person's STOP, or forgets it after their START. */
async function takeConsent(
  { policy, marks, vault, log }: Pick<Deps, "policy" | "marks" | "vault" | "log">,
  provider: string,
  { from, channel, optedIn }: Extract<HookReading, { kind: "consent" }>,
): Promise<ReceiptHookResult> {
  log("consent_heard", { provider, channel, opted_in: optedIn });
  const [tag = "", ...older] = await vault.tags("number", from);
  try {
    if (optedIn) await marks.liftRefusals([tag, ...older], [channel]);
    else {
      const seconds = refusalMemorySeconds("opted_out", policy.delivery);
      if (seconds > 0) await marks.refuseNumber(tag, [channel], "opted_out", seconds);
    }
    return "taken";
  } catch {
    return "try_again";
  }
}
