import { type Ban, type BanChanges, nextBans } from "../../domain/monitor/ban.ts";
import type { Finding } from "../../domain/monitor/finding.ts";
import { type IncidentMemory, nextIncident } from "../../domain/monitor/incident.ts";
import type { MonitorMemory } from "../../domain/monitor/monitor-memory.ts";
import type { Deps } from "../../ports/deps.ts";
import { type AppliedPosture, applyPosture } from "../control/apply-posture.ts";
import { type MinuteRead, readOpenIncident } from "./read-minute.ts";

/** The bans after one run of the monitor. */
interface AppliedBans {
  changes: BanChanges;
  /** Bans that are new and in effect. */
  effective: readonly Ban[];
  /** The returns of every subject, for the memory. */
  remembered: MonitorMemory["blocked"];
  /** The reason why KV did not take the list; null when it did, or nothing changed. */
  refused: string | null;
}

/** The changes that one run of the monitor made. */
export interface MinuteActs {
  posture: AppliedPosture;
  bans: AppliedBans;
  incident: {
    /** Open before this run. */
    before: IncidentMemory["incident"];
    after: IncidentMemory;
  };
  /** Everything that could not be read in full or written, in words. */
  refused: string[];
}

/** Sets the posture and the bans, and follows the incident. */
export async function actOnFindings(
  deps: Deps,
  read: MinuteRead,
  findings: readonly Finding[],
): Promise<MinuteActs> {
  const posture = await applyPosture(deps, read.documents, findings, read.view);
  const bans = await applyBans(deps, read, findings);
  const { before, after } = await followIncident(deps, read, findings, { posture, bans });
  const kept = after.incident ? await deps.records.keepIncident(after.incident) : null;
  const refused = [
    ...read.documents.faults,
    posture.refused,
    bans.refused,
    kept?.kind === "unavailable" ? `incident not written: ${kept.cause}` : null,
  ];
  return { posture, bans, incident: { before, after }, refused: refused.filter((cause) => cause !== null) };
}

async function applyBans(
  deps: Deps,
  { documents, memory, view, nowMs }: MinuteRead,
  findings: readonly Finding[],
): Promise<AppliedBans> {
  const next = nextBans(
    {
      bans: documents.cronBlocks,
      findings,
      memory: memory.blocked,
      minutes: view.minutes,
      operatorBans: documents.operatorBlocks,
    },
    deps.policy.monitor,
    nowMs,
  );
  const refused = await writeBans(deps, next, documents.faults);
  return refused === null
    ? { changes: next.changes, effective: next.changes.blocked, remembered: next.blocked, refused }
    : { changes: next.changes, effective: [], remembered: memory.blocked, refused };
}

async function writeBans(
  { control, log }: Deps,
  { blocks, changes }: ReturnType<typeof nextBans>,
  faults: readonly string[],
): Promise<string | null> {
  const { blocked, lifted, extended } = changes;
  // An unreadable list counts as an emergency everywhere until it is written anew.
  const unreadable = faults.some((fault) => fault.startsWith("cron-blocks"));
  if (blocked.length + lifted.length + extended.length === 0 && !unreadable) return null;
  for (const { kind, subject, why } of blocked) log("blocked", { kind, subject, why });
  for (const { block, why } of lifted) log("unblocked", { kind: block.kind, subject: block.subject, why });
  const written = await control.writeCronBlocks(blocks);
  return written.kind === "unavailable" ? `blocks not written: ${written.cause}` : null;
}

async function followIncident(
  deps: Deps,
  { memory, minutes, view, nowMs }: MinuteRead,
  findings: readonly Finding[],
  { posture, bans }: Pick<MinuteActs, "posture" | "bans">,
): Promise<MinuteActs["incident"]> {
  const asking = findings.some(({ severity }) => severity !== "notice");
  // A run that could not keep its memory has recorded its incident all the same.
  const before = memory.incident ?? (asking ? await readOpenIncident(deps) : null);
  const { now, before: postureBefore, by, why } = posture;
  const after = nextIncident(
    { ...memory, incident: before },
    {
      nowMs,
      findings,
      posture: { now, before: postureBefore, by, why },
      blocks: bans.changes,
      minutes,
      curve: view.curve,
    },
    deps.policy.monitor,
    deps.vault.newId,
  );
  return { before, after };
}
