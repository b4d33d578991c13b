/** The requests of clients, as the wire has read them. */
import type { Channel } from "../../domain/kernel/channel.ts";

/** The proofs a client brings along, with a first message's request and with every further one. */
interface ClientTokens {
  captchaToken: string | undefined;
  /** Issued to this device when it verified. */
  deviceToken: string | undefined;
  /** The device id that the client claims. */
  deviceId: string | undefined;
}

/** A request for a first message. */
export interface SendInput extends ClientTokens {
  phone: string;
  /** ISO 3166-1 alpha-2 of a national number. */
  region: string | undefined;
  flow: string;
  channel: Channel;
  /** BCP 47 tag of the language the message should have. */
  locale: string | undefined;
  /** The user as a server names it; of public clients it is not believed. */
  userId: string | undefined;
  /** The caller's own. */
  reference: string | undefined;
  idempotencyKey: string | undefined;
  /** The code where it is the caller's own: delivered as it is, and never drawn. Absent for all other sends. */
  givenCode?: string | undefined;
}

/** A request for another message of a session. */
export interface ResendInput extends ClientTokens {
  /** The session's token. */
  session: string;
  /** Must be the session's own number where a client repeats it. */
  phone: string | undefined;
  region: string | undefined;
  channel: Channel;
  /** Nobody asked: an undelivered message is sent again by itself. Absent for a client's own request. */
  isAutomatic?: boolean;
}
