/** Events of the service itself for the customer's backend: its posture, and attacks on it. */
import type { Posture } from "../../domain/kernel/posture.ts";
import type { Ban } from "../../domain/monitor/ban.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import { type CustomerNeeds, notifyCustomer } from "./notify-customer.ts";

/** The service's own events belong to no verification. */
const OF_SERVICE = { correlationId: null, about: null };

/**
 * Notifies of a posture that differs from the one notified last, whoever set it: the monitor, or people, whose order may have
 * ended by itself.
 *
 * @param last the posture notified last
 */
export async function notifyPosture(
  deps: CustomerNeeds,
  last: Posture,
  { now, by, why }: { now: Posture; by: string; why: string },
  atMs: number,
): Promise<void> {
  if (now === last) return;
  const facts = { from: last, to: now, by, why };
  await notifyCustomer(deps, "posture.changed", { ...OF_SERVICE, of: `${atMs}`, atMs, facts });
}

/**
 * Notifies of an incident that opened and of new bans, in one event a minute. A subject that is an address is its keyed hash.
 *
 * @param opened null where none did in this run
 */
export async function notifyAttackSuspected(
  deps: CustomerNeeds,
  opened: Incident | null,
  bans: readonly Ban[],
  atMs: number,
): Promise<void> {
  if (opened === null && bans.length === 0) return;
  await notifyCustomer(deps, "fraud.suspected", {
    ...OF_SERVICE,
    of: opened?.id ?? `${atMs}`,
    atMs,
    facts: {
      incident: opened && {
        id: opened.id,
        opened_ms: opened.openedAtMs,
        severity: opened.severity,
        findings: opened.findings.map(({ kind, subject, severity, says }) => ({
          kind,
          subject,
          severity,
          says,
        })),
      },
      blocks: bans.map(({ kind, subject, untilMs }) => ({
        kind,
        subject,
        until_ms: untilMs,
      })),
    },
  });
}
