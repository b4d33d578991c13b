import { addressUnit, subnetOf } from "../../domain/admission/address.ts";
import type { Source } from "../../domain/admission/source.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import { EMPTY_EVENT_DETAILS, type EventKind, type LedgerEvent } from "../../domain/ledger/event.ts";
import type { Deps } from "../../ports/deps.ts";

/** What is made from the number and the source. */
type Made =
  | "country"
  | "prefix"
  | "block"
  | "asn"
  | "subnet"
  | "addressTag"
  | "tagKeyId"
  | "sealedNumber"
  | "sealedAddress";

/** Something that happened, as a flow knows it. */
export interface LedgerOccurrence extends Partial<Omit<LedgerEvent, "id" | "kind" | Made>> {
  kind: EventKind;
  /** What it happened to: with the kind, the event's id. */
  of: string;
  /** The number, or only its country. */
  phone?: Phone | { country: string };
  /** Who asked. */
  source?: Source;
}

/** Kinds whose address is kept for a while: what a dispute names. */
const WITH_ADDRESS: readonly EventKind[] = ["sent", "refused", "challenged"];

/**
 * Tells the ledger, behind the answer. The number itself goes along encrypted, and only where a message left: of strangers
 * who were refused nothing is kept but the range.
 */
export async function recordEvent(
  { events, vault, nowMs }: Pick<Deps, "events" | "vault" | "nowMs">,
  { kind, of, phone, source, ...facts }: LedgerOccurrence,
): Promise<void> {
  const id = `${kind}.${of}`;
  const unit = source && addressUnit(source.ip);
  const [addressTag, sealedNumber, sealedAddress] = await Promise.all([
    unit ? vault.tag("ip", unit) : null,
    kind === "sent" && phone && "e164" in phone ? vault.sealForLedger(id, phone.e164) : null,
    source && WITH_ADDRESS.includes(kind) ? vault.sealForLedger(id, source.ip) : null,
  ]);
  await events.put([
    {
      ...EMPTY_EVENT_DETAILS,
      atMs: nowMs(),
      ...facts,
      id,
      kind,
      country: phone?.country ?? null,
      prefix: phone && "prefix" in phone ? phone.prefix : null,
      block: phone && "block" in phone ? phone.block : null,
      asn: source?.asn ?? null,
      subnet: source ? subnetOf(source.ip) : null,
      addressTag,
      tagKeyId: (addressTag ?? facts.numberTag ?? facts.userTag) ? vault.tagKeyId() : null,
      sealedNumber,
      sealedAddress,
    },
  ]);
}
