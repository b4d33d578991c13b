import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { ROOT } from "../lib/command.ts";

/**
 * The settings of `.dev.vars`; none where there is no such file. wrangler hands on only those that `[secrets] required`
 * lists, so that a provider's credentials would not arrive.
 */
export function readDevVars(folder = ROOT): Record<string, string> {
  const file = `${folder}.dev.vars`;
  if (!existsSync(file)) return {};
  const read = parseEnv(readFileSync(file, "utf8"));
  // The policy has a form of its own: npm start -- --policy FILE.
  return Object.fromEntries(
    Object.entries(read).filter(
      (entry): entry is [string, string] => Boolean(entry[1]) && entry[0] !== "POLICY",
    ),
  );
}
