/** Time a session outlives its end, for receipts that come late; then everything of it is deleted. */

import { MINUTE_MS } from "../kernel/time.ts";

export const SESSION_GRACE_MS = 15 * MINUTE_MS;
