import { randomBytes } from "node:crypto";
import { sha256Hex } from "../../src/adapters/digest.ts";
import {
  formatOperatorTokenEntry,
  isOperatorName,
  OPERATOR_ROLES,
  type OperatorRole,
  type OperatorTokenEntry,
} from "../../src/domain/access/operator.ts";

const SECRET_BYTES = 32;

export interface MintedToken {
  /** Shown once. */
  token: string;
  /** What the setting ADMIN_TOKENS keeps of it. */
  entry: string;
}

/** Makes an operator token: `tgo_` and 256 random bits in base64url. */
export async function mintOperatorToken(who: string, role: OperatorRole): Promise<MintedToken> {
  const token = `tgo_${randomBytes(SECRET_BYTES).toString("base64url")}`;
  const kept: OperatorTokenEntry = { who, role, hash: await sha256Hex(token) };
  return { token, entry: formatOperatorTokenEntry(kept) };
}

/** null for a name or a role that is none. */
export function readTokenRequest(name: string, role: string): { who: string; role: OperatorRole } | null {
  const known = OPERATOR_ROLES.find((one) => one === role);
  return isOperatorName(name) && known !== undefined ? { who: name, role: known } : null;
}

/** What to do with a new token. */
export function tokenInstructions({ entry }: MintedToken): string {
  return `The token is shown this once. Keep of it, in the setting ADMIN_TOKENS, this entry (it is no secret):

  ${entry}

ADMIN_TOKENS holds all entries, separated by commas. Put the old ones and this one together:

  npx wrangler secret put ADMIN_TOKENS --env production

To take a token back, put ADMIN_TOKENS without its entry. Whoever holds the token uses it like this:

  TOLLGATE_ADMIN_TOKEN=<token> npm run ops -- --env production status
`;
}
