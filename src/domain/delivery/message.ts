import type { Channel } from "../session/session.ts";

export interface MessagePolicy {
  /** Who asks for the code, as the person knows them. */
  brand: string;
  /** Host for the origin-bound last line (WICG "Origin-bound one-time codes"); empty leaves the line out. */
  origin_host: string;
}

/** The text of one message. Plain GSM-7 in one segment for the default policy: 160 characters (3GPP TS 23.038). */
export function composeMessage(code: string, channel: Channel, policy: MessagePolicy): string {
  const text = `${code} is your ${policy.brand} code. Never share it.`;
  return channel === "sms" && policy.origin_host !== "" ? `${text}\n\n@${policy.origin_host} #${code}` : text;
}
