/** Requests for evidence and their answers. Times are RFC 3339, with or without seconds. */

import * as z from "zod";
import { KEYRING_NAMES } from "../../domain/access/key-age.ts";
import { instantMs } from "../../domain/kernel/instant.ts";
import { DAY_MS } from "../../domain/kernel/time.ts";
import { type LedgerRow, VOLUME_DIMENSIONS, type Volume } from "../../domain/ledger/event.ts";
import { UNREACHABLE_TRACES } from "../../domain/ledger/person.ts";
import { D1_BYTES } from "../../domain/ledger/storage.ts";
import type { MessageRow } from "../../domain/report/message-row.ts";
import type { ErasedPerson } from "../../flows/evidence/erase-person.ts";
import type { PersonExport } from "../../flows/evidence/export-person.ts";
import type { MessagePage, WindowFacts } from "../../flows/evidence/report-incident.ts";
import type { KeyAges } from "../../flows/operators/views/read-keys.ts";
import type { StorageView } from "../../flows/operators/views/read-storage.ts";
import type { LedgerPage, LedgerWindow } from "../../ports/ledger.ts";

/** A report of more than a month is several reports; the ledger itself goes back `retention.events`. */
const MOST_REPORT_DAYS = 31;
const MOST_VOLUME_DAYS = 400;

const instant = z
  .string()
  .transform(instantMs)
  .refine((ms) => Number.isSafeInteger(ms), { error: "must be a time like 2026-11-20T22:00Z" });
const country = z.string().regex(/^[A-Z]{2}$/, "must be an ISO 3166-1 alpha-2 code in capitals");
const limit = (most: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(fallback);
const why = z
  .string()
  .trim()
  .min(3)
  .max(200)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), {
    error: "must not hold control characters or lone surrogates",
  });
const cursor = z.string().min(1).max(200);

const windowFields = { from: instant, to: instant, country: country.optional() };
const inOrder =
  (days: number) =>
  ({ from, to }: { from: number; to: number }) =>
    to > from && to - from <= days * DAY_MS;
const orderFault = (days: number) => ({
  path: ["to"],
  error: `must come after from, by ${days} days at most`,
});

export const windowQuery = z
  .strictObject(windowFields)
  .refine(inOrder(MOST_REPORT_DAYS), orderFault(MOST_REPORT_DAYS));
export const eventsQuery = z
  .strictObject({ ...windowFields, cursor: cursor.optional(), limit: limit(1000, 200) })
  .refine(inOrder(MOST_REPORT_DAYS), orderFault(MOST_REPORT_DAYS));
export const volumesQuery = z
  .strictObject({
    ...windowFields,
    by: z.enum(VOLUME_DIMENSIONS).default("country"),
    limit: limit(1000, 100),
  })
  .refine(inOrder(MOST_VOLUME_DAYS), orderFault(MOST_VOLUME_DAYS));
export const exportBody = z
  .strictObject({ ...windowFields, cursor: cursor.optional(), why })
  .refine(inOrder(MOST_REPORT_DAYS), orderFault(MOST_REPORT_DAYS));
export const personBody = z.strictObject({ number: z.string().min(3).max(32), why });
export const keyRotatedBody = z.strictObject({
  ring: z.enum(KEYRING_NAMES),
  key_id: z.string().regex(/^[\w-]{1,32}$/, "must be a key's id"),
  secret: z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/, "must be a secret's name"),
  why,
});

export const windowOf = (read: { from: number; to: number; country?: string | undefined }): LedgerWindow => ({
  fromMs: read.from,
  toMs: read.to,
  country: read.country ?? null,
});

export type MessagesAnswer = ReturnType<typeof messagesToWire>;
export type WindowFactsAnswer = ReturnType<typeof windowFactsToWire>;
export type VolumesAnswer = ReturnType<typeof volumesToWire>;
export type PersonAnswer = ReturnType<typeof personToWire>;
export type ErasureAnswer = ReturnType<typeof erasedToWire>;
export type StorageAnswer = ReturnType<typeof storageToWire>;
export type KeysAnswer = ReturnType<typeof keysToWire>;

const time = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms));

/** Without what is sealed and without the hashes of people. */
export const eventToWire = (row: LedgerRow) => ({
  id: row.id,
  at: time(row.atMs),
  kind: row.kind,
  correlation_id: row.correlationId,
  flow: row.flow,
  country: row.country,
  prefix: row.prefix,
  range: row.block,
  network: row.asn === null ? null : `AS${row.asn}`,
  subnet: row.subnet,
  provider: row.provider,
  channel: row.channel,
  message_id: row.messageId,
  message_micros: row.costMicros,
  dlt_micros: row.dltMicros,
  action: row.action,
  reasons: row.reasons,
  receipt: row.receipt,
  code: row.code,
  verified: row.verified,
});

export const eventsToWire = ({ rows, cursor: next }: LedgerPage) => ({
  events: rows.map(eventToWire),
  cursor: next,
});

export const messagesToWire = ({ messages, cursor: next }: MessagePage) => ({
  messages: messages.map(({ atMs, ...row }: MessageRow) => ({
    id: row.id,
    at: time(atMs),
    correlation_id: row.correlationId,
    flow: row.flow,
    channel: row.channel,
    country: row.country,
    range: row.range,
    ip: row.ip,
    asn: row.asn,
    provider: row.provider,
    message_id: row.messageId,
    message_micros: row.messageMicros,
    dlt_micros: row.dltMicros,
    delivered: row.delivered,
    verified: row.verified,
    number: row.number,
  })),
  cursor: next,
});

export const windowFactsToWire = (
  facts: WindowFacts,
  service: { environment: string; brand: string; currency: string },
) => ({
  ...service,
  usual: {
    from: time(facts.usual.fromMs),
    to: time(facts.usual.toMs),
    sent: facts.usual.sent,
    verified: facts.usual.verified,
  },
  refused: facts.refused,
  incidents: facts.incidents.map(({ openedAtMs, closedAtMs, ...rest }) => ({
    ...rest,
    opened: time(openedAtMs),
    closed: timeOrNull(closedAtMs),
  })),
  done: facts.actions.map(({ atMs, ...rest }) => ({ at: time(atMs), ...rest })),
  faults: facts.faults,
});

export const volumesToWire = (
  volumes: readonly Volume[],
  { by, from, to, country: only }: z.infer<typeof volumesQuery>,
  currency: string,
) => ({
  by,
  from: time(from),
  to: time(to),
  country: only ?? null,
  currency,
  rows: volumes.map((row) => ({
    subject: by === "network" ? `AS${row.subject}` : row.subject,
    sent: row.sent,
    verified: row.verified,
    ratio: row.sent === 0 ? null : Math.round((row.verified / row.sent) * 1000) / 1000,
    delivered: row.delivered,
    undelivered: row.undelivered,
    message_micros: row.costMicros,
    dlt_micros: row.dltMicros,
    refused_sampled: row.refused,
    first_at: time(row.firstAtMs),
    last_at: time(row.lastAtMs),
  })),
});

export const personToWire = ({ recorded, notes, rows, marks, sessions }: PersonExport) => ({
  recorded,
  notes,
  ledger: rows.map(eventToWire),
  held: marks.map(({ store, value, lifeSeconds }) => ({ store, value, expires_in_seconds: lifeSeconds })),
  sessions,
  out_of_reach: UNREACHABLE_TRACES,
});

export const erasedToWire = ({ recorded, notes, removed, remaining }: ErasedPerson) => ({
  recorded,
  notes,
  removed,
  remaining,
  out_of_reach: UNREACHABLE_TRACES,
});

export const storageToWire = ({ ledger, redisKeys, faults }: StorageView) => ({
  ledger: ledger && {
    verifications: ledger.rows,
    verifications_last_day: ledger.rowsLastDay,
    older_events: ledger.olderEvents,
    bytes: ledger.bytes,
    limit_bytes: D1_BYTES,
    bytes_per_verification: Math.round(ledger.rowBytes),
    steady_verifications: ledger.steadyRows,
    steady_bytes: Math.round(ledger.steadyBytes),
    held_by: ledger.heldBy,
    full_at: timeOrNull(ledger.fullAtMs),
  },
  redis: redisKeys === null ? null : { keys: redisKeys },
  faults,
});

export const keysToWire = ({ rotateDays, rings, faults }: KeyAges) => ({
  rotate_days: rotateDays,
  rings: rings.map(({ ring, keys, dueMs, overdue }) => ({
    ring,
    due: timeOrNull(dueMs),
    overdue,
    keys: keys.map(({ id, makes, madeMs, ageDays, holds }) => ({
      id,
      makes,
      made: timeOrNull(madeMs),
      age_days: ageDays,
      holds,
    })),
  })),
  faults,
});
