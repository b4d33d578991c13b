import { addressUnit, subnetOf } from "../../domain/admission/address.ts";
import type { Source } from "../../domain/admission/source.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import { EMPTY_EVENT_DETAILS, type EventKind, type LedgerEvent } from "../../domain/ledger/event.ts";
import type { Deps } from "../../ports/deps.ts";

/** Fields that are made from the number and the source. */
type DerivedField =
  | "country"
  | "prefix"
  | "block"
  | "asn"
  | "subnet"
  | "addressTag"
  | "tagKeyId"
  | "sealedNumber"
  | "sealedAddress";

/** Something that happened, before its number and address are hashed or sealed. */
export interface LedgerOccurrence extends Partial<Omit<LedgerEvent, "id" | "kind" | DerivedField>> {
  kind: EventKind;
  /** The subject it happened to: with the kind, the event's id. */
  of: string;
  /** The number, or only its country. */
  phone?: Phone | { country: string };
  /** The address and network of whoever asked. */
  source?: Source;
}

type RecordNeeds = Pick<Deps, "events" | "vault" | "nowMs">;

/** Kinds whose address is kept for a while: disputes name it. */
const WITH_ADDRESS: readonly EventKind[] = ["sent", "refused", "challenged"];

/**
 * Records events in the ledger, all by one message of its queue. The number itself goes along encrypted, and only where a
 * message left: of strangers who were refused nothing is kept but the range.
 */
export async function recordEvent(
  deps: RecordNeeds,
  ...occurrences: readonly LedgerOccurrence[]
): Promise<void> {
  await deps.events.put(await Promise.all(occurrences.map((occurrence) => ledgerEvent(deps, occurrence))));
}

/** The event of an occurrence, with the hashes and the sealed texts that it may have. */
export async function ledgerEvent(
  { vault, nowMs }: RecordNeeds,
  { kind, of, phone, source, ...facts }: LedgerOccurrence,
): Promise<LedgerEvent> {
  const id = `${kind}.${of}`;
  const ip = source?.ip ?? null;
  const unit = ip === null ? null : addressUnit(ip);
  const [addressTag, sealedNumber, sealedAddress] = await Promise.all([
    unit ? vault.tag("ip", unit) : null,
    kind === "sent" && phone && "e164" in phone ? vault.sealForLedger(id, phone.e164) : null,
    ip !== null && WITH_ADDRESS.includes(kind) ? vault.sealForLedger(id, ip) : null,
  ]);
  return {
    ...EMPTY_EVENT_DETAILS,
    atMs: nowMs(),
    ...facts,
    id,
    kind,
    country: phone?.country ?? null,
    prefix: phone && "prefix" in phone ? phone.prefix : null,
    block: phone && "block" in phone ? phone.block : null,
    asn: source?.asn ?? null,
    subnet: ip === null ? null : subnetOf(ip),
    addressTag,
    tagKeyId: (addressTag ?? facts.numberTag ?? facts.userTag) ? vault.tagKeyId() : null,
    sealedNumber,
    sealedAddress,
  };
}
