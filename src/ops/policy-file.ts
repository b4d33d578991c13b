import text from "../../wrangler.toml";
import { linesOfToml, type PolicyFile } from "./views/policy-file-location.ts";

let read: PolicyFile | undefined;

/** wrangler.toml as it was bundled with this very deployment; read when the first person asks. */
export function policyFile(): PolicyFile {
  read ??= { name: "wrangler.toml", lines: linesOfToml(text) };
  return read;
}
