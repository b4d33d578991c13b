/**
 * Erases one person from every store, then looks again. Sessions end first, so that none records anything any more; then go
 * marks, limits and budgets, and at last the ledger, which names the others. A failure half way is reported, and a second run
 * erases the rest.
 */
import type { Unavailable, WriteResult } from "../../ports/result.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { type FoundPerson, findPerson, type PersonDeps, parsePersonNumber } from "./export-person.ts";

export interface ErasedPerson extends Performed {
  /** Entries removed or made anonymous, by store. */
  removed: Record<string, number>;
  /** The entries that a second look still finds, by store; empty when everything is erased. */
  remaining: Record<string, number>;
}

export async function erasePerson(
  deps: PersonDeps,
  act: OperatorCommand,
  number: string,
): Promise<ErasedPerson | NotPerformed> {
  const e164 = parsePersonNumber(number);
  if (typeof e164 !== "string") return e164;
  const removed: Record<string, number> = {};
  let remaining: Record<string, number> = {};
  const erase = async (): Promise<WriteResult> => {
    const person = await findPerson(deps, e164);
    if (person.kind !== "found") return person;
    const done = await eraseOnce(deps, person, removed);
    if (done.kind !== "done") return done;
    // With the traces of the first look: the ledger names none any more.
    const left = await countRemaining(deps, person);
    if ("kind" in left) return left;
    remaining = left.counts;
    return done;
  };
  // Neither the number nor its hash is written down: the record would be what was to be erased.
  const acted = await runOperatorAction(deps, act, {
    what: "person erased",
    details: {},
    effect: "lowers",
    perform: erase,
  });
  if (acted.kind !== "done") return acted;
  const left = Object.values(remaining).reduce((sum, count) => sum + count, 0);
  return {
    ...acted,
    notes: [
      ...acted.notes,
      left === 0
        ? "A second look finds nothing of this number."
        : `A second look still finds ${left} entries: run it again.`,
    ],
    removed,
    remaining,
  };
}

async function eraseOnce(
  { ledger, people, sessions }: PersonDeps,
  { traces, sessionIds }: FoundPerson,
  removed: Record<string, number>,
): Promise<WriteResult> {
  const add = (store: string, count: number) => {
    removed[store] = (removed[store] ?? 0) + count;
  };
  const ended = await Promise.all(sessionIds.map((id) => sessions.forget(id)));
  add("sessions", ended.filter(Boolean).length);
  const marks = await people.remove(traces);
  if (marks.kind !== "removed") return marks;
  for (const [store, count] of Object.entries(marks.entries)) add(store, count);
  const rows = await ledger.erase(traces.numberTags);
  if (rows.kind !== "erased") return rows;
  add("ledger rows made anonymous", rows.rows);
  add("encrypted numbers and addresses", rows.sealed);
  add("ledger events among the dead letters", rows.letters);
  return { kind: "done" };
}

/** Counts the remaining entries by store. */
async function countRemaining(
  { ledger, people, sessions }: PersonDeps,
  { traces, sessionIds }: FoundPerson,
): Promise<{ counts: Record<string, number> } | Unavailable> {
  const [rows, held, alive] = await Promise.all([
    ledger.byNumber(traces.numberTags),
    people.held(traces),
    Promise.all(sessionIds.map((id) => sessions.forget(id))),
  ]);
  if (rows.kind !== "answered") return rows;
  if (held.kind !== "answered") return held;
  const counts: Record<string, number> = {};
  for (const { store } of held.marks) counts[store] = (counts[store] ?? 0) + 1;
  if (rows.rows.length > 0) counts["ledger rows"] = rows.rows.length;
  if (alive.some(Boolean)) counts.sessions = alive.filter(Boolean).length;
  return { counts };
}
