/** Questions to the person at the keyboard. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Whether somebody can be asked, and sees what is shown. */
export const hasTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Asks for a line. @param fallback what an empty line stands for */
export async function askLine(question: string, fallback = ""): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question(`${question}${fallback === "" ? "" : ` [${fallback}]`}: `);
    return answer.trim() || fallback;
  } finally {
    lines.close();
  }
}

/** Asks for a secret, and shows nothing of what is typed. */
export async function askSecret(question: string): Promise<string> {
  process.stdout.write(`${question} (not shown): `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    process.stdout.write("\n");
  }
}

/** Asks whether to go on; only a plain yes is one. */
export const askYes = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test(await askLine(`${question} (yes or no)`));
