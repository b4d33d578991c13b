/** The story of one verification, event by event, in words. */
import { MINUTE_MS } from "../../domain/kernel/time.ts";
import type { LedgerRow } from "../../domain/ledger/event.ts";
import type { VerificationSummary } from "../../flows/evidence/read-trace.ts";
import type { Tone } from "../parts.tsx";
import type { PageFormats } from "../words.ts";

export interface EventLine {
  id: string;
  atMs: number;
  /** Since the first event. */
  after: string;
  what: string;
  tone: Tone;
  /** Evidence as pairs; what is not known, or was said of an earlier event, is left out. */
  facts: { name: string; value: string }[];
}

const WHAT: Readonly<Record<LedgerRow["kind"], [words: string, tone: Tone]>> = {
  requested: ["Let through", "quiet"],
  refused: ["Refused", "bad"],
  challenged: ["Challenged", "warn"],
  sent: ["Message left", "quiet"],
  delivered: ["Delivered, the provider says", "good"],
  undelivered: ["Not delivered, the provider says", "bad"],
  attempt_failed: ["Wrong code", "warn"],
  locked: ["Locked: too many wrong codes", "bad"],
  verified: ["Verified", "good"],
  expired: ["Ended without a right code", "warn"],
  feedback: ["Provider heard whether it converted", "quiet"],
  posture: ["Posture changed", "warn"],
  operator_action: ["An operator acted", "warn"],
};

export function eventLines(rows: readonly LedgerRow[], words: PageFormats): EventLine[] {
  const start = rows[0]?.atMs ?? 0;
  const said = new Set<string>();
  const isNew = ({ name, value }: EventLine["facts"][number]) =>
    !said.has(`${name} ${value}`) && said.add(`${name} ${value}`);
  return rows.map((row) => {
    const [what, tone] = WHAT[row.kind];
    return {
      id: `event-${row.id}`,
      atMs: row.atMs,
      after: row.atMs === start ? "" : `+${saysAfter(row.atMs - start, words)}`,
      what,
      tone,
      facts: factsOf(row, words).filter(isNew),
    };
  });
}

const saysAfter = (ms: number, { seconds, lasting }: PageFormats): string =>
  ms < MINUTE_MS ? seconds(ms / 1000) : lasting(ms);

function factsOf(row: LedgerRow, { price }: PageFormats): EventLine["facts"] {
  const { costMicros, dltMicros } = row;
  const pairs: [string, string | number | null][] = [
    ["verdict", row.action],
    ["reasons", row.reasons],
    ["code", row.code],
    ["flow", row.flow],
    ["country", row.country],
    ["block", row.block],
    ["channel", row.channel],
    ["provider", row.provider],
    ["message id", row.messageId],
    ["receipt", row.receipt],
    ["cost", costMicros === null ? null : price(costMicros)],
    ["DLT fee", dltMicros === null || dltMicros === 0 ? null : price(dltMicros)],
    ["network", row.asn === null ? null : `AS${row.asn}`],
    ["subnet", row.subnet],
    ["address", shortTag(row.addressTag)],
    ["number", shortTag(row.numberTag)],
    ["user", shortTag(row.userTag)],
  ];
  return pairs.flatMap(([name, value]) =>
    value === null || value === "" ? [] : [{ name, value: String(value) }],
  );
}

/** The first characters of a keyed hash: enough to tell two apart. */
export const shortTag = (tag: string | null): string | null => (tag === null ? null : `${tag.slice(0, 8)}…`);

const OUTCOMES: Readonly<Record<VerificationSummary["outcome"], Tone>> = {
  verified: "good",
  refused: "bad",
  expired: "warn",
  open: "quiet",
};

export const verificationResultTone = (outcome: VerificationSummary["outcome"]): Tone => OUTCOMES[outcome];
