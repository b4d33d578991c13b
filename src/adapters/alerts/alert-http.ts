/** One POST to a receiver of alerts: bounded in time and in the bytes read, never redirected, and its failures in words. */
import type { AlertChannelPort } from "../../ports/monitor.ts";

export type AlertResult = Awaited<ReturnType<AlertChannelPort["tell"]>>;

export interface HttpAnswer {
  kind: "answered";
  status: number;
  /** The beginning of the body. */
  text: string;
  /** As `Retry-After` says, in seconds (RFC 9110, section 10.2.3); its form as a date counts as none. */
  retryAfterSeconds: number | null;
}

/** A channel's time-out; the queue tries again later. */
export const ALERT_TIMEOUT_MS = 5000;

/** No channel's answer is longer than a few words. */
const READ_BYTES = 2048;

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** True for https, and for plain http to this machine, where stand-ins live. */
function isConfidential(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.includes(url.hostname));
}

/** Posts JSON. No cause names the address: for some channels it is the secret. */
export async function postJson(
  url: string,
  timeoutMs: number,
  { headers = {}, body }: { headers?: Record<string, string>; body: string },
): Promise<HttpAnswer | Extract<AlertResult, { kind: "failed" }>> {
  if (!isConfidential(url)) return alertFailed("will not speak without TLS", false);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "manual",
    });
    const text = await beginning(response);
    const { status } = response;
    const seconds = response.headers.get("retry-after")?.trim() ?? "";
    return {
      kind: "answered",
      status,
      text,
      retryAfterSeconds: /^\d{1,9}$/.test(seconds) ? Number(seconds) : null,
    };
  } catch (error) {
    return error instanceof Error && error.name === "TimeoutError"
      ? alertFailed(`no answer in ${timeoutMs} ms`)
      : alertFailed("connection refused or lost");
  }
}

export function alertFailed(
  cause: string,
  retryable = true,
  retryAfterSeconds: number | null = null,
): Extract<AlertResult, { kind: "failed" }> {
  return { kind: "failed", cause, retryable, retryAfterSeconds };
}

/** Statuses that say the request itself will never be taken; all others may pass another time. */
export function isPermanentFailure(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  while (bytes < READ_BYTES) {
    const { done, value } = await reader.read();
    if (done) return text;
    bytes += value.byteLength;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, READ_BYTES);
}
