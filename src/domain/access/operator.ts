/** Operators: the people who may look at a running service and act on it. */

/** A viewer only reads; an operator acts too. */
export const OPERATOR_ROLES = ["viewer", "operator"] as const;
export type OperatorRole = (typeof OPERATOR_ROLES)[number];

/** A person who has shown an operator token or an identity of Cloudflare Access. */
export interface Operator {
  /** Token name or the Access user's e-mail address: in the log of actions and on the pages. */
  who: string;
  role: OperatorRole;
}

/** An operator token as the settings hold it. Nothing in it is secret: the token cannot be made from it. */
export interface OperatorTokenEntry extends Operator {
  /** SHA-256 of the token's text, in hexadecimal. */
  hash: string;
}

const ENTRY = /^([a-z0-9][a-z0-9-]{0,39}):(viewer|operator):([0-9a-f]{64})$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

/** The monitor's name as the author of its actions. A person of that name would pass for it, and their bans would let probes through. */
export const MONITOR_OPERATOR_NAME = "cron";

/** True for a name that an operator token may have. */
export const isOperatorName = (text: string): boolean => NAME.test(text) && text !== MONITOR_OPERATOR_NAME;

/** One entry of the setting ADMIN_TOKENS. */
export const formatOperatorTokenEntry = ({ who, role, hash }: OperatorTokenEntry): string =>
  `${who}:${role}:${hash}`;

/**
 * Reads the setting ADMIN_TOKENS: `name:role:hash` entries separated by commas. Empty text is an empty list.
 *
 * @returns the tokens, or every fault by the entry's place, never by its text
 */
export function parseOperatorTokens(
  text: string,
): { ok: true; tokens: OperatorTokenEntry[] } | { ok: false; faults: string[] } {
  const entries = text.split(",").map((entry) => entry.trim());
  if (entries.length === 1 && entries[0] === "") return { ok: true, tokens: [] };
  const tokens: OperatorTokenEntry[] = [];
  const faults: string[] = [];
  for (const [at, entry] of entries.entries()) {
    const [, who = "", role, hash = ""] = ENTRY.exec(entry) ?? [];
    if (role !== "viewer" && role !== "operator") {
      faults.push(`entry ${at + 1} is not name:viewer or operator:SHA-256 in hexadecimal`);
      continue;
    }
    if (who === MONITOR_OPERATOR_NAME) faults.push(`entry ${at + 1} has the name of the watch`);
    if (tokens.some((token) => token.who === who)) faults.push(`entry ${at + 1} has the name of another`);
    tokens.push({ who, role, hash });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, tokens };
}

/**
 * True for text that people read as it was written: without control characters, unpaired surrogates, and characters that turn
 * the direction of text, with which it shows something else than it says (CVE-2021-42574).
 */
export const isReadableText = (text: string): boolean =>
  text.isWellFormed() && !/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u.test(text);
