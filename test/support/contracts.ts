import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const FOLDER = process.env.TOLLGATE_CONTRACTS
  ? pathToFileURL(`${process.env.TOLLGATE_CONTRACTS}/`)
  : new URL("../../../shared/contracts/", import.meta.url);

/** Where the vendors' contracts are looked for: `TOLLGATE_CONTRACTS`, or the folder beside the repository. */
export const contractsFolder = (): string => fileURLToPath(FOLDER);

/**
 * Finds a vendor's contract. The files lie beside the repository, not in it, so a clone on its own is without them; its
 * tests then skip, and the run ends with a line that counts them (`contract-reporter.ts`).
 *
 * @param path within the folder of contracts, for example `twilio/error_codes.json`
 */
export function contractFile(path: string): string | null {
  const file = fileURLToPath(new URL(path, FOLDER));
  return existsSync(file) ? file : null;
}
