import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const FOLDER = process.env.TOLLGATE_CONTRACTS
  ? pathToFileURL(`${process.env.TOLLGATE_CONTRACTS}/`)
  : new URL("../../../shared/contracts/", import.meta.url);

/**
 * Finds a vendor's contract. The files lie beside the repository, not in it, so a clone on its own is without them; its
 * tests then skip and say so.
 *
 * @param path within the folder of contracts, for example `twilio/error_codes.json`
 */
export function contractFile(path: string): string | null {
  const file = fileURLToPath(new URL(path, FOLDER));
  if (existsSync(file)) return file;
  console.log(`no contract ${path} beside this repository: the tests that read it are skipped`);
  return null;
}
