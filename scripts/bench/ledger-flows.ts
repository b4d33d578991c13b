/** Verified flows as the ledger gets them, with tags and sealed texts of their real lengths. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { webCryptoVault } from "../../src/adapters/identity/vault.ts";
import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "../../src/domain/ledger/event.ts";

const ring = (id: string) => [{ id, secret: new Uint8Array(randomBytes(32)) }];
const vault = webCryptoVault({
  session: ring("session-2026-11"),
  pepper: ring("pepper-2026-11"),
  encryption: ring("encryption-2026-11"),
});

/** The events of one verification: `message` when it leaves, `end` when its code came. */
export async function verifiedFlow(atMs: number): Promise<{ message: LedgerEvent[]; end: LedgerEvent[] }> {
  const correlationId = randomUUID();
  const number = `+9198${String(randomInt(100_000_000)).padStart(8, "0")}`;
  const ip = `198.51.${randomInt(256)}.${randomInt(256)}`;
  const [numberTag, addressTag, sealedNumber, sealedAddress] = await Promise.all([
    vault.tag("number", number),
    vault.tag("ip", ip),
    vault.sealForLedger(`sent.${correlationId}.0`, number),
    vault.sealForLedger(`sent.${correlationId}.0`, ip),
  ]);
  const asked = {
    ...EMPTY_EVENT_DETAILS,
    correlationId,
    flow: "login",
    country: "IN",
    prefix: number.slice(0, -7),
    block: number.slice(0, -4),
    asn: 45_609,
    subnet: ip.replace(/\d+$/, "0/24"),
    addressTag,
    numberTag,
    tagKeyId: vault.tagKeyId(),
  };
  const requested = {
    ...asked,
    id: `requested.${correlationId}.0`,
    kind: "requested" as const,
    atMs,
    sessionId: randomUUID(),
    channel: "sms" as const,
    action: "allow",
    reasons: "",
  };
  const names = {
    provider: "twilio",
    channel: "sms" as const,
    messageId: `SM${randomBytes(16).toString("hex")}`,
  };
  const sent = {
    ...requested,
    ...names,
    id: `sent.${correlationId}.0`,
    kind: "sent" as const,
    atMs: atMs + 180,
    costMicros: 83_200,
    dltMicros: 300,
    receipt: "accepted",
    sealedNumber,
    sealedAddress,
  };
  const delivered = {
    ...EMPTY_EVENT_DETAILS,
    ...names,
    id: `delivered.${correlationId}.0`,
    kind: "delivered" as const,
    atMs: atMs + 4000,
    correlationId,
    country: "IN",
    receipt: "delivered",
  };
  const verified = {
    ...asked,
    ...names,
    id: `verified.${correlationId}`,
    kind: "verified" as const,
    atMs: atMs + 21_000,
  };
  return { message: [requested, sent], end: [delivered, verified] };
}
