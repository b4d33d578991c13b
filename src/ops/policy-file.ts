import text from "../../wrangler.toml";
import { linesOfToml, type PolicyFileLines } from "./views/policy-file-location.ts";

let read: PolicyFileLines | undefined;

/** wrangler.toml as it was bundled with this very deployment; read when the first person asks. */
export function policyFile(): PolicyFileLines {
  read ??= { name: "wrangler.toml", lines: linesOfToml(text) };
  return read;
}
