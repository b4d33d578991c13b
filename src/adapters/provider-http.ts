import type { DeliveryResult } from "../ports.ts";

export type ProviderAnswer =
  | { kind: "answered"; status: number; body: Record<string, unknown> }
  | Extract<DeliveryResult, { kind: "refused" | "unknown" }>;

/**
 * Posts one message to a provider. Whatever is thrown is `unknown`: in workerd a connection that was refused and one that
 * was lost after the request had been read fail with the very same error ("Network connection lost.").
 */
export async function postForDelivery(
  url: string,
  timeoutMs: number,
  init: { headers: Record<string, string>; body: string | URLSearchParams },
): Promise<ProviderAnswer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      ...init,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "manual",
    });
    return { kind: "answered", status: response.status, body: asRecord(await response.text()) };
  } catch (error) {
    return error instanceof Error && error.name === "TimeoutError"
      ? { kind: "unknown", cause: `no answer in ${timeoutMs} ms`, connectionLost: false }
      : { kind: "unknown", cause: "connection refused or lost", connectionLost: true };
  }
}

/** Gateways say these when the provider behind them was silent: the message may have left (Cloudflare 520, 522, 524). */
const SILENT_GATEWAY = [504, 520, 522, 524];

/** Reads an answer that is no success by its status alone: 429 and 5xx may pass another time, or elsewhere. */
export function deliveryFault(status: number, detail = ""): DeliveryResult {
  const cause = `provider answered ${status}${detail}`;
  if (status >= 200 && status < 300) {
    return { kind: "unknown", cause: `${cause} without a message id`, connectionLost: false };
  }
  if (SILENT_GATEWAY.includes(status)) return { kind: "unknown", cause, connectionLost: false };
  return { kind: "refused", cause, retryable: status === 429 || status >= 500 };
}

function asRecord(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
