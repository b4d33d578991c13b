import type { MessageRow } from "../../src/domain/report/message-row.ts";

export const START = Date.UTC(2026, 10, 20, 22);

/** One message to India that arrived and nobody answered. */
export function message(over: Partial<MessageRow> = {}): MessageRow {
  return {
    id: "sent.a.0",
    atMs: START,
    correlationId: "c-1",
    flow: "login",
    channel: "sms",
    country: "IN",
    range: "+91987654",
    ip: "198.51.100.7",
    asn: 64500,
    provider: "twilio",
    messageId: "SM1",
    messageMicros: 30_000,
    dltMicros: 2_500,
    delivered: true,
    verified: false,
    number: "+919876543210",
    ...over,
  };
}
