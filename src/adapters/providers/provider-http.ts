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
 * Gateways say these when the provider behind them was silent, or broke off (502): the message may have left (520, 522 and
 * 524 are Cloudflare's).
 */
const SILENT_GATEWAY = [502, 504, 520, 522, 524];

/** Reads an answer that is no success by its status alone: 429 and 5xx may pass another time, or elsewhere. */
export function deliveryFault(status: number, detail = ""): DeliveryResult {
  const cause = `provider answered ${status}${detail}`;
  if (status >= 200 && status < 300) {
    return { kind: "unknown", cause: `${cause} without a message id`, connectionLost: false };
  }
  if (SILENT_GATEWAY.includes(status)) return { kind: "unknown", cause, connectionLost: false };
  return { kind: "refused", cause, retryable: status === 429 || status >= 500 };
}

/** Our credentials or account, not this number: another route may well deliver. */
const ACCOUNT_FAULTS = [401, 402, 403];

/** As `deliveryFault`, for a provider whose 401, 402 and 403 are about our account. */
export function accountFault(status: number, detail = ""): DeliveryResult {
  const fault = deliveryFault(status, detail);
  return fault.kind === "refused" && ACCOUNT_FAULTS.includes(status) ? { ...fault, retryable: true } : fault;
}

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
export function errorCode(value: unknown): string | null {
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
export function readLookup(
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
  return atMs === null ? null : Math.max(0, Math.floor((nowMs - atMs) / 3_600_000));
}
