/** What is kept for people to read: incidents, what operators did, and what could not be delivered. */
import type { Incident } from "../domain/monitor/incident.ts";
import type { Done, Unavailable } from "./result.ts";

/** Something an operator did, and why. */
export interface OperatorAction {
  id: string;
  atMs: number;
  /** Token name or the Access user's e-mail address. */
  who: string;
  what: string;
  why: string;
  details: Readonly<Record<string, string | number | boolean | null>>;
}

/** A delivery that was given up: an alert, a webhook, a feedback. */
export interface DeadLetter {
  id: string;
  atMs: number;
  queue: string;
  cause: string;
  /** JSON as it stood in the queue. */
  body: string;
}

/** What is kept for people: incidents, what operators did, and what could not be delivered. */
export interface RecordsPort {
  keepIncident(incident: Incident): Promise<Done>;
  incidents(limit: number): Promise<{ kind: "answered"; incidents: Incident[] } | Unavailable>;
  incident(id: string): Promise<Incident | null | Unavailable>;
  writeAction(action: OperatorAction): Promise<Done>;
  actions(limit: number): Promise<{ kind: "answered"; actions: OperatorAction[] } | Unavailable>;
  bury(letter: DeadLetter): Promise<Done>;
  deadLetters(limit: number): Promise<{ kind: "answered"; letters: DeadLetter[] } | Unavailable>;
  /** Takes a letter out, for sending it once more. */
  exhume(id: string): Promise<DeadLetter | null | Unavailable>;
}
