/** Questions to the person at the keyboard. */
import { createInterface, type Interface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CommandError } from "./command.ts";

/** Whether somebody can be asked, and sees what is shown. */
export const hasTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Asks for a line. @param fallback what an empty line stands for @throws CommandError where Ctrl-C or Ctrl-D answers */
export async function askLine(question: string, fallback = ""): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  return (await answerTo(lines, `${question}${fallback === "" ? "" : ` [${fallback}]`}: `)) || fallback;
}

/** Asks for a secret, and shows nothing of what is typed. */
export async function askSecret(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // First, because it takes the echo away from what is typed at once.
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stdout.write(`${question} (not shown): `);
  try {
    return await answerTo(lines, "");
  } finally {
    process.stdout.write("\n");
  }
}

async function answerTo(lines: Interface, question: string): Promise<string> {
  // A line that is closed answers nothing, and would never end.
  const left = new AbortController();
  const leave = () => left.abort();
  lines.once("close", leave).once("SIGINT", leave);
  try {
    return (await lines.question(question, { signal: left.signal })).trim();
  } catch {
    throw new CommandError("\nLeft without an answer.");
  } finally {
    lines.off("close", leave).close();
  }
}

/** Asks whether to go on; only a plain yes is one. */
export const askYes = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test(await askLine(`${question} (yes or no)`));
