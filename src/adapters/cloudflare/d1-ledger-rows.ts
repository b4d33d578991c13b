/** The ledger's rows as D1 holds them. */

import * as z from "zod";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { LedgerPosition } from "../../domain/ledger/cursor.ts";
import {
  EVENT_KINDS,
  type LedgerEvent,
  type LedgerRow,
  type RefusalCount,
  type Volume,
  type VolumeDimension,
} from "../../domain/ledger/event.ts";

/** A ledger column and the field of an event it holds. */
export const LEDGER_COLUMNS = {
  id: "id",
  kind: "kind",
  at: "atMs",
  correlation_id: "correlationId",
  session_id: "sessionId",
  flow: "flow",
  country: "country",
  prefix: "prefix",
  block: "block",
  asn: "asn",
  subnet: "subnet",
  address_tag: "addressTag",
  number_tag: "numberTag",
  user_tag: "userTag",
  tag_key: "tagKeyId",
  provider: "provider",
  channel: "channel",
  message_id: "messageId",
  cost_micros: "costMicros",
  dlt_micros: "dltMicros",
  action: "action",
  reasons: "reasons",
  receipt: "receipt",
  code: "code",
} as const satisfies Record<string, keyof LedgerEvent>;

/** The column of each dimension of volumes. */
export const VOLUME_COLUMNS: Readonly<Record<VolumeDimension, keyof typeof LEDGER_COLUMNS>> = {
  provider: "provider",
  country: "country",
  prefix: "prefix",
  block: "block",
  network: "asn",
  subnet: "subnet",
  address: "address_tag",
  user: "user_tag",
  flow: "flow",
  channel: "channel",
};

const text = z.string().max(500).nullable();
const micros = z.int().nullable();

const eventFields = {
  id: z.string().min(1).max(200),
  kind: z.enum(EVENT_KINDS),
  atMs: z.int(),
  correlationId: text,
  sessionId: text,
  flow: text,
  country: text,
  prefix: text,
  block: text,
  asn: z.int().nullable(),
  subnet: text,
  addressTag: text,
  numberTag: text,
  userTag: text,
  tagKeyId: text,
  provider: text,
  channel: z.enum(CHANNELS).nullable(),
  messageId: text,
  costMicros: micros,
  dltMicros: micros,
  action: text,
  reasons: text,
  receipt: text,
  code: text,
  sealedNumber: text,
  sealedAddress: text,
};

/** An event as it travels; every text is short, so that no row is too large for D1. */
export const ledgerEventSchema: z.ZodType<LedgerEvent> = z.strictObject(eventFields);

/** An event as it is kept, and its place in the ledger's order. */
export interface PlacedRow {
  position: LedgerPosition;
  row: LedgerRow;
}

export const placedRowSchema = z
  .object({ ...eventFields, verified: z.int(), beganMs: z.int(), verification: z.string(), place: z.int() })
  .transform(
    ({ verified, beganMs, verification, place, ...event }): PlacedRow => ({
      position: { beganMs, verification, place },
      row: { ...event, verified: verified === 1 },
    }),
  );

export const volumeSchema: z.ZodType<Volume> = z.object({
  subject: z.string(),
  firstAtMs: z.int(),
  lastAtMs: z.int(),
  sent: z.int(),
  delivered: z.int(),
  undelivered: z.int(),
  verified: z.int(),
  costMicros: z.int(),
  dltMicros: z.int(),
  refused: z.int(),
});

export const refusalCountSchema: z.ZodType<RefusalCount> = z.object({
  atMs: z.int(),
  dimension: z.enum(["all", "code", "country", "flow", "network"]),
  subject: z.string(),
  count: z.int(),
});
