/** The documents that cron and people steer by: postures, blocks, routes, pauses. */
import type { RouteOverride } from "../domain/delivery/route-overrides.ts";
import type { Block, BlockInForce, OperatorBlock } from "../domain/watch/block.ts";
import type { Pause } from "../domain/watch/pause.ts";
import type { ControlDocument } from "../domain/watch/posture.ts";
import type { Done, Unavailable } from "./outcome.ts";

/** What a place acts on: the operators' document where there is one, else the cron's, and all blocks that are in force. */
export interface Control {
  document: ControlDocument | null;
  blocks: readonly BlockInForce[];
  /** People's word on routes, over the policy. */
  routes: readonly RouteOverride[];
  /** What people stopped for everybody. */
  pauses: readonly Pause[];
}

/** The documents as they are stored, people's apart from the cron's: neither can overwrite the other. */
export interface ControlDocuments {
  cron: ControlDocument | null;
  operator: ControlDocument | null;
  cronBlocks: readonly Block[];
  /** Subjects that people shut, challenge, or exempted from the cron's blocks. */
  operatorBlocks: readonly OperatorBlock[];
  operatorRoutes: readonly RouteOverride[];
  operatorPauses: readonly Pause[];
  /** What could not be read, in words. */
  faults: readonly string[];
}

export interface ControlPort {
  /** As this place knows it, a few seconds old at most; a malformed document reads as emergency. */
  read(): Promise<Control>;
  /** The documents themselves, fresh, for the cron and for people. */
  documents(): Promise<ControlDocuments | Unavailable>;
  /** Each write replaces one document; null takes it down. KV refuses more than one write a second to a key: it says so. */
  writeCron(document: ControlDocument | null): Promise<Done>;
  writeCronBlocks(blocks: readonly Block[]): Promise<Done>;
  writeOperator(document: ControlDocument | null): Promise<Done>;
  writeOperatorBlocks(blocks: readonly OperatorBlock[]): Promise<Done>;
  writeOperatorRoutes(routes: readonly RouteOverride[]): Promise<Done>;
  writeOperatorPauses(pauses: readonly Pause[]): Promise<Done>;
}
