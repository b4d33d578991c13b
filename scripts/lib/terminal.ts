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
  process.stdout.write(`${question} (not shown): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await answerTo(createInterface({ input: process.stdin, output: nowhere, terminal: true }), "");
  } finally {
    process.stdout.write("\n");
  }
}

async function answerTo(lines: Interface, question: string): Promise<string> {
  try {
    // A line that is closed answers nothing, and would never end.
    const left = new Promise<never>((_resolve, reject) => {
      const leave = () => reject(new CommandError("\nLeft without an answer."));
      lines.once("close", leave);
      lines.once("SIGINT", leave);
    });
    return (await Promise.race([lines.question(question), left])).trim();
  } catch (error) {
    throw error instanceof CommandError ? error : new CommandError("\nLeft without an answer.");
  } finally {
    lines.removeAllListeners("close");
    lines.close();
  }
}

/** Asks whether to go on; only a plain yes is one. */
export const askYes = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test(await askLine(`${question} (yes or no)`));
