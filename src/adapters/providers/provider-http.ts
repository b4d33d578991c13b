import type { Judgement } from "../../domain/delivery/judgement.ts";
import { HOUR_MS } from "../../domain/kernel/time.ts";
import type { DeliveryResult, FeedbackResult } from "../../ports/delivery.ts";
import type { Unavailable } from "../../ports/result.ts";
import { statedTimeMs } from "../stated-time.ts";

/** `fetch`, or that of a binding which brings a client certificate (`mtls_certificates`). */
export type Fetcher = (url: string, init: RequestInit) => Promise<Response>;

/** A JSON answer; a body that is no JSON object reads as an empty one. */
interface Answer {
  kind: "answered";
  status: number;
  body: Record<string, unknown>;
}

export type ProviderAnswer = Answer | Extract<DeliveryResult, { kind: "refused" | "unknown" }>;

/**
 * Posts one message to a provider. Whatever is thrown is `unknown`: in workerd a connection that was refused and one that
 * was lost after the request had been read fail with the very same error ("Network connection lost.").
 */
export async function postForDelivery(
  url: string,
  timeoutMs: number,
  init: { headers: Record<string, string>; body: string | URLSearchParams },
  fetcher: Fetcher = fetch,
): Promise<ProviderAnswer> {
  try {
    return await ask(url, timeoutMs, { method: "POST", ...init }, fetcher);
  } catch (error) {
    return error instanceof Error && error.name === "TimeoutError"
      ? { kind: "unknown", cause: `no answer in ${timeoutMs} ms`, connectionLost: false }
      : { kind: "unknown", cause: "connection refused or lost", connectionLost: true };
  }
}

/** Asks a provider for what it knows; nothing is changed by it. */
export async function getFromProvider(
  url: string,
  timeoutMs: number,
  headers: Record<string, string>,
): Promise<Answer | Unavailable> {
  try {
    return await ask(url, timeoutMs, { headers }, fetch);
  } catch (error) {
    const silent = error instanceof Error && error.name === "TimeoutError";
    return {
      kind: "unavailable",
      cause: silent ? `no answer in ${timeoutMs} ms` : "connection refused or lost",
    };
  }
}

/**
 * Statuses by which HTTP itself says that the request was not carried out, so that nothing has left: the request was not
 * understood, not permitted, too large, or belongs elsewhere (RFC 9110 section 15.5). A redirect is one of them: whoever
 * names another place has not taken the message, and it is not followed. Whichever of them it is, and whatever its body (a
 * page of something in front of the provider), the fault is the route's and says nothing of the number.
 *
 * Not among them: 303, which answers a request that was carried out; 408, 425 and 429, which gateways say of requests that
 * went on to the provider behind them; every 5xx; and every status that RFC 9110 does not define.
 */
const NOT_CARRIED_OUT = [
  301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421,
  422, 426, 428, 431, 451,
];

/**
 * Reads an answer that is no acceptance. A code of the vendor's decides, except under a 5xx: who failed on the way may have
 * sent the message before. Without a known code the status decides, and where that does not say that the request was not
 * carried out, the result is unknown.
 *
 * @param judgement of the vendor's code; null where the answer holds none that is documented
 * @param detail for the log, fit for it
 */
export function readRefusal(status: number, judgement: Judgement | null, detail = ""): DeliveryResult {
  const cause = `provider answered ${status}${detail}`;
  if (status < 500 && judgement !== null && judgement !== "unknown") {
    return { kind: "refused", cause, judgement };
  }
  if (judgement !== "unknown" && NOT_CARRIED_OUT.includes(status)) {
    return { kind: "refused", cause, judgement: "not_this_route" };
  }
  const suffix = status >= 200 && status < 300 && judgement === null ? " without a message id" : "";
  return { kind: "unknown", cause: `${cause}${suffix}`, connectionLost: false };
}

/** ` (error 21211)`, to put behind a cause; nothing without a code. */
export const errorCodeSuffix = (code: string | null): string => (code === null ? "" : ` (error ${code})`);

/** Our credentials or account: another time the same feedback may be taken. */
const ACCOUNT_FAULTS = [401, 402, 403];

/** Reads the answer to feedback that any 2xx accepts. */
export function feedbackResult(answer: ProviderAnswer): FeedbackResult {
  if (answer.kind !== "answered") return { kind: "failed", cause: answer.cause, retryable: true };
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: "told" };
  const retryable = status === 429 || status >= 500 || ACCOUNT_FAULTS.includes(status);
  return { kind: "failed", cause: `provider answered ${status}`, retryable };
}

/**
 * A provider's error code, fit for a log: a word, or a number of up to five digits. Text, and a word with as many digits as
 * a code or a phone number has, are null.
 */
export function loggableErrorCode(value: unknown): string | null {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text.length > 40) return null;
  const digits = text.replace(/\D/g, "").length;
  return /^\d{1,5}$/.test(text) || (/^[A-Za-z][\w.-]*$/.test(text) && digits < 4) ? text : null;
}

async function ask(url: string, timeoutMs: number, init: RequestInit, fetcher: Fetcher): Promise<Answer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetcher(url, { ...init, signal, redirect: "manual" });
  const { ok, status } = response;
  try {
    return { kind: "answered", status, body: asRecord(await response.text()) };
  } catch (error) {
    // Who said 2xx has taken the message, though its answer was cut.
    if (ok && !signal.aborted) return { kind: "answered", status, body: {} };
    throw error;
  }
}

function asRecord(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * A price as a provider states it: a decimal in text, negative where the provider books it as a charge.
 *
 * @param currency ISO 4217, of the price table
 * @returns millionths of the currency; null for a price in another currency, for none and for anything unreadable
 */
export function statedMicros(amount: unknown, unit: unknown, currency: string): number | null {
  if (typeof amount !== "string" || !/^-?\d{1,9}(\.\d{1,18})?$/.test(amount)) return null;
  if (typeof unit !== "string" || unit.toUpperCase() !== currency) return null;
  return Math.round(Math.abs(Number(amount)) * 1_000_000);
}

/**
 * What a source answered about a number. Everything but a status of success in time is `unavailable`; the cause holds no
 * word of the answer, which may repeat the number.
 */
export function successfulLookupBody(
  answer: ProviderAnswer | Unavailable,
): { kind: "answered"; body: Record<string, unknown> } | Unavailable {
  if (answer.kind !== "answered") return { kind: "unavailable", cause: answer.cause };
  return answer.status === 200
    ? { kind: "answered", body: answer.body }
    : { kind: "unavailable", cause: `lookup answered ${answer.status}` };
}

/** Whole hours from a time the source states to now, not negative; null for a time it does not state or that is none. */
export function hoursSince(time: string | null | undefined, nowMs: number): number | null {
  const atMs = statedTimeMs(time);
  return atMs === null ? null : Math.max(0, Math.floor((nowMs - atMs) / HOUR_MS));
}
