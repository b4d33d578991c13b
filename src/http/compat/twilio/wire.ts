/** Twilio's resources, as its API describes them. */
import type { Channel } from "../../../domain/kernel/channel.ts";
import type { NamedVerification } from "../../../flows/verification/named-verification.ts";

/** Twilio's names for the ways of a code; another channel of ours goes by the name of a text. */
const CHANNEL_NAMES: Record<Channel, "sms" | "call" | "whatsapp"> = {
  sms: "sms",
  voice: "call",
  whatsapp: "whatsapp",
  telegram: "sms",
};

/** Our channel by Twilio's name; undefined for one that is not spoken here. */
export const channelOf = (name: string): Channel | undefined =>
  (({ sms: "sms", call: "voice", whatsapp: "whatsapp" }) as const)[name as "sms"];

/** Where a resource lives: the base URL that the client was given, its service, and the account it names. */
export interface TwilioPlace {
  origin: string;
  service: string;
  account: string;
}

/** `VE` and the digits of the session's id. */
const sidOf = (sessionId: string): string => `VE${sessionId.replaceAll("-", "")}`;

/** The session's id of a SID; null for text that is none. */
export function sessionIdOf(sid: string): string | null {
  const [, ...parts] =
    /^VE([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i.exec(sid) ?? [];
  return parts.length === 0 ? null : parts.join("-").toLowerCase();
}

type Status = "pending" | "approved" | "canceled" | "max_attempts_reached";

/** The resource Verification. */
export function verificationToWire({ claims, view }: NamedVerification, place: TwilioPlace, status: Status) {
  const sid = sidOf(claims.sessionId);
  return {
    ...common({ claims, view }, place, status),
    lookup: {},
    send_code_attempts: view.messages.map(({ atMs, channel }, i) => ({
      time: isoSeconds(atMs),
      channel: CHANNEL_NAMES[channel].toUpperCase(),
      attempt_sid: `VL${sid.slice(2, -2)}${i.toString(16).padStart(2, "0")}`,
    })),
    sna: null,
    url: `${place.origin}/v2/Services/${place.service}/Verifications/${sid}`,
  };
}

/** The resource VerificationCheck. @param proof ours, the signed word on the number; absent where there is none */
export const checkToWire = (
  found: Pick<NamedVerification, "claims" | "view">,
  place: TwilioPlace,
  status: "pending" | "approved",
  proof?: string,
) => ({
  ...common(found, place, status),
  sna_attempts_error_codes: [],
  ...(proof !== undefined && { proof }),
});

function common(
  { claims, view }: Pick<NamedVerification, "claims" | "view">,
  { service, account }: TwilioPlace,
  status: Status,
) {
  const [first, last] = [view.messages[0], view.messages.at(-1)];
  return {
    sid: sidOf(claims.sessionId),
    service_sid: service,
    account_sid: account,
    to: claims.phone,
    channel: CHANNEL_NAMES[view.channel],
    status,
    valid: status === "approved",
    amount: null,
    payee: null,
    date_created: isoSeconds(first?.atMs ?? 0),
    date_updated: isoSeconds(last?.atMs ?? 0),
  };
}

const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
