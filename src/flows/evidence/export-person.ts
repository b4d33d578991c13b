/** The data of one person, found by the number's hashes under every pepper key. */
import { addressUnit } from "../../domain/admission/address.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import { DAY_MS, MINUTE_MS, minuteOf } from "../../domain/kernel/time.ts";
import type { LedgerRow } from "../../domain/ledger/event.ts";
import type { PersonalEntry, PersonStoreKeys } from "../../domain/ledger/person.ts";
import { quarterOfMinute } from "../../domain/monitor/history.ts";
import type { Deps } from "../../ports/deps.ts";
import type { PersonalDataPort } from "../../ports/people.ts";
import type { Unavailable, WriteResult } from "../../ports/result.ts";
import {
  invalidAction,
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

/** Ends a session and deletes what it kept. */
interface ErasableSessions {
  /** @returns false where there was none */
  forget(sessionId: string): Promise<boolean>;
}

export type PersonDeps = Pick<Deps, "ledger" | "records" | "vault" | "log" | "nowMs"> & {
  people: PersonalDataPort;
  sessions: ErasableSessions;
};

export interface FoundPerson {
  kind: "found";
  traces: PersonStoreKeys;
  /** The latest first, at most 1000. */
  rows: LedgerRow[];
  marks: PersonalEntry[];
  /** Sessions that may still live. */
  sessionIds: string[];
}

export interface PersonExport extends Performed {
  rows: LedgerRow[];
  marks: PersonalEntry[];
  sessions: number;
}

/** Longer than a session lives with its grace (10 min and 15 min). */
const SESSION_MS = 30 * MINUTE_MS;
/** Longer than any log of an address's numbers is kept (policy `limits.numbers_per_ip`, 30 days at most). */
const ADDRESS_LOG_MS = 31 * DAY_MS;
/** Longer than the sets of a network's numbers, and the demands for challenges, live. */
const RECENT_MS = 60 * MINUTE_MS;
/** Longer than a message's owner is remembered for its receipt. */
const MESSAGE_MS = 2 * DAY_MS;

/** @returns the number in E.164, or what is wrong with the text, which is not repeated */
export function parsePersonNumber(text: string): string | NotPerformed {
  const phone = parsePhone(text, undefined);
  return "kind" in phone
    ? invalidAction("number", "is no telephone number: write it with its country code, like +919876543210")
    : phone.e164;
}

/** Everything that can be found of a number, in the ledger first, which says where else to look. */
export async function findPerson(deps: PersonDeps, e164: string): Promise<FoundPerson | Unavailable> {
  const { ledger, vault, people, nowMs } = deps;
  const [numberTags, deviceIds] = await Promise.all([
    vault.tags("number", e164),
    vault.tags("device of", e164),
  ]);
  const found = await ledger.byNumber(numberTags);
  if (found.kind !== "answered") return found;
  const { rows } = found;
  const since = (lifeMs: number) => rows.filter(({ atMs }) => atMs > nowMs() - lifeMs);
  const recent = since(RECENT_MS);
  const [units, recentUnits] = await Promise.all([
    addressesOf(deps, since(ADDRESS_LOG_MS)),
    addressesOf(deps, recent),
  ]);
  const tagsOf = async (kind: string, values: readonly string[]) =>
    (await Promise.all(values.map((value) => vault.tags(kind, value)))).flat();
  const traces: PersonStoreKeys = {
    numberTags,
    deviceIds,
    // A log that moved on with a rotation lies under another hash than the row says.
    addressTags: distinct([
      ...since(ADDRESS_LOG_MS).map(({ addressTag }) => addressTag),
      ...(await tagsOf("ip", units)),
    ]),
    askTags: await tagsOf(
      "ask",
      recentUnits.map((unit) => `${e164} ${unit}`),
    ),
    messages: since(MESSAGE_MS).flatMap(({ kind, provider, messageId }) =>
      kind === "sent" && provider !== null && messageId !== null ? [{ provider, messageId }] : [],
    ),
    sources: recent.flatMap(({ atMs, asn }) =>
      asn === null ? [] : [{ asn, quarter: quarterOfMinute(minuteOf(atMs)) }],
    ),
  };
  const held = await people.held(traces);
  if (held.kind !== "answered") return held;
  return {
    kind: "found",
    traces,
    rows,
    marks: held.marks,
    sessionIds: distinct(since(SESSION_MS).map(({ sessionId }) => sessionId)),
  };
}

/** The units in which these rows' addresses are counted, as far as the addresses are still held. */
async function addressesOf(
  { vault }: Pick<PersonDeps, "vault">,
  rows: readonly LedgerRow[],
): Promise<string[]> {
  const opened = await Promise.all(
    rows.map(({ id, sealedAddress }) =>
      sealedAddress === null ? null : vault.unsealFromLedger(id, sealedAddress),
    ),
  );
  return distinct(opened.map((address) => (address === null ? null : addressUnit(address))));
}

const distinct = (values: readonly (string | null)[]): string[] => [
  ...new Set(values.filter((value) => value !== null)),
];

/** Exports a person's data for that person. The export is written down, without the number. */
export async function exportPerson(
  deps: PersonDeps,
  act: OperatorCommand,
  number: string,
): Promise<PersonExport | NotPerformed> {
  const e164 = parsePersonNumber(number);
  if (typeof e164 !== "string") return e164;
  let person: FoundPerson | null = null;
  const look = async (): Promise<WriteResult> => {
    const found = await findPerson(deps, e164);
    if (found.kind !== "found") return found;
    person = found;
    return { kind: "done" };
  };
  const acted = await runOperatorAction(deps, act, {
    what: "person exported",
    details: {},
    effect: "lowers",
    perform: look,
  });
  if (acted.kind !== "done") return acted;
  const { rows, marks, sessionIds } = person ?? { rows: [], marks: [], sessionIds: [] };
  return { ...acted, rows, marks, sessions: sessionIds.length };
}
