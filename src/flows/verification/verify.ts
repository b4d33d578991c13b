/**
 * Judges a code: token (no I/O), one call to the session object, and on success a signed proof and a device token.
 * Everything that learns from it (budgets, marks, counters, limits) goes on behind the answer, and none of it being
 * silent stops a verification.
 */
import { addressUnit } from "../../domain/admission/address.ts";
import { wrongCodeLimit } from "../../domain/admission/limits.ts";
import type { Source } from "../../domain/admission/source.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { countProbe, countVerified, countWrongCode } from "../../domain/monitor/counting.ts";
import { countRulesLeftVerified } from "../../domain/monitor/rule-counts.ts";
import type { CounterUpdate } from "../../domain/monitor/tally.ts";
import type { AttemptResult, VerifiedSend } from "../../domain/session/attempt.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import type { OpenedToken } from "../../ports/session.ts";
import { notifyCustomer } from "../publish/notify-customer.ts";
import { recordEvent } from "../publish/record-event.ts";

export interface VerifyInput {
  session: string;
  code: string;
  reference: string | undefined;
}

export interface VerifiedAnswer {
  kind: "verified";
  proof: string;
  phone: string;
  correlationId: string;
  /** For the client to keep and bring to its next send: it is known from now on. */
  deviceToken: string;
}

/** Numbers a device token remembers; a shared family phone has a few, a farm has many. */
const NUMBERS_PER_DEVICE = 5;

export async function verify(
  deps: Deps,
  request: VerifyInput,
  source: Source,
): Promise<VerifiedAnswer | Refusal> {
  const { policy, sessions, tokens, vault, log, defer } = deps;
  const claims = await tokens.open(request.session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  const { sessionId, correlationId, flow, reference } = claims;
  if ((request.reference ?? null) !== reference) {
    return { kind: "session_gone", cause: "another reference", correlationId };
  }

  const digest = await vault.digestCode(claims.keyId, sessionId, request.code);
  const result = await sessions.attempt(sessionId, digest, policy);
  log(`attempt_${result.kind}`, { correlation_id: correlationId, flow });
  switch (result.kind) {
    case "gone":
      return { kind: "session_gone", cause: result.cause, correlationId };
    case "locked":
      return { ...result, kind: "too_many_attempts", attemptsLeft: 0, correlationId };
    case "wait":
      return { ...result, kind: "too_many_attempts", correlationId };
    case "incorrect":
      defer(learnFailure(deps, claims, source), correlationId);
      defer(tellFailure(deps, claims, source, result.attemptsLeft), correlationId);
      return { ...result, kind: "code_incorrect", correlationId };
    case "verified":
      return prove(deps, claims, result, source);
  }
}

async function prove(
  deps: Deps,
  claims: OpenedToken,
  result: Extract<AttemptResult, { kind: "verified" }>,
  source: Source,
): Promise<VerifiedAnswer> {
  const { policy, vault, proofs, devices, nowMs, defer } = deps;
  const { phone, flow, reference, correlationId, deviceId, deviceNumberTags } = claims;
  defer(tellProviders(deps, correlationId, result), correlationId);
  const tags = await vault.tags("number", phone);
  const [numberTag = ""] = tags;
  defer(learnSuccess(deps, claims, numberTag, result), correlationId);
  const last = result.sends.at(-1);
  const message = last && { provider: last.provider, channel: last.channel, messageId: last.messageId };
  const told = { kind: "verified" as const, of: correlationId, ...message };
  defer(recordEvent(deps, { ...told, ...happening(claims), numberTag, source }), correlationId);
  const approved = { of: correlationId, correlationId, about: claims, facts: { channel: result.channel } };
  defer(notifyCustomer(deps, "verification.approved", approved), correlationId);
  const audience = policy.flows[flow]?.audience ?? policy.proof.audience;
  const numberTags = [numberTag, ...deviceNumberTags.filter((tag) => !tags.includes(tag))];
  const [proof, deviceToken] = await Promise.all([
    proofs.sign({ phone, flow, audience, channel: result.channel, reference, correlationId }, nowMs()),
    devices.issue({ deviceId, numberTags: numberTags.slice(0, NUMBERS_PER_DEVICE) }),
  ]);
  return { kind: "verified", proof, phone, correlationId, deviceToken };
}

async function learnSuccess(
  { budgets, marks, counters, nowMs }: Deps,
  { failureTags, phone, flow }: OpenedToken,
  numberTag: string,
  { sends, hold, otherHolds }: Extract<AttemptResult, { kind: "verified" }>,
): Promise<void> {
  await Promise.all([
    counters.count([
      ...verifiedBookings(phone, flow, sends, nowMs()),
      ...[hold, ...otherHolds].flatMap((held) =>
        held?.probe === undefined ? [] : [{ minute: minuteOf(held.atMs), entries: [countProbe(held.probe)] }],
      ),
    ]),
    marks.markKnown(numberTag),
    marks.forgetFailures(failureTags),
    hold === null ? null : budgets.credit(hold, otherHolds),
  ]);
}

/** Providers that listen hear which messages converted, and which came back while another did. */
async function tellProviders(
  { providers, outbox, log, nowMs }: Deps,
  correlationId: string,
  { sends, lost }: Extract<AttemptResult, { kind: "verified" }>,
): Promise<void> {
  const atMs = nowMs();
  const feedback =
    (verified: boolean) =>
    ({ provider, messageId, channel }: VerifiedSend): OutboxMessage[] =>
      provider === null || messageId === null || !providers.get(provider)?.feedback
        ? []
        : [{ kind: "feedback", provider, messageId, channel, verified, atMs, correlationId }];
  const put = await outbox.put([...sends.flatMap(feedback(true)), ...lost.flatMap(feedback(false))]);
  if (put.kind !== "done") {
    log("feedback_not_queued", { correlation_id: correlationId, cause: put.cause });
  }
}

/**
 * One answer answers every message that may have carried the code, each in the minute it left; how long it took, the last one
 * says.
 */
function verifiedBookings(
  e164: string,
  flow: string,
  sends: readonly VerifiedSend[],
  nowMs: number,
): CounterUpdate[] {
  const phone = parsePhone(e164, undefined);
  if ("kind" in phone) return [];
  return sends.map(({ atMs, channel, provider, asn, stoppers = [] }, i) => {
    const afterSeconds = i === sends.length - 1 ? (nowMs - atMs) / 1000 : null;
    return {
      minute: minuteOf(atMs),
      entries: [
        ...countVerified({ phone, channel, flow, provider, asn }, afterSeconds),
        ...countRulesLeftVerified(stoppers),
      ],
    };
  });
}

async function learnFailure(
  { policy, vault, limits, marks, counters, nowMs }: Deps,
  { failureTags, phone: e164, flow }: OpenedToken,
  source: Source,
): Promise<void> {
  const ip = await vault.tag("ip", addressUnit(source.ip) ?? "unknown");
  const phone = parsePhone(e164, undefined);
  const wrong = "kind" in phone ? [] : countWrongCode(phone.country, flow);
  await Promise.all([
    limits.take([wrongCodeLimit(policy.limits, ip)]),
    marks.countFailure(failureTags),
    counters.count([{ minute: minuteOf(nowMs()), entries: wrong }]),
  ]);
}

/** A wrong code, and the lock where it was the last one, for the ledger and for the customer's backend. */
async function tellFailure(
  deps: Deps,
  claims: OpenedToken,
  source: Source,
  attemptsLeft: number,
): Promise<void> {
  const of = claims.correlationId;
  const told = { ...happening(claims), numberTag: await deps.vault.tag("number", claims.phone), source };
  const news = { correlationId: of, about: claims };
  const locked = attemptsLeft === 0;
  await Promise.all([
    recordEvent(deps, { ...told, kind: "attempt_failed", of: `${of}.${attemptsLeft}` }),
    notifyCustomer(deps, "verification.attempt_failed", {
      ...news,
      of: `${of}:${attemptsLeft}`,
      // Of two at the same time, the one that leaves fewer came later.
      nth: 99 - attemptsLeft,
      facts: { attempts_left: attemptsLeft },
    }),
    ...(locked
      ? [
          recordEvent(deps, { ...told, kind: "locked", of }),
          notifyCustomer(deps, "verification.locked", { ...news, of }),
        ]
      : []),
  ]);
}

/** What the session's token says for the ledger. */
function happening({ correlationId, flow, phone: e164, failureTags }: OpenedToken) {
  const phone = parsePhone(e164, undefined);
  return {
    correlationId,
    flow,
    userTag: failureTags[1] ?? null,
    ...("kind" in phone ? {} : { phone }),
  };
}
