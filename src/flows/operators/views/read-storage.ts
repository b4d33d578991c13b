import { DAY_MS } from "../../../domain/kernel/time.ts";
import { forecastStorage, type LedgerStorage, type StorageForecast } from "../../../domain/ledger/storage.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";
import type { KeyCountPort } from "../../../ports/storage.ts";

/** How full each store is. A store that does not answer is null and among the faults. */
export interface StorageView {
  ledger: (LedgerStorage & StorageForecast) | null;
  /** Keys in Upstash; every one of them expires by itself. */
  redisKeys: number | null;
  faults: string[];
}

export async function readStorage({
  ledger,
  redisKeys,
  policy,
  nowMs,
}: Pick<Deps, "ledger" | "policy" | "nowMs"> & { redisKeys: KeyCountPort }): Promise<StorageView> {
  const [held, keys] = await Promise.all([ledger.storage(nowMs() - DAY_MS), redisKeys.count()]);
  const faultOf = (store: string, answer: { kind: string } | Unavailable) =>
    "cause" in answer ? [`${store}: ${answer.cause}`] : [];
  return {
    ledger:
      held.kind === "answered"
        ? { ...held.storage, ...forecastStorage(held.storage, policy.retention, nowMs()) }
        : null,
    redisKeys: keys.kind === "answered" ? keys.count : null,
    faults: [...faultOf("ledger", held), ...faultOf("Upstash", keys)],
  };
}
