import type { DeliveryResult, OutgoingMessage, ProviderPort } from "../../ports/delivery.ts";
import { msg91Judgement } from "./msg91-codes.ts";
import { readMsg91Receipts } from "./msg91-receipts.ts";
import { errorCodeSuffix, loggableErrorCode, postForDelivery, readRefusal } from "./provider-http.ts";
import { closestTag } from "./spoken-code.ts";

export interface Msg91Options {
  /** `https://control.msg91.com/api/v5`, or a stand-in. */
  apiUrl: string;
  authKey: string;
  /**
   * `flow` sends a template of one's own, number and code in the body; `otp` uses the one-time-code route, which takes them
   * in the query, where proxies may write them down.
   */
  service: "flow" | "otp";
  /** MSG91's ids of the DLT templates by language, with at least one; the first one serves all other languages. */
  templateIds: Readonly<Record<string, string>>;
  /** The template's variable for the code (`flow`). */
  codeVariable: string;
  /** The `key` in the webhook's address, two while they are rotated; without any no receipt is read. */
  receiptKeys: readonly string[];
  timeoutMs: number;
}

/** Ids are hexadecimal, unlike the sentences that stand in the same field. */
const MESSAGE_ID = /^[0-9a-f]{12,64}$/i;

/** Sentences about the number itself, which some refusals come with instead of a code. */
const NUMBER_FAULT = /mobile (no|number)|invalid (mobile|number)/i;

/**
 * MSG91, SMS to India. The text is the template's own. It answers 200 to errors too: the outcome is the field `type`.
 *
 * @see https://docs.msg91.com/sms and https://docs.msg91.com/otp
 */
export function msg91Provider(options: Msg91Options): ProviderPort {
  const { apiUrl, authKey, service, templateIds, codeVariable, receiptKeys, timeoutMs } = options;
  const headers = { authkey: authKey, "content-type": "application/json" };
  const [firstLanguage, ...otherLanguages] = Object.keys(templateIds);
  if (firstLanguage === undefined) throw new Error("config.ts lets MSG91 through with a template only");

  function request({ to, code, locale, ttlSeconds }: OutgoingMessage): { path: string; body: object } {
    const template_id = templateIds[closestTag([firstLanguage ?? "", ...otherLanguages], locale)] ?? "";
    const mobile = to.slice(1);
    if (service === "flow") {
      const recipients = [{ mobiles: mobile, [codeVariable]: code }];
      return { path: "/flow", body: { template_id, short_url: "0", recipients } };
    }
    const otp_expiry = `${Math.ceil(ttlSeconds / 60)}`;
    return { path: `/otp?${new URLSearchParams({ template_id, mobile, otp: code, otp_expiry })}`, body: {} };
  }

  return {
    name: "msg91",
    channels: ["sms"],
    countries: ["IN"],

    async send(message): Promise<DeliveryResult> {
      const { path, body } = request(message);
      const answer = await postForDelivery(`${apiUrl}${path}`, timeoutMs, {
        headers,
        body: JSON.stringify(body),
      });
      if (answer.kind !== "answered") return answer;
      const { type, message: said, request_id: requestId, code } = answer.body;
      const ok = answer.status >= 200 && answer.status < 300;
      if (ok && type === "error") return refusal(said, code);
      const messageId = [requestId, said].find((id) => typeof id === "string" && MESSAGE_ID.test(id));
      if (ok && type === "success" && typeof messageId === "string") {
        return { kind: "accepted", messageId, costMicros: null };
      }
      return readRefusal(answer.status, msg91Judgement(loggableErrorCode(code)));
    },

    ...(receiptKeys.length > 0 && { readReceipt: (hook) => readMsg91Receipts(hook, receiptKeys) }),
  };
}

/**
 * Reads `type: "error"`, by which MSG91 says that it sent nothing; of two codes it does not say so. What it says may repeat the
 * number, so it is read and not passed on.
 */
function refusal(said: unknown, code: unknown): DeliveryResult {
  const number = loggableErrorCode(code);
  const cause = `msg91 error${errorCodeSuffix(number)}`;
  const ofNumber = typeof said === "string" && NUMBER_FAULT.test(said);
  const judgement = msg91Judgement(number) ?? (ofNumber ? "not_this_number" : "not_this_route");
  return judgement === "unknown"
    ? { kind: "unknown", cause, connectionLost: false }
    : { kind: "refused", cause, judgement };
}
