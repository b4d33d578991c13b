import type { Channel } from "../kernel/channel.ts";

/** One message of the ledger with its fate, as a report counts it. Money in millionths of the price table's currency. */
export interface MessageRow {
  /** Of the event that says it left. */
  id: string;
  atMs: number;
  correlationId: string;
  flow: string;
  channel: Channel;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** The number without its last 4 digits. */
  range: string;
  /** As far as it is still held: an address, later its network (CIDR), later nothing. */
  ip: string | null;
  /** AS number of whoever asked. */
  asn: number | null;
  provider: string;
  /** The provider's own id of the message; null where it gave none. */
  messageId: string | null;
  /** Without the fees of a DLT registry, which stand in `dltMicros`. */
  messageMicros: number;
  dltMicros: number;
  /** null while no receipt said either. */
  delivered: boolean | null;
  verified: boolean;
  /** E.164, where it is still held and whoever asks may have it. */
  number: string | null;
}
