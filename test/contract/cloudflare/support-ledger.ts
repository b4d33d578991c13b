import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "../../../src/domain/ledger/event.ts";

export const NOON = Date.UTC(2026, 6, 1, 12);
export const MINUTE = 60_000;
export const DAY = 86_400_000;

export function event(id: string, facts: Partial<LedgerEvent> = {}): LedgerEvent {
  const kind = id.slice(0, id.indexOf(".")) as LedgerEvent["kind"];
  return { ...EMPTY_EVENT_DETAILS, id, kind, atMs: NOON, ...facts };
}

/** A message that left, of verification `c<n>`. */
export const sent = (n: number, facts: Partial<LedgerEvent> = {}): LedgerEvent =>
  event(`sent.c${n}.0`, {
    correlationId: `c${n}`,
    country: "IN",
    prefix: "+91987",
    block: "+91987654",
    asn: 64500,
    subnet: "198.51.100.0/24",
    addressTag: "address-1",
    numberTag: `number-${n}`,
    userTag: "user-1",
    tagKeyId: "pepper-1",
    provider: "twilio",
    channel: "sms",
    messageId: `SM${n}`,
    costMicros: 3000,
    dltMicros: 500,
    receipt: "accepted",
    sealedNumber: `key-1.nonce.number${n}`,
    sealedAddress: `key-1.nonce.address${n}`,
    ...facts,
  });
