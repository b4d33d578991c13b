/**
 * Everything the flows need from outside, as types. Every port has a real adapter and a stand-in that passes the same contract
 * suite. Expected failures are values; a port that throws has a bug. The ports lie beside this file, one file per subject,
 * and are imported directly; each flow picks the few it uses.
 */

import type { KeyringKeyIds } from "../domain/access/key-age.ts";
import type { PriceRow } from "../domain/delivery/money.ts";
import type { Policy } from "../domain/policy.ts";
import type { AdmissionPort, BudgetsPort, ChallengePort, LimitsPort } from "./admission.ts";
import type { ControlPort } from "./control.ts";
import type { MessageOwnersPort, ProviderPort, RouteRecordsPort } from "./delivery.ts";
import type { HandlesPort } from "./handles.ts";
import type { LedgerEventsPort, VerificationLedgerPort } from "./ledger.ts";
import type { AlertsPort, CountersPort, MonitorStatePort } from "./monitor.ts";
import type { CustomerPort, OutboxPort } from "./outbox.ts";
import type {
  DeviceTokensPort,
  InsightCachePort,
  LookupPort,
  PersonMarksPort,
  TagMigrationPort,
} from "./people.ts";
import type { RecordsPort } from "./records.ts";
import type { ProofsPort, SessionsPort, SessionTokensPort } from "./session.ts";
import type { VaultPort } from "./vault.ts";
import type { VerificationsPort } from "./verification.ts";

/** Writes one line of the operator's log: a fact with its evidence, never a number, a code, a token or a key. */
export type Log = (fact: string, evidence: Record<string, string | number | boolean | null>) => void;

/** The ports of one isolate, its policy, and its sources of time and chance. */
export interface Deps {
  /** development, staging or production; for people. */
  environment: string;
  policy: Policy;
  control: ControlPort;
  admission: AdmissionPort;
  limits: LimitsPort;
  challenge: ChallengePort;
  sessions: SessionsPort;
  handles: HandlesPort;
  budgets: BudgetsPort;
  marks: PersonMarksPort;
  adoption: TagMigrationPort;
  /** The ids of the keys, which tell operators how old they are; no key is in them. */
  keyIds: KeyringKeyIds;
  devices: DeviceTokensPort;
  prices: readonly PriceRow[];
  /** Owners of hosting, cloud and VPN networks by ASN. */
  hosting: ReadonlyMap<number, string>;
  tokens: SessionTokensPort;
  vault: VaultPort;
  proofs: ProofsPort;
  providers: ReadonlyMap<string, ProviderPort>;
  /** null where the policy asks nobody about numbers. */
  lookup: LookupPort | null;
  insights: InsightCachePort;
  routes: RouteRecordsPort;
  receipts: MessageOwnersPort;
  verifications: VerificationsPort;
  outbox: OutboxPort;
  /** null where no backend of the customer is set up. */
  customer: CustomerPort | null;
  counters: CountersPort;
  monitorState: MonitorStatePort;
  alerts: AlertsPort;
  records: RecordsPort;
  events: LedgerEventsPort;
  ledger: VerificationLedgerPort;
  log: Log;
  nowMs(): number;
  /** A number from 0 up to 1, for choices that chance makes; never for secrets. */
  random(): number;
  /** Resolves after this long. */
  pause(ms: number): Promise<void>;
  /** Lets work go on behind the answer; work that fails is logged with the verification it belongs to. */
  defer(work: Promise<unknown>, correlationId: string): void;
}
