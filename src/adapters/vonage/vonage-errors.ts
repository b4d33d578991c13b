import type { DeliveryResult } from "../../ports/delivery.ts";
import { accountFault } from "../providers/provider-http.ts";

/**
 * Codes of the Messages API about the number or the person behind it (barred, no such number, said STOP, not on WhatsApp).
 * @see https://developer.vonage.com/en/api-errors/messages
 */
const FINAL_FOR_NUMBER = ["1040", "1050", "1170", "1190", "1200", "1240", "1300", "1310", "1430"];

/**
 * The code of a problem: in the fragment of its type, or its title. Anything longer than a code is dropped, so that no
 * number gets into a log.
 */
export function problemCode(problem: { type?: unknown; title?: unknown }): string | null {
  const [, fragment = ""] = String(problem.type).split("#");
  return [fragment, String(problem.title)].find((text) => /^\d{1,5}$/.test(text)) ?? null;
}

/** Reads an answer of the Messages or Voice API that is no acceptance. */
export function vonageFault(status: number, body: Record<string, unknown>): DeliveryResult {
  const code = problemCode(body);
  const fault = accountFault(status, code === null ? "" : ` (error ${code})`);
  if (fault.kind !== "refused") return fault;
  const elsewhere = code !== null && !FINAL_FOR_NUMBER.includes(code);
  return { ...fault, retryable: fault.retryable || elsewhere };
}
