import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { ROOT } from "../lib/command.ts";

/** Where a running local service leaves the token of its operator, for the commands of this machine. */
export const LOCAL_OPERATORS = `${ROOT}.wrangler/tollgate`;

export const localOperatorFile = (port: number | string): string => `${LOCAL_OPERATORS}/${port}.ops.json`;

/** Leaves a token for this user's commands until this process ends. */
export function leaveOperatorToken(port: number, url: string, token: string): void {
  mkdirSync(LOCAL_OPERATORS, { recursive: true });
  const file = localOperatorFile(port);
  writeFileSync(file, JSON.stringify({ url, token }), { mode: 0o600 });
  // A file that was there before keeps the mode it had.
  chmodSync(file, 0o600);
  process.once("exit", () => rmSync(file, { force: true }));
}
