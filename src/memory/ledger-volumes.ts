import type { LedgerEvent, LedgerRow, Volume, VolumeDimension } from "../domain/ledger/event.ts";

/** The field of an event that each dimension of volumes groups by. */
const FIELDS = {
  provider: "provider",
  country: "country",
  prefix: "prefix",
  block: "block",
  network: "asn",
  subnet: "subnet",
  address: "addressTag",
  user: "userTag",
  flow: "flow",
  channel: "channel",
} as const satisfies Record<VolumeDimension, keyof LedgerEvent>;

/** Sums rows up by one dimension, the most messages first. */
export function volumesOf(rows: readonly LedgerRow[], by: VolumeDimension): Volume[] {
  const volumes = new Map<string, Volume>();
  for (const row of rows) {
    const value = row[FIELDS[by]];
    if (value === null || (row.kind !== "sent" && !isRefusedEventKind(row.kind))) continue;
    const subject = String(value);
    volumes.set(subject, addToVolume(volumes.get(subject), subject, row));
  }
  return [...volumes.values()].sort((a, b) => b.sent - a.sent || (a.subject < b.subject ? -1 : 1));
}

/** Says whether an event is one of a refused request. */
export const isRefusedEventKind = (kind: LedgerEvent["kind"]) => kind === "refused" || kind === "challenged";

function addToVolume(volume: Volume | undefined, subject: string, row: LedgerRow): Volume {
  const isSent = row.kind === "sent";
  const add = (counts: boolean) => (counts ? 1 : 0);
  return {
    subject,
    firstAtMs: Math.min(volume?.firstAtMs ?? row.atMs, row.atMs),
    lastAtMs: Math.max(volume?.lastAtMs ?? row.atMs, row.atMs),
    sent: (volume?.sent ?? 0) + add(isSent),
    delivered: (volume?.delivered ?? 0) + add(isSent && row.receipt === "delivered"),
    undelivered: (volume?.undelivered ?? 0) + add(isSent && row.receipt === "undelivered"),
    verified: (volume?.verified ?? 0) + add(row.verified),
    costMicros: (volume?.costMicros ?? 0) + (row.costMicros ?? 0),
    dltMicros: (volume?.dltMicros ?? 0) + (row.dltMicros ?? 0),
    refused: (volume?.refused ?? 0) + add(!isSent),
  };
}
