import { isRecord } from "./requests.ts";

/** What a pretend provider does with the next sends. */
export interface InboxFaults {
  /**
   * `refuse` answers 422 without a reason, `break` 503 (for now, and nothing left), `time_out` hangs and then answers 504,
   * `lose` accepts and shows nothing, `bounce` accepts, shows nothing and says in its receipt that nothing arrived.
   * `refuse_number`, `opt_out` and `fraud` answer 422 with that judgement; `deliver_and_break` delivers and answers 500.
   */
  mode: (typeof FAULT_MODES)[number];
  /** How long each answer is held back; a message that arrives, arrives after it, even when the caller gave up. */
  delay_ms: number;
  /** When receipts are posted: after the answer, `twice`, `before` it, or never. */
  receipts: (typeof RECEIPT_MODES)[number];
  /** How long after the answer. */
  receipt_delay_ms: number;
}

const FAULT_MODES = [
  "deliver",
  "refuse",
  "break",
  "time_out",
  "lose",
  "bounce",
  "refuse_number",
  "opt_out",
  "fraud",
  "deliver_and_break",
] as const;

/** The judgement in the answer, for modes that refuse with one. */
export const REFUSING_MODES: Readonly<Partial<Record<InboxFaults["mode"], string>>> = {
  refuse_number: "not_this_number",
  opt_out: "opted_out",
  fraud: "fraud",
};
const RECEIPT_MODES = ["after", "twice", "before", "never"] as const;
const MAX_DELAY_MS = 60_000;

/** The state of a healthy provider. */
export function noInboxFaults(): InboxFaults {
  return { mode: "deliver", delay_ms: 0, receipts: "after", receipt_delay_ms: 0 };
}

/** Reads a change; what it does not name stays as it is. Returns a sentence for a wrong one. */
export function readFaults(input: unknown, current: InboxFaults): InboxFaults | string {
  if (!isRecord(input)) return "the body is not a JSON object";
  const mode = oneOf(FAULT_MODES, input.mode, current.mode);
  if (mode === undefined) return `mode is none of ${FAULT_MODES.join(", ")}`;
  const receipts = oneOf(RECEIPT_MODES, input.receipts, current.receipts);
  if (receipts === undefined) return `receipts is none of ${RECEIPT_MODES.join(", ")}`;
  const delay_ms = delay(input.delay_ms, current.delay_ms);
  const receipt_delay_ms = delay(input.receipt_delay_ms, current.receipt_delay_ms);
  if (delay_ms === undefined) return `delay_ms is not a whole number from 0 to ${MAX_DELAY_MS}`;
  if (receipt_delay_ms === undefined) {
    return `receipt_delay_ms is not a whole number from 0 to ${MAX_DELAY_MS}`;
  }
  return { mode, delay_ms, receipts, receipt_delay_ms };
}

function oneOf<T extends string>(names: readonly T[], value: unknown, current: T): T | undefined {
  return value === undefined ? current : names.find((name) => name === value);
}

function delay(value: unknown, current: number): number | undefined {
  if (value === undefined) return current;
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_DELAY_MS
    ? Number(value)
    : undefined;
}
