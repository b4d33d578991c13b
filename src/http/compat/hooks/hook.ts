/** What each system's adapter says: where it calls, how its body reads, and how it wants to be answered. */

import type { HookSystem } from "../../../domain/access/hook-system.ts";
import type { Policy } from "../../../domain/policy.ts";
import type { ProblemWire } from "../../problems.ts";

/** A code that a system wants to have delivered. */
export interface HookDelivery {
  /** As the system writes numbers; `international` brings the plus where it leaves that out. */
  to: string;
  code: string;
  locale?: string | undefined;
  user?: string | undefined;
}

/** A hook that hands over a code. */
export interface DeliveryHook {
  system: HookSystem;
  /** The last part of its address, where a system has several. */
  path: string;
  /** The time it waits for an answer, less what the way takes. */
  limitMs: number;
  /** null for a body that is none of this system's. */
  read(body: string, contentType: string, policy: Policy): HookDelivery | null;
  /** The answer where a text was sent, or already is. */
  sent: unknown;
  /** The answer of a refusal: its status and body. A system that gets a 5xx, or a 429, tries again. */
  refuse(problem: ProblemWire): { status: number; body: unknown };
}

/** A number whose plus was left out. */
export const international = (to: string): string => (/^[1-9][0-9]*$/.test(to) ? `+${to}` : to);

/** null for text that is no JSON table. */
export function readTable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A refusal is nothing that trying again mends: what is ours is said as "too many", which systems pass on to people. */
export const refusalStatus = ({ status }: ProblemWire): number => (status >= 500 ? 429 : status);
