import { codeTable, type ProviderCodeRow } from "./provider-codes.ts";

/**
 * States of a message at StartMessaging. It documents no error codes: a failure says that nothing was delivered, and not why.
 *
 * @see https://startmessaging.com/docs/sms/send-sms
 */
const STATES: readonly ProviderCodeRow[] = [["unknown", "failed, without a reason", ["failed"]]];

/** Looks up the state of a message that was not delivered; null for every other state. */
export const startMessagingJudgement = codeTable(STATES);
