/** What the minute's watch has for the customer's backend. */

import type { Posture } from "../../domain/kernel/posture.ts";
import type { Ban } from "../../domain/monitor/ban.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import type { Deps } from "../../ports/deps.ts";
import { notifyCustomer } from "./notify-customer.ts";

type WatchDeps = Pick<Deps, "policy" | "customer" | "outbox" | "records" | "log" | "nowMs">;

/** Nobody has one of their own: of the service. */
const OF_SERVICE = { correlationId: null, about: null };

/**
 * Tells a posture that is another one than was told last, whoever set it: the watch, or people, whose word may have ended by
 * itself.
 */
export async function notifyPosture(
  deps: WatchDeps,
  told: Posture,
  { now, by, why }: { now: Posture; by: string; why: string },
  atMs: number,
): Promise<void> {
  if (now === told) return;
  const facts = { from: told, to: now, by, why };
  await notifyCustomer(deps, "posture.changed", { ...OF_SERVICE, of: `${atMs}`, atMs, facts });
}

/**
 * Tells of an incident that opened and of what was shut, in one event a minute. A subject that is an address is its keyed
 * hash.
 *
 * @param opened null where none did in this run
 */
export async function notifyAttackSuspected(
  deps: WatchDeps,
  opened: Incident | null,
  blocked: readonly Ban[],
  atMs: number,
): Promise<void> {
  if (opened === null && blocked.length === 0) return;
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
      blocks: blocked.map(({ kind, subject, untilMs }) => ({
        kind,
        subject,
        until_ms: untilMs,
      })),
    },
  });
}
