/** Lifetimes of messages and their receipts, in whatever store they are kept. */

import { DAY_SECONDS } from "../kernel/time.ts";

/** Life of a message's owner: telephone operators report for two days at most whether a message arrived. */
export const MESSAGE_OWNER_SECONDS = 2 * DAY_SECONDS;

/** Life of a receipt that came before its provider's answer, which takes seconds. */
export const EARLY_RECEIPT_SECONDS = 900;
