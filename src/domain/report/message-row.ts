import type { Channel } from "../kernel/channel.ts";

/** One message of the ledger with its results, as a report counts it. Money in millionths of the price table's currency. */
export interface MessageRow {
  /** Id of the event of its sending. */
  id: string;
  atMs: number;
  correlationId: string;
  flow: string;
  channel: Channel;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** The number without its last 4 digits. */
  range: string;
  /** The requesting address as long as it is kept, then its network (CIDR), then null. */
  ip: string | null;
  /** AS number of the requesting network. */
  asn: number | null;
  provider: string;
  /** The provider's own id of the message; null where it gave none. */
  messageId: string | null;
  /** Price without the fees of a DLT registry, which are in `dltMicros`. */
  messageMicros: number;
  dltMicros: number;
  /** null without a receipt. */
  delivered: boolean | null;
  verified: boolean;
  /** E.164, where it is still kept and the reader may have it. */
  number: string | null;
}
