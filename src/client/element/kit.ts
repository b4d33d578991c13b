import type { Challenge, Refusal, Sent, Tollgate } from "../client.ts";
import type { ChallengePlace } from "./challenge-place.ts";
import type { Trouble } from "./trouble.ts";
import type { Language } from "./words/words.ts";
import type { Work } from "./work.ts";

/** What every step of the form works with. */
export interface Kit {
  client: Tollgate;
  language: Language;
  /** Of the message, a BCP 47 tag: the page's language, also where the form has no words in it. */
  locale: string | undefined;
  flow: string | undefined;
  reference: string | undefined;
  /** Where the person probably is, ISO 3166-1 alpha-2. */
  region: string;
  /** Known beforehand, it saves the refused first try. */
  challenge: Challenge | null;
  /** Says something to people who do not see the form. */
  announce(text: string): void;
  emit(name: "sent" | "verified" | "refused", detail: object): void;
  /**
   * Shows the widget until it is solved; null when it cannot be, or takes too long.
   *
   * @param onQuestion called when the person may have something to do
   */
  solve(challenge: Challenge, signal: AbortSignal, onQuestion: () => void): Promise<string | null>;
}

export interface Step {
  root: HTMLElement;
  focus(): void;
  /** Stops what is shown. A request that is under way goes on, because its message may leave. */
  leave(): void;
}

/** What a step gets: the kit, and the work that it shares with the journey. */
export type StepKit = Kit & { work: Work };

/** A demand, and one more for a freshly solved token. */
const MOST_CHALLENGES = 2;

/**
 * Makes a request that may first need a solved challenge.
 *
 * @param known a challenge that is demanded anyway
 * @param attempt makes the request, with a token where there is one
 */
export async function throughChallenges(
  { solve }: Kit,
  { place, signal, known }: { place: ChallengePlace; signal: AbortSignal; known: Challenge | null },
  attempt: (captchaToken: string | undefined) => Promise<Sent | Refusal>,
): Promise<Sent | Trouble> {
  const solved = async (challenge: Challenge) => {
    const token = await solve(challenge, signal, place.ask);
    place.end();
    return token;
  };
  let token = known && (await solved(known));
  for (let demands = 0; ; demands++) {
    if (signal.aborted) return { kind: "aborted" };
    const outcome = await attempt(token ?? undefined);
    if (outcome.kind !== "challenge_required" || demands === MOST_CHALLENGES) return outcome;
    token = outcome.challenge && (await solved(outcome.challenge));
    if (token === null) return { kind: signal.aborted ? "aborted" : "challenge_unavailable" };
  }
}
