import type { DeliveryResult } from "../../ports/delivery.ts";
import { codeTable, type ProviderCodeRow } from "./provider-codes.ts";
import { loggableErrorCode, readRefusal } from "./provider-http.ts";

/**
 * The words of a service that speaks Tollgate's own contract (the webhook provider and the local inbox): `refused` in an
 * answer of any status, and `judgement` in a receipt. Whoever says none of them has not said that the message was refused.
 */
const WORDS: readonly ProviderCodeRow[] = [
  ["transient", "not now", ["transient"]],
  ["not_this_route", "not by this service", ["not_this_route"]],
  ["not_this_number", "never to this number", ["not_this_number"]],
  ["opted_out", "the person wants none", ["opted_out"]],
  ["fraud", "it is taken for fraud", ["fraud"]],
  ["unknown", "no reason is known", ["unknown"]],
];

/** Looks up a word of Tollgate's own contract; null for any other text. */
export const contractJudgement = codeTable(WORDS);

/**
 * Reads an answer of Tollgate's own contract that is no acceptance. `refused` decides whatever the status is, because the
 * service itself says that it did not take the message; without it a status speaks for itself as any other's.
 */
export function readContractRefusal(status: number, { refused }: Record<string, unknown>): DeliveryResult {
  const judgement = contractJudgement(loggableErrorCode(refused));
  if (judgement === null || judgement === "unknown") return readRefusal(status, judgement);
  return { kind: "refused", cause: `provider answered ${status}`, judgement };
}
