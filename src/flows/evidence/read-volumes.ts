/** What was sent, answered and paid in a window, told apart by one thing, from the ledger. */
import type { Volume, VolumeDimension } from "../../domain/ledger/event.ts";
import type { Deps } from "../../ports/deps.ts";
import type { LedgerWindow } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";

export interface Volumes {
  kind: "answered";
  /** The most messages first. */
  volumes: Volume[];
}

/** @param limit at most 1000 subjects */
export const readVolumes = (
  { ledger }: Pick<Deps, "ledger">,
  by: VolumeDimension,
  window: LedgerWindow,
  limit: number,
): Promise<Volumes | Unavailable> => ledger.volumes(by, window, limit);
