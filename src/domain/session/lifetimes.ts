import { MINUTE_MS } from "../kernel/time.ts";

/** Time a session outlives its end, for receipts that come late; then everything of it is deleted. */
export const SESSION_GRACE_MS = 15 * MINUTE_MS;

/** No provider is waited for as long: a message that is still being sent after it has an unknown fate. */
export const LONGEST_SENDING_MS = 30_000;
