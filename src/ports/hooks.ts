/** Calls of other systems' hooks, by the signature or token that each of them has. */
import type { HookSystem } from "../domain/access/hook-system.ts";

/** A hook's call as it arrived. */
export interface HookCall {
  headers: Headers;
  body: Uint8Array;
}

export interface HookSignatures {
  /** @returns `unset` for a system whose secret nobody set, `forged` for no signature, a wrong one, or one too old */
  check(system: HookSystem, call: HookCall): Promise<"genuine" | "forged" | "unset">;
}
