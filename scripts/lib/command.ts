import { fileURLToPath } from "node:url";

/** The folder of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Something the person at the keyboard can put right: told in its own words, without a stack. */
export class CommandError extends Error {}

/** Something wrong with how the command was called. */
export class UsageError extends CommandError {}

const FAILED_CODE = 1;
const USAGE_CODE = 2;

/**
 * Runs a command's main function and turns its failure into a message and an exit code: 2 where it was called wrongly, else 1.
 *
 * Mistakes in the arguments (`node:util` parseArgs) are told like a {@link UsageError}; anything else that is no
 * {@link CommandError} is a fault of the program and keeps its stack.
 */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.exitCode = error instanceof UsageError || isArgumentError(error) ? USAGE_CODE : FAILED_CODE;
    console.error(describe(error));
  }
}

/** What to print for a failure. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isArgumentError(error)) return `${error.message.split(". To specify")[0]}. Try --help.`;
  return error instanceof CommandError ? error.message : (error.stack ?? error.message);
}

const isArgumentError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
