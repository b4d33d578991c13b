/** What is held of one person. */
import { text } from "node:stream/consumers";
import type { PersonAnswer } from "../../src/http/admin/evidence-contract.ts";
import { UsageError } from "../lib/command.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { WHY, why } from "./options.ts";

export const NUMBER = `  +NUMBER         with its country code; "-" reads it from standard input, where it stays out of the shell's history`;

export const PERSON: readonly Command[] = [
  {
    name: "export-person",
    usage: 'export-person +NUMBER|- --why "..."',
    about: "everything that is held of one number, as JSON",
    help: `${NUMBER}\n${WHY}`,
    options: ["why"],
    words: [1, 1],
    run: async (service, { words: [word = ""], values }) => {
      const body = { why: why(values), number: await readNumber(word) };
      const answer = await askJson<PersonAnswer>(service, "POST", "/person", body);
      console.log(JSON.stringify(answer, null, 2));
    },
  },
];

/** The number as it was typed, or from standard input. @throws UsageError for what is plainly none; it is not repeated */
export async function readNumber(word: string): Promise<string> {
  const number = (word === "-" ? await text(process.stdin) : word).trim();
  if (!/^\+[\d ().-]{5,30}$/.test(number))
    throw new UsageError("That is no number with its country code, like +919876543210.");
  return number;
}
