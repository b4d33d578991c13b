import { codeTable, type ProviderCodeRow } from "../providers/provider-codes.ts";

/**
 * Errors of the Telegram Gateway (`{ok: false, error}`) and the final states of a message that was not delivered.
 *
 * @see https://core.telegram.org/gateway/api
 */
const ERRORS: readonly ProviderCodeRow[] = [
  [
    "not_this_number",
    "no number, or one without Telegram",
    ["PHONE_NUMBER_INVALID", "PHONE_NUMBER_NOT_AVAILABLE"],
  ],
  ["not_this_number", "no number, by another name", ["PHONE_NUMBER_NOT_FOUND"]],
  ["transient", "too many requests", ["FLOOD_WAIT"]],
  ["transient", "not delivered within its life, and refunded", ["expired"]],
  ["not_this_route", "the account's token and balance", ["ACCESS_TOKEN_INVALID", "ACCESS_TOKEN_REQUIRED"]],
  ["not_this_route", "the account's balance", ["BALANCE_NOT_ENOUGH"]],
  ["not_this_route", "the request", ["REQUEST_ID_INVALID", "REQUEST_ID_REQUIRED", "SENDER_USERNAME_INVALID"]],
  [
    "not_this_route",
    "the request's fields",
    ["CODE_INVALID", "CODE_LENGTH_INVALID", "TTL_INVALID", "PAYLOAD_INVALID"],
  ],
  ["not_this_route", "where it calls back", ["CALLBACK_URL_INVALID"]],
  ["not_this_route", "withdrawn by us", ["revoked"]],
];

/** Looks up an error or a final state; null for one that is not documented. */
export const telegramJudgement = codeTable(ERRORS);
