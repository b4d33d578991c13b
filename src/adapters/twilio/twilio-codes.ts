import { codeTable, type ProviderCodeRow } from "../providers/provider-codes.ts";

/**
 * Twilio's error codes, in answers to a send and in status callbacks. The dictionary holds more than messages and calls:
 * codes of other products stand here too, so that none is met unprepared; they speak of our request or our account.
 *
 * @see https://www.twilio.com/docs/api/errors
 */
const ROWS: readonly ProviderCodeRow[] = [
  ["fraud", "SMS Pumping Protection and Verify Fraud Guard", [30450, 30453, 60410]],
  ["fraud", "the number is on Twilio's list of numbers with a high risk of toll fraud", [13225, 21216]],

  ["opted_out", "the person said STOP", [21610]],
  ["opted_out", "the person blocked the sender in the other app", [63014, 63033]],

  [
    "not_this_number",
    "no number, or none that can be called",
    [13223, 13224, 13226, 20023, 21211, 21214, 21217],
  ],
  ["not_this_number", "no valid number, by an older name", [21401, 21421]],
  [
    "not_this_number",
    "no mobile number: a landline, or a carrier that takes no texts",
    [21614, 30006, 60205],
  ],
  ["not_this_number", "unknown to its carrier", [30005]],
  ["not_this_number", "not in the other app, or barred from it", [63003, 63024, 63032, 63036]],

  [
    "transient",
    "too many requests, or a full queue",
    [14107, 20429, 21611, 30001, 30022, 60203, 60207, 60212],
  ],
  ["transient", "the phone was switched off or out of reach", [30003]],
  ["transient", "congestion at the carrier", [30017]],
  ["transient", "maintenance", [21730]],
  ["transient", "too many requests to the other app", [63017, 63018]],

  [
    "unknown",
    "an internal error: what became of the message is not said",
    [20500, 20503, 30008, 30020, 30021],
  ],
  ["unknown", "the carrier did not answer in time", [30410]],
  ["unknown", "the other app failed", [63009, 63010, 63011, 63012, 63023]],

  ["not_this_route", "the account, its trial, or how it fetches and is called back", [[10001, 12300]]],
  ["not_this_route", "markup of calls and permissions by country", [13221, 13227]],
  ["not_this_route", "credentials, permissions and the shape of the request", [[20001, 20499]]],
  ["not_this_route", "calls: caller ids, permissions, addresses, trunks", [[21212, 21263]]],
  ["not_this_route", "numbers, sub-accounts and addresses of the account", [[21402, 21481]]],
  [
    "not_this_route",
    "the message's fields, its sender, its country, its messaging service",
    [[21601, 21729]],
  ],
  [
    "not_this_route",
    "the account, the price ceiling, the content, the sender's registration",
    [[30002, 30449]],
  ],
  ["not_this_route", "Verify and Lookup, of which no message is sent here", [[60200, 60699]]],
  ["not_this_route", "the other app: sender, template, content, limits of the account", [[63001, 63051]]],
];

/** Looks a code of Twilio's up; null for one that its dictionary does not hold. */
export const twilioJudgement = codeTable(ROWS);
