import type { Incident } from "../domain/monitor/incident.ts";
import type { DeadLetter, OperatorAction, RecordsPort } from "../ports/records.ts";

/** The most records one question gets. */
const MOST_RECORDS = 200;

/** Keeps records for people in memory. Every write may come twice and leaves one record; a closed incident stays closed. */
export function memoryRecords(): RecordsPort & {
  /** Removes the oldest letters that a ledger beside these records erases or sweeps. @returns how many */
  removeLetters(which: (letter: DeadLetter) => boolean, limit: number): number;
} {
  const incidents = new Map<string, Incident>();
  const actions = new Map<string, OperatorAction>();
  const letters = new Map<string, DeadLetter>();
  return {
    async keepIncident(incident) {
      const wasClosed = (incidents.get(incident.id)?.closedAtMs ?? null) !== null;
      if (!wasClosed || incident.closedAtMs !== null) incidents.set(incident.id, incident);
      return { kind: "done" };
    },
    async incidents(limit) {
      return { kind: "answered", incidents: latest(incidents, ({ openedAtMs }) => openedAtMs, limit) };
    },
    incident: async (id) => incidents.get(id) ?? null,
    async writeAction(action) {
      if (!actions.has(action.id)) actions.set(action.id, action);
      return { kind: "done" };
    },
    async actions(limit) {
      return { kind: "answered", actions: latest(actions, ({ atMs }) => atMs, limit) };
    },
    async bury(letter) {
      const { atMs, cause } = letter;
      letters.set(letter.id, { ...(letters.get(letter.id) ?? letter), atMs, cause });
      return { kind: "done" };
    },
    async deadLetters(limit) {
      return { kind: "answered", letters: latest(letters, ({ atMs }) => atMs, limit) };
    },
    async exhume(id) {
      const letter = letters.get(id) ?? null;
      letters.delete(id);
      return letter;
    },
    removeLetters(which, limit) {
      const removed = [...letters.values()]
        .filter(which)
        .sort((a, b) => a.atMs - b.atMs)
        .slice(0, limit);
      for (const { id } of removed) letters.delete(id);
      return removed.length;
    },
  };
}

/** The latest records first, those of one moment by their ids; at least one and no more than is good. */
function latest<One extends { id: string }>(
  records: ReadonlyMap<string, One>,
  timeOf: (record: One) => number,
  limit: number,
): One[] {
  const most = Math.min(MOST_RECORDS, Math.max(1, Math.floor(limit)));
  return [...records.values()].sort((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? -1 : 1)).slice(0, most);
}
