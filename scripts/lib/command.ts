import { fileURLToPath } from "node:url";

/** The folder of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Something the person at the keyboard can put right: told in its own words, without a stack. */
export class CommandError extends Error {}

/**
 * Runs a command's main function and turns its failure into a message and exit code 1.
 *
 * Mistakes in the arguments (`node:util` parseArgs) are told like a {@link CommandError}; anything else is a fault of
 * the program and keeps its stack.
 */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.exitCode = 1;
    console.error(describe(error));
  }
}

/** What to print for a failure. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isArgument = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (isArgument) return `${error.message.split(". To specify")[0]}. Try --help.`;
  return error instanceof CommandError ? error.message : (error.stack ?? error.message);
}
