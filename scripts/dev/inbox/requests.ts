import type { Context } from "hono";

/** What `POST /send` asks for. */
export interface SendRequest {
  provider: string;
  to: string;
  body: string;
  channel: string;
  correlationId: string;
  /** Where the receipt goes; null for nowhere. */
  receiptUrl: string | null;
}

const E164 = /^\+[1-9]\d{6,14}$/;
const PROVIDER = /^[a-z][a-z0-9_]{0,31}$/;

/** Reads the body of a send, or says in a sentence what is wrong with it. */
export function readSend(input: unknown): SendRequest | string {
  if (!isRecord(input)) return "the body is not a JSON object";
  const { provider = "sandbox", to, body, channel, correlation_id, receipt_url } = input;
  if (typeof provider !== "string" || !PROVIDER.test(provider)) return "provider is no name";
  if (typeof to !== "string" || !E164.test(to)) return "to is not an E.164 number";
  if (typeof body !== "string" || body === "") return "body is missing";
  if (typeof channel !== "string" || channel === "") return "channel is missing";
  if (typeof correlation_id !== "string" || correlation_id === "") return "correlation_id is missing";
  const receiptUrl = receipt_url ?? null;
  if (receiptUrl !== null && !isHttpUrl(receiptUrl)) return "receipt_url is no http address";
  return { provider, to, body, channel, correlationId: correlation_id, receiptUrl };
}

/** Reads what a provider is told about a message it sent. */
export function readFeedback(input: unknown): { messageId: string; verified: boolean } | string {
  if (!isRecord(input)) return "the body is not a JSON object";
  const { message_id: messageId, verified } = input;
  if (typeof messageId !== "string" || messageId === "") return "message_id is missing";
  if (typeof verified !== "boolean") return "verified is neither true nor false";
  return { messageId, verified };
}

/** The JSON body, or undefined. A page of another origin cannot send this content type without asking first. */
export async function readJson(c: Context): Promise<unknown> {
  if (!c.req.header("content-type")?.startsWith("application/json")) return undefined;
  return c.req.json().catch(() => undefined);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === "string" && /^https?:$/.test(URL.parse(value)?.protocol ?? "");
}
