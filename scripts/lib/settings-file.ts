import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { parseEnv } from "node:util";
import { CommandError } from "./command.ts";
import { isSetting, type Settings } from "./configuration.ts";
import { isTable } from "./settings.ts";

/** A private key has line ends of its own; elsewhere one is a slip that a service answers with "wrong secret". */
const MAY_HAVE_LINES = ["VONAGE_PRIVATE_KEY", "PROOF_KEYS"];

/**
 * Reads settings by their own names from a file in the form of `.env` or JSON; `-` is standard input. Empty values count as
 * not given.
 *
 * @throws CommandError for a file that cannot be read, a name that is no setting, a value with a line end; no value is repeated
 */
export async function readSettingsFile(file: string): Promise<Settings> {
  const content = file === "-" ? await text(process.stdin) : await readNamed(file);
  const entries = content.trimStart().startsWith("{")
    ? readJson(content, file)
    : Object.entries(parseEnv(content));
  const settings = new Map<string, string>();
  for (const [name, value] of entries) {
    if (!isSetting(name) || name === "POLICY" || name === "ENVIRONMENT") {
      throw new CommandError(
        `${file}: "${name}" is no setting that can be given here; see README, Deploying.`,
      );
    }
    if (typeof value !== "string") throw new CommandError(`${file}: ${name} is not text.`);
    if (value === "") continue;
    if (/[\r\n]/.test(value) && !MAY_HAVE_LINES.includes(name)) {
      throw new CommandError(`${file}: ${name} holds a line end; put the value on one line.`);
    }
    settings.set(name, value);
  }
  return Object.fromEntries(settings);
}

async function readNamed(file: string): Promise<string> {
  // npm runs scripts in the repository's folder; the person named the file from where they stand.
  return readFile(resolve(process.env.INIT_CWD ?? ".", file), "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      throw new CommandError(`${file} cannot be read (${error.code}).`);
    },
  );
}

function readJson(content: string, file: string): [string, unknown][] {
  try {
    const read: unknown = JSON.parse(content);
    if (isTable(read)) return Object.entries(read);
  } catch {
    // Its own message repeats the text, which holds secrets.
  }
  throw new CommandError(`${file} is not a JSON object.`);
}
