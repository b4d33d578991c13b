import type { Judgement } from "../../domain/delivery/judgement.ts";

/** A vendor's code, or all whole numbers from one to another, both included. */
type CodeRange = string | number | readonly [from: number, to: number];

/** One row of a vendor's table: a judgement, the reason for it, and the codes that mean it. */
export type ProviderCodeRow = readonly [judgement: Judgement, reason: string, codes: readonly CodeRange[]];

/**
 * Makes the look-up of a vendor's table. The first row that holds a code decides, so that single codes stand before the
 * ranges they are exceptions of.
 *
 * @returns a function from a code to its judgement; null for a code that the table does not hold
 */
export function codeTable(rows: readonly ProviderCodeRow[]): (code: string | null) => Judgement | null {
  const holds = (range: CodeRange, code: string): boolean => {
    if (typeof range !== "object") return String(range) === code;
    const number = /^\d{1,6}$/.test(code) ? Number(code) : Number.NaN;
    return range[0] <= number && number <= range[1];
  };
  return (code) =>
    code === null
      ? null
      : (rows.find(([, , codes]) => codes.some((range) => holds(range, code)))?.[0] ?? null);
}
