/** Cursors of the ledger's pages, which name the last event of a page by its place in the ledger's order. */

/** The place of an event in the ledger: verifications by their beginning, and within one its events as they came. */
export interface LedgerPosition {
  /** Time of the verification's first event. */
  beganMs: number;
  /** The correlation id; of an event without one its own id. */
  verification: string;
  place: number;
}

export const ledgerCursor = ({ beganMs, verification, place }: LedgerPosition): string =>
  `${beganMs}.${place}.${verification}`;

/** @returns undefined for a text that is no cursor; one of before verifications were rows goes on with its millisecond */
export function readLedgerCursor(text: string): LedgerPosition | undefined {
  const [, began, place, verification = ""] =
    /^(\d{1,15})\.(\d{1,15})(?:\.([\w.:-]{1,200}))?$/.exec(text) ?? [];
  return began === undefined ? undefined : { beganMs: Number(began), verification, place: Number(place) };
}

/** The ledger's order. */
export const compareLedgerPositions = (a: LedgerPosition, b: LedgerPosition): number =>
  a.beganMs - b.beganMs || compareWithinMoment(a, b);

/** The order of events of one moment. */
export const compareWithinMoment = (
  a: Omit<LedgerPosition, "beganMs">,
  b: Omit<LedgerPosition, "beganMs">,
): number => compareTexts(a.verification, b.verification) || a.place - b.place;

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
