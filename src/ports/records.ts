/** Records for people to read: incidents, operator actions, and dead letters. */
import type { Incident } from "../domain/monitor/incident.ts";
import type { Unavailable, WriteResult } from "./result.ts";

/** An action of an operator, with its reason. */
export interface OperatorAction {
  id: string;
  atMs: number;
  /** Token name or the Access user's e-mail address. */
  who: string;
  what: string;
  why: string;
  details: Readonly<Record<string, string | number | boolean | null>>;
}

/** A piece of queued work that was given up: an alert, a customer's event, feedback, a ledger message. */
export interface DeadLetter {
  id: string;
  atMs: number;
  queue: string;
  cause: string;
  /** JSON as it stood in the queue. */
  body: string;
}

/** The records, each write of which may fail by itself. */
export interface RecordsPort {
  keepIncident(incident: Incident): Promise<WriteResult>;
  incidents(limit: number): Promise<{ kind: "answered"; incidents: Incident[] } | Unavailable>;
  incident(id: string): Promise<Incident | null | Unavailable>;
  writeAction(action: OperatorAction): Promise<WriteResult>;
  actions(limit: number): Promise<{ kind: "answered"; actions: OperatorAction[] } | Unavailable>;
  bury(letter: DeadLetter): Promise<WriteResult>;
  deadLetters(limit: number): Promise<{ kind: "answered"; letters: DeadLetter[] } | Unavailable>;
  /** Takes a letter out, so that it can be sent once more; null where there is no such letter. */
  exhume(id: string): Promise<DeadLetter | null | Unavailable>;
}
