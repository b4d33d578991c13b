/** The trace of one verification, found by its correlation id, or among all verifications of a number. */

import { parsePhone } from "../../domain/kernel/phone.ts";
import { deliveredEvent } from "../../domain/ledger/delivered-event.ts";
import { EVENT_KINDS, type LedgerRow } from "../../domain/ledger/event.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Unavailable } from "../../ports/result.ts";

export interface VerificationTrace {
  kind: "story";
  correlationId: string;
  /** In the order of their times. */
  rows: LedgerRow[];
  /** The session as it is now; null when it has ended, or never was. */
  session: SessionView | null;
}

/** A verification in one line. */
export interface VerificationSummary {
  correlationId: string;
  firstAtMs: number;
  lastAtMs: number;
  flow: string | null;
  country: string | null;
  messages: number;
  costMicros: number;
  outcome: "verified" | "refused" | "expired" | "open";
}

export interface VerificationList {
  kind: "chapters";
  /** The latest first. */
  chapters: VerificationSummary[];
}

/** Verifications shown of one number. */
const CHAPTERS_SHOWN = 100;

/** A correlation id is a UUID. */
const CORRELATION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isCorrelationId = (text: string): boolean => CORRELATION_ID.test(text);

/** @returns null when the ledger knows nothing of it */
export async function readTrace(
  { ledger, sessions, policy }: Pick<Deps, "ledger" | "sessions" | "policy">,
  correlationId: string,
): Promise<VerificationTrace | null | Unavailable> {
  if (!isCorrelationId(correlationId)) return null;
  const found = await ledger.story(correlationId);
  if (found.kind !== "answered") return found;
  if (found.rows.length === 0) return null;
  const sessionId = found.rows.find((row) => row.sessionId !== null)?.sessionId ?? null;
  const session = sessionId === null ? null : await sessions.view(sessionId, policy);
  const rows = withCarried(correlationId, found.rows, session);
  return { kind: "story", correlationId, rows: rows.toSorted(inOrder), session };
}

/** A running session has deliveries that the ledger gets at its end. */
function withCarried(
  correlationId: string,
  rows: readonly LedgerRow[],
  session: SessionView | null,
): LedgerRow[] {
  const delivered = (session?.receipts ?? []).map((receipt) => ({
    ...deliveredEvent(correlationId, receipt),
    verified: false,
  }));
  const sent = new Set(delivered.map(({ id }) => id.replace("delivered.", "sent.")));
  return [
    ...rows.map((row) => (sent.has(row.id) ? { ...row, receipt: "delivered" } : row)),
    ...delivered.filter(({ id }) => rows.every((row) => row.id !== id)),
  ];
}

/** Events of the same millisecond come in the order in which they can happen. */
const inOrder = (a: LedgerRow, b: LedgerRow): number =>
  a.atMs - b.atMs || EVENT_KINDS.indexOf(a.kind) - EVENT_KINDS.indexOf(b.kind);

/**
 * The verifications of a number, found by its keyed hashes: the number itself goes nowhere.
 *
 * @param text a number in E.164
 */
export async function findVerifications(
  { ledger, vault }: Pick<Deps, "ledger" | "vault">,
  text: string,
): Promise<VerificationList | { kind: "no_number" } | Unavailable> {
  const phone = parsePhone(text, undefined);
  if ("kind" in phone) return { kind: "no_number" };
  const found = await ledger.byNumber(await vault.tags("number", phone.e164));
  if (found.kind !== "answered") return found;
  const stories = Map.groupBy(
    found.rows.filter((row) => row.correlationId !== null),
    (row) => row.correlationId ?? "",
  );
  const chapters = [...stories].map(([correlationId, rows]) => summaryOf(correlationId, rows));
  return {
    kind: "chapters",
    chapters: chapters.toSorted((a, b) => b.firstAtMs - a.firstAtMs).slice(0, CHAPTERS_SHOWN),
  };
}

function summaryOf(correlationId: string, rows: readonly LedgerRow[]): VerificationSummary {
  const times = rows.map(({ atMs }) => atMs);
  const sent = rows.filter(({ kind }) => kind === "sent");
  const has = (...kinds: LedgerRow["kind"][]) => rows.some(({ kind }) => kinds.includes(kind));
  const unsent = sent.length === 0 && has("refused", "challenged");
  return {
    correlationId,
    firstAtMs: Math.min(...times),
    lastAtMs: Math.max(...times),
    flow: rows.find(({ flow }) => flow !== null)?.flow ?? null,
    country: rows.find(({ country }) => country !== null)?.country ?? null,
    messages: sent.length,
    costMicros: sent.reduce((sum, row) => sum + (row.costMicros ?? 0) + (row.dltMicros ?? 0), 0),
    outcome: has("verified")
      ? "verified"
      : unsent
        ? "refused"
        : has("expired", "locked")
          ? "expired"
          : "open",
  };
}
