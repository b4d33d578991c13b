/** Figures in words: money from its millionths, and what was done or found, for people. */

import { duration } from "../kernel/instant.ts";
import type { Ban } from "./ban.ts";

/** `$24.72`, `₹1,200.00`, `$0.0625`: cents, and below one unit as far as four digits. */
export function alertMoneyText(micros: number, currency: string): string {
  const amount = micros / 1_000_000;
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    maximumFractionDigits: Math.abs(amount) < 1 ? 4 : 2,
  }).format(amount);
}

/** `1,200`. */
export const alertCountText = (count: number): string => new Intl.NumberFormat("en").format(count);

/** `shut range +23480 for 4 h (2nd time in a week): nobody answers there`. */
export function banText({ kind, subject, sinceMs, untilMs, why, times }: Ban): string {
  // The keyed hash of an address says nothing to people; its beginning is enough to find it by.
  const what = kind === "address" ? subject.slice(0, 8) : subject;
  const again = times > 1 ? `, time ${times} in a week` : "";
  return `shut ${kind} ${what} for ${duration(untilMs - sinceMs)}${again}: ${why}`;
}

/** `conversion collapse`. */
export const withThousandsSpaces = (name: string): string => name.replaceAll("_", " ");
