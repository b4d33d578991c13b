/** What the service answered, as data that a client can act on. Titles are English and for logs, not for people. */
import type { Problem, ProblemCode, SendAnswer, SessionAnswer, VerifyAnswer } from "../http/contract.ts";
import { type Deadline, deadlineIn } from "./deadline.ts";

export type Channel = SendAnswer["channel"];

/** The service makes codes of 4 to 10 digits; any other length is damage on the way, or in a store. */
export const isCodeLength = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 4 && Number(value) <= 10;

/** What a CAPTCHA widget must be rendered with. */
export interface Challenge {
  provider: "turnstile" | "hcaptcha" | "recaptcha";
  siteKey: string;
  action: string;
  /** Only a token that is solved from now on will do: throw away one that lies ready. */
  fresh: boolean;
}

export interface Sent {
  kind: "sent";
  /** Opaque; verify, resend and status take it. */
  session: string;
  correlationId: string;
  channel: Channel;
  /** The number as it may be shown: most of its digits are dots. */
  maskedPhone: string;
  codeLength: number;
  attemptsLeft: number;
  codeExpires: Deadline;
  /** When a resend is possible; null when this session sends no more. */
  resend: Deadline | null;
  /** By which channels a resend may go, each from its own time on. */
  nextChannels: { channel: Channel; available: Deadline }[];
}

export interface Verified {
  kind: "verified";
  /** A signed JWT for your backend, which checks it; do not trust it here. */
  proof: string;
  phone: string;
  correlationId: string;
  /** Brought to later sends, it makes this a known device. */
  deviceToken: string;
}

export interface Status {
  kind: "status";
  status: SessionAnswer["status"];
  delivery: SessionAnswer["delivery"];
  correlationId: string;
  channel: Channel;
  sends: number;
  attemptsLeft: number;
  codeExpires: Deadline;
  /** When a resend is possible; null when this session sends no more. */
  resend: Deadline | null;
}

interface Answered {
  /** HTTP status. */
  status: number;
  correlationId: string;
  title: string;
}

type Plain =
  | "unauthorized"
  | "flow_refused"
  | "number_invalid"
  | "number_type_refused"
  | "country_not_served"
  | "idempotency_conflict"
  | "session_gone"
  | "not_found"
  | "method_not_allowed"
  | "body_too_large"
  | "unsupported_media_type"
  | "misconfigured"
  | "internal_error";

/** One member per problem code of the service, and those of the way there. */
export type Refusal =
  | (Answered & { kind: Plain })
  | (Answered & { kind: "invalid_request"; errors: { field: string; reason: string }[] })
  /** `factors` are what will do instead of a message, in your own words, where the service knows some. */
  | (Answered & { kind: "challenge_required"; challenge: Challenge | null; factors: string[] })
  | (Answered & { kind: "challenge_failed"; challenge: Challenge | null })
  | (Answered & { kind: "step_up_required"; factors: string[] })
  /** `channels` may still do for this number. */
  | (Answered & { kind: "number_unreachable" | "number_opted_out"; channels: Channel[] })
  /** `in_progress` is an earlier try of the same request that has not ended: repeat it under the same key. */
  | (Answered & {
      kind: "too_many_requests" | "sending_paused" | "proof_unavailable" | "delivery_failed" | "in_progress";
      retry: Deadline;
    })
  /** `retry` is when the next code is looked at. */
  | (Answered & { kind: "code_incorrect" | "too_many_attempts"; attemptsLeft: number; retry: Deadline })
  /** A code of a newer service. */
  | (Answered & { kind: "unknown_problem"; code: string; retry: Deadline })
  /** An answer that the service did not write: a proxy's error page, a hotel's login page. */
  | { kind: "unreadable"; status: number; retry: Deadline }
  /** No answer. A start that is tried again with this key sends no second message. */
  | { kind: "unreachable"; idempotencyKey: string | null }
  | { kind: "aborted" };

/** The outcome of a 2xx answer to a send; null when the body is none. */
export function readSent(body: Partial<SendAnswer> | null): Sent | null {
  if (typeof body?.session !== "string" || typeof body.expires_in_seconds !== "number") return null;
  return {
    kind: "sent",
    session: body.session,
    ...readCommon(body),
    maskedPhone: body.masked_phone ?? "",
    codeLength: isCodeLength(body.code_length) ? body.code_length : 6,
    nextChannels: (body.next_channels ?? []).map(({ channel, available_in_seconds }) => ({
      channel,
      available: deadlineIn(available_in_seconds),
    })),
  };
}

export function readVerified(body: Partial<VerifyAnswer> | null): Verified | null {
  if (body?.status !== "verified" || typeof body.proof !== "string") return null;
  return {
    kind: "verified",
    proof: body.proof,
    phone: body.phone ?? "",
    correlationId: body.correlation_id ?? "",
    deviceToken: body.device_token ?? "",
  };
}

export function readStatus(body: Partial<SessionAnswer> | null): Status | null {
  if (typeof body?.status !== "string" || typeof body.expires_in_seconds !== "number") return null;
  return {
    kind: "status",
    status: body.status,
    delivery: body.delivery ?? "unknown",
    ...readCommon(body),
    sends: body.sends ?? 1,
  };
}

function readCommon(body: Partial<SendAnswer | SessionAnswer>) {
  const { resend_in_seconds: resendInSeconds } = body;
  return {
    correlationId: body.correlation_id ?? "",
    channel: body.channel ?? "sms",
    attemptsLeft: body.attempts_left ?? 1,
    codeExpires: deadlineIn(body.expires_in_seconds ?? 0),
    resend: typeof resendInSeconds === "number" ? deadlineIn(resendInSeconds) : null,
  };
}

/** The header `Retry-After` in whole seconds (RFC 9110 section 10.2.3: seconds or a date); 0 where it says nothing. */
export function readRetryAfter(header: string | null, nowMs: number): number {
  if (header === null) return 0;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header);
  // A number that is none of seconds, "-5" for example, would be read as a year.
  const atMs = /[a-z]/i.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}

/** When a refused request may be made again, in seconds: the body's word, or that of the header, which proxies write. */
export function secondsToRetry(body: Partial<Problem> | null, headerSeconds: number): number {
  const told: unknown = body?.retry_after ?? body?.retry_in_seconds;
  return typeof told === "number" && told >= 0 ? told : headerSeconds;
}

/**
 * The outcome of an answer that is not 2xx, or cannot be read.
 *
 * @param retrySeconds of `secondsToRetry`
 */
export function readProblem(status: number, body: Partial<Problem> | null, retrySeconds: number): Refusal {
  const retry = deadlineIn(retrySeconds);
  if (typeof body?.code !== "string") return { kind: "unreadable", status, retry };
  const answered = { status, correlationId: body.correlation_id ?? "", title: body.title ?? "" };
  const factors = body.step_up?.factors ?? [];
  const attemptsLeft = body.attempts_left ?? 0;
  const code = body.code as ProblemCode;
  switch (code) {
    case "unauthorized":
    case "number_invalid":
    case "number_type_refused":
    case "flow_refused":
    case "country_not_served":
    case "idempotency_conflict":
    case "session_gone":
    case "not_found":
    case "method_not_allowed":
    case "body_too_large":
    case "unsupported_media_type":
    case "misconfigured":
    case "internal_error":
      return { ...answered, kind: code };
    case "invalid_request":
      return { ...answered, kind: code, errors: body.errors ?? [] };
    case "challenge_required":
      return { ...answered, kind: code, challenge: readChallenge(body), factors };
    case "challenge_failed":
      return { ...answered, kind: code, challenge: readChallenge(body) };
    case "number_unreachable":
    case "number_opted_out":
      return { ...answered, kind: code, channels: body.channels ?? [] };
    case "step_up_required":
      return { ...answered, kind: code, factors };
    case "too_many_requests":
    case "sending_paused":
    case "proof_unavailable":
    case "delivery_failed":
    case "in_progress":
      return { ...answered, kind: code, retry };
    case "code_incorrect":
    case "too_many_attempts":
      return { ...answered, kind: code, attemptsLeft, retry };
    default:
      return { ...answered, kind: "unknown_problem", code: code satisfies never, retry };
  }
}

function readChallenge({ challenge }: Partial<Problem>): Challenge | null {
  if (!challenge) return null;
  const { provider, site_key: siteKey, action, fresh } = challenge;
  return { provider, siteKey, action, fresh };
}
