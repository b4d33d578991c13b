import type { Challenge, Refusal, Sent, Tollgate } from "../client.ts";
import type { Trouble } from "./trouble.ts";
import type { Language } from "./words/words.ts";

/** What every step of the form works with. */
export interface Kit {
  client: Tollgate;
  language: Language;
  flow: string | undefined;
  reference: string | undefined;
  /** Where the person probably is, ISO 3166-1 alpha-2. */
  region: string;
  /** Known beforehand, it saves the refused first try. */
  challenge: Challenge | null;
  /** Says something to people who do not see the form. */
  announce(text: string): void;
  emit(name: "sent" | "verified" | "refused", detail: object): void;
  /** Shows the widget until it is solved; null when it cannot be. */
  solve(challenge: Challenge, signal: AbortSignal): Promise<string | null>;
}

export interface Step {
  root: HTMLElement;
  focus(): void;
  /** Stops all that is under way. */
  leave(): void;
}

/** A demand, and one more for a freshly solved token. */
const MOST_CHALLENGES = 2;

/**
 * Makes a request that may first need a solved challenge.
 *
 * @param attempt makes it, with a token where there is one
 */
export async function throughChallenges(
  { solve }: Kit,
  known: Challenge | null,
  signal: AbortSignal,
  attempt: (captchaToken: string | undefined) => Promise<Sent | Refusal>,
): Promise<Sent | Trouble> {
  let token = known ? await solve(known, signal) : null;
  for (let solved = 0; ; solved++) {
    if (signal.aborted) return { kind: "aborted" };
    const outcome = await attempt(token ?? undefined);
    if (outcome.kind !== "challenge_required" || solved === MOST_CHALLENGES) return outcome;
    token = outcome.challenge && (await solve(outcome.challenge, signal));
    if (token === null) return { kind: signal.aborted ? "aborted" : "challenge_unavailable" };
  }
}
