import type { Volume } from "./event.ts";

/** Adds up the volumes of two parts of the ledger, the most messages first. */
export function addVolumes(some: readonly Volume[], others: readonly Volume[]): Volume[] {
  const sums = new Map(some.map((volume) => [volume.subject, volume]));
  for (const other of others) {
    const one = sums.get(other.subject);
    sums.set(other.subject, one === undefined ? other : sumOf(one, other));
  }
  return [...sums.values()].toSorted((a, b) => b.sent - a.sent || (a.subject < b.subject ? -1 : 1));
}

const sumOf = (a: Volume, b: Volume): Volume => ({
  subject: a.subject,
  firstAtMs: Math.min(a.firstAtMs, b.firstAtMs),
  lastAtMs: Math.max(a.lastAtMs, b.lastAtMs),
  sent: a.sent + b.sent,
  delivered: a.delivered + b.delivered,
  undelivered: a.undelivered + b.undelivered,
  verified: a.verified + b.verified,
  costMicros: a.costMicros + b.costMicros,
  dltMicros: a.dltMicros + b.dltMicros,
  refused: a.refused + b.refused,
});
