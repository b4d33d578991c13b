/** Verifications found by the name that another system has for them, instead of by the token that its bearer holds. */

/** What a name stands for. */
export interface Handle {
  /** The door's own part of the name: nobody else's name finds it. */
  scope: string;
  /** The session's token. */
  token: string;
  /** Channels that follow the present one, where the caller named an order. */
  nextChannels?: readonly string[];
}

export interface HandlesPort {
  /**
   * Keeps what a name stands for, in place of what it stood for before.
   *
   * @param name a session's id, or a keyed hash: no number in clear
   */
  keep(name: string, handle: Handle, untilMs: number): Promise<void>;
  /** @returns null where the name stands for nothing, or no longer */
  find(name: string): Promise<Handle | null>;
}
