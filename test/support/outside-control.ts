import { OUTSIDE } from "./addresses.ts";

export interface OutsideState {
  unexpected: string[];
  upstash: { requests: number; commands: number; byName: Record<string, number> };
  siteverify: { requests: number };
}

export interface OutsideMessage {
  to: string;
  body: string;
  channel: string;
}

export async function resetOutside(): Promise<void> {
  await fetch(`${OUTSIDE.control}/reset`, { method: "POST" });
}

export async function outsideState(): Promise<OutsideState> {
  return (await fetch(`${OUTSIDE.control}/state`)).json();
}

/** Makes a stand-in slow, silent or wrong until the end of the test. */
export async function outsideFaults(faults: {
  upstash?: { delayMs?: number; down?: boolean };
  siteverify?: { delayMs?: number; down?: boolean };
  inbox?: { mode?: "deliver" | "refuse" | "time_out" | "lose"; delay_ms?: number };
}): Promise<void> {
  await fetch(`${OUTSIDE.control}/faults`, { method: "PATCH", body: JSON.stringify(faults) });
}

/** What the local phone got, newest first. */
export async function inbox(to: string): Promise<OutsideMessage[]> {
  return (await fetch(`${OUTSIDE.inbox}/messages?to=${encodeURIComponent(to)}`)).json();
}
