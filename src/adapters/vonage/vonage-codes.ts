import { codeTable, type ProviderCodeRow } from "../providers/provider-codes.ts";

/**
 * Codes of the Messages API, in problems and in status webhooks.
 * @see https://developer.vonage.com/en/api-errors/messages
 */
const MESSAGES: readonly ProviderCodeRow[] = [
  [
    "fraud",
    "Fraud Defender: blocked prefix, burst of texts, artificially inflated traffic",
    [1470, 1472, 1473],
  ],

  ["opted_out", "the person said STOP", [1240]],

  ["not_this_number", "no such prefix, or no number", [1040, 1170, 1430]],
  ["not_this_number", "barred, deactivated or lost in porting", [1050, 1190, 1200, 1280]],
  ["not_this_number", "not in the other app, or on a device that cannot show it", [1300, 1310]],

  ["transient", "too many requests", [1000, 1241]],
  ["transient", "not submitted, because the platform or the network failed", [1100, 1230, 1331]],
  ["transient", "the phone was switched off, out of reach or busy", [1180, 1220]],
  ["transient", "not delivered while it was of use", [1360]],

  ["unknown", "an internal error, or the carrier's unknown one", [1030, 1330]],
  ["unknown", "it was sent before", [1320]],

  ["not_this_route", "parameters, tags and templates", [1010, 1020, 1021, 1022]],
  ["not_this_route", "the account: barred, without credit, not enabled", [1060, 1070, 1080, 1140, 1160]],
  ["not_this_route", "the message's length, sender, life and class", [1090, 1110, 1120, 1130, 1150]],
  ["not_this_route", "what carriers let through on this way", [1210, 1250, 1251, 1260, 1270, 1282, 1290]],
  ["not_this_route", "windows, fees and tokens of other apps", [1340, 1350, 1370]],
  ["not_this_route", "media", [1380, 1381, 1382]],
  ["not_this_route", "channel, sender, type and references", [1400, 1410, 1420, 1440, 1450, 1451]],
  ["not_this_route", "limits of the account and of the app", [1460, 1461]],
  ["not_this_route", "registration: entity, header, content, consent, regulation", [[1480, 1484]]],
  // Problems of the platform are named instead of numbered.
  [
    "not_this_route",
    "credentials and credit",
    ["unauthorized", "unathorized", "unprovisioned", "low-balance"],
  ],
  ["not_this_route", "the request", ["invalid-json", "not-found", "forbidden", "invalid", "invalid-params"]],
  ["transient", "too many requests", ["throttled"]],
];

/** Looks up a code of the Messages API, or the name of a problem; null for one that is not documented. */
export const vonageMessagesJudgement = codeTable(MESSAGES);

/**
 * Statuses that the SMS API answers with.
 * @see https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms
 */
const SMS_ANSWERS: readonly ProviderCodeRow[] = [
  ["not_this_number", "no such prefix, barred, or deactivated", [6, 7, 33]],
  ["transient", "too many requests, or too many connections", [1, 10]],
  ["not_this_route", "the platform failed before it took the text", [5]],
  ["not_this_route", "the request", [2, 3, 12, 14, 15, 22, 23, 32]],
  ["not_this_route", "the account", [4, 8, 9, 11, 29, 101]],
];

/** Looks up a status of the SMS API; null for one that is not documented. */
export const vonageSmsJudgement = codeTable(SMS_ANSWERS);

/**
 * `err-code` of the SMS API's delivery receipts.
 * @see https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts#dlr-error-codes
 */
const SMS_RECEIPTS: readonly ProviderCodeRow[] = [
  [
    "not_this_number",
    "gone for good, barred by the person, lost in porting, blocked by the carrier",
    [3, 4, 5, 14],
  ],
  ["opted_out", "on a list of numbers that said STOP", [9]],
  ["transient", "the phone was out of reach or busy, or the network failed", [2, 7, 8]],
  ["unknown", "no reason", [1, 99]],
  ["not_this_route", "what carriers let through on this way", [6, 10, 11, 12, 13, 15, 39]],
  ["not_this_route", "registration: entity, header, content, consent, regulation", [[50, 54]]],
];

/** Looks up an `err-code`; null for one that is not documented. */
export const vonageReceiptJudgement = codeTable(SMS_RECEIPTS);

/**
 * How a call ended that nobody answered. A person may have been away, so that a call that rang in vain may be repeated; one
 * that somebody turned down is not.
 * @see https://developer.vonage.com/en/voice/voice-api/webhook-reference#event-webhook
 */
const CALLS: readonly ProviderCodeRow[] = [
  ["transient", "nobody answered", ["busy", "timeout", "unanswered"]],
  ["not_this_route", "turned down by the person or the network", ["cancelled", "rejected", "failed"]],
];

/** Looks up the final state of a call that did not come about; null for one that is not documented. */
export const vonageCallJudgement = codeTable(CALLS);
