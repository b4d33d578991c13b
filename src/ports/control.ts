/** The documents by which the monitor and operators steer the service: postures, bans, routes, pauses. */
import type { RouteOverride } from "../domain/delivery/route-overrides.ts";
import type { Ban, OperatorBan } from "../domain/monitor/ban.ts";
import type { ControlDocuments, MergedControl } from "../domain/monitor/effective-control.ts";
import type { Pause } from "../domain/monitor/pause.ts";
import type { PostureControls } from "../domain/monitor/posture.ts";
import type { Unavailable, WriteResult } from "./result.ts";

/** The control documents, the monitor's apart from the operators'. */
export interface ControlPort {
  /** The documents as this place knows them, a few seconds old at most; a malformed one reads as emergency. */
  read(): Promise<MergedControl>;
  /** The documents themselves, fresh, for the monitor and for operators. */
  documents(): Promise<ControlDocuments | Unavailable>;
  /** Each write replaces one document; null takes it down. KV refuses more than one write a second to a key: it says so. */
  writeCron(document: PostureControls | null): Promise<WriteResult>;
  writeCronBlocks(blocks: readonly Ban[]): Promise<WriteResult>;
  writeOperator(document: PostureControls | null): Promise<WriteResult>;
  writeOperatorBlocks(blocks: readonly OperatorBan[]): Promise<WriteResult>;
  writeOperatorRoutes(routes: readonly RouteOverride[]): Promise<WriteResult>;
  writeOperatorPauses(pauses: readonly Pause[]): Promise<WriteResult>;
}
