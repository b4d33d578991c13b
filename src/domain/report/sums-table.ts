/**
 * Sums by subject in columns of numbers, for lists of a hundred thousand: an object for each would take three times the memory
 * and slow the garbage collector.
 */
import { addSums, type MessageSums, NO_MESSAGE_SUMS } from "./sums.ts";

const FIELDS = Object.keys(NO_MESSAGE_SUMS) as (keyof MessageSums)[];
const WIDTH = FIELDS.length;
const FIRST_ROWS = 1024;

/** Sums by subject. */
export interface SumsTable {
  places: Map<string, number>;
  /** A second column for each subject: the country of a range, the network of an address. */
  labels: (string | null)[];
  cells: Float64Array;
}

/** One row of the table. */
export interface RankedSums extends MessageSums {
  subject: string;
  label: string | null;
}

/** A table without rows. */
export const newSumsTable = (): SumsTable => ({
  places: new Map(),
  labels: [],
  cells: new Float64Array(FIRST_ROWS * WIDTH),
});

/**
 * Adds to a subject's sums.
 *
 * @param label of a subject that is new
 * @param most subjects the table may hold
 * @returns false where the subject is new and the table is full
 */
export function addToSumsTable(
  table: SumsTable,
  { subject, label }: Pick<RankedSums, "subject" | "label">,
  more: MessageSums,
  most: number,
): boolean {
  let place = table.places.get(subject);
  if (place === undefined) {
    place = table.places.size;
    if (place >= most) return false;
    table.places.set(subject, place);
    table.labels.push(label);
    if ((place + 1) * WIDTH > table.cells.length) grow(table);
    put(table, place, NO_MESSAGE_SUMS);
  }
  put(table, place, addSums(rowAt(table, place), more));
  return true;
}

/** The sums of one subject; null where the table does not hold it. */
export function sumsOfSubject(table: SumsTable, subject: string): MessageSums | null {
  const place = table.places.get(subject);
  return place === undefined ? null : rowAt(table, place);
}

/** All rows, the most messages first, those of equal weight by their subject; each is made when it is asked for. */
export function* rankedRows(
  table: SumsTable,
  holds: (sums: MessageSums) => boolean = () => true,
): Generator<RankedSums> {
  const subjects = [...table.places.keys()];
  const sent = (place: number) => table.cells[place * WIDTH] ?? 0;
  const name = (place: number) => subjects[place] ?? "";
  const order = Uint32Array.from(subjects, (_, place) => place).sort(
    (a, b) => sent(b) - sent(a) || (name(a) < name(b) ? -1 : 1),
  );
  for (const place of order) {
    const sums = rowAt(table, place);
    if (holds(sums)) yield { subject: name(place), label: table.labels[place] ?? null, ...sums };
  }
}

function grow(table: SumsTable): void {
  const larger = new Float64Array(table.cells.length * 2);
  larger.set(table.cells);
  table.cells = larger;
}

function put({ cells }: SumsTable, place: number, sums: MessageSums): void {
  for (let i = 0; i < WIDTH; i++) cells[place * WIDTH + i] = sums[FIELDS[i] ?? "sent"];
}

function rowAt({ cells }: SumsTable, place: number): MessageSums {
  const at = (i: number) => cells[place * WIDTH + i] ?? 0;
  return {
    sent: at(0),
    verified: at(1),
    delivered: at(2),
    undelivered: at(3),
    messageMicros: at(4),
    dltMicros: at(5),
    unansweredMicros: at(6),
    firstMs: at(7),
    lastMs: at(8),
  };
}
