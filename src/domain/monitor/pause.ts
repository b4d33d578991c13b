/** Pauses: operators stop a country, a flow or a provider for a time, for everybody, known or not, and without probes. */

export const PAUSE_KINDS = ["country", "flow", "provider"] as const;
export type PauseKind = (typeof PAUSE_KINDS)[number];

/** One pause, with its author, its reason and its time. */
export interface Pause {
  kind: PauseKind;
  /** ISO 3166-1 alpha-2, or the name of a flow or a provider. */
  subject: string;
  sinceMs: number;
  untilMs: number;
  by: string;
  why: string;
}

/** The pause that stops a message to this country in this flow; null for none. */
export const findPause = (
  pauses: readonly Pause[],
  { country, flow }: { country: string; flow: string },
  nowMs: number,
): Pause | null =>
  pauses.find(
    ({ kind, subject, untilMs }) =>
      nowMs < untilMs &&
      ((kind === "country" && subject === country) || (kind === "flow" && subject === flow)),
  ) ?? null;

/** True while an operator pauses this provider. */
export const isProviderPaused = (pauses: readonly Pause[], provider: string, nowMs: number): boolean =>
  pauses.some(({ kind, subject, untilMs }) => kind === "provider" && subject === provider && nowMs < untilMs);
