/** Takes one person out of every store. */
import type { ErasureAnswer } from "../../src/http/admin/evidence-contract.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { number, plain, styled, table } from "./format.ts";
import { WHY, why } from "./options.ts";
import { NUMBER, readNumber } from "./person.ts";

export const ERASE: readonly Command[] = [
  {
    name: "erase",
    usage: 'erase +NUMBER|- --why "..."',
    about: "take one number out of every store, and look again; it cannot be undone",
    help: `${NUMBER}\n${WHY}\n\nThe number travels in a body and is written down nowhere: neither in the action nor in a log.`,
    options: ["why"],
    words: [1, 1],
    run: async (service, { words: [word = ""], values, json }) => {
      const body = { why: why(values), number: await readNumber(word) };
      const answer = await askJson<ErasureAnswer>(service, "POST", "/erase", body);
      console.log(json ? JSON.stringify(answer, null, 2) : erasedLines(answer).join("\n"));
      if (Object.keys(answer.remaining).length > 0) process.exitCode = 1;
    },
  },
];

function erasedLines({ notes, removed, out_of_reach }: ErasureAnswer): string[] {
  return [
    ...table(
      [{ title: "removed", right: true }, { title: "from" }],
      Object.entries(removed).map(([store, count]) => [number(count), plain(store)]),
    ),
    "",
    ...notes.map(plain),
    "",
    styled("dim", "Out of reach:"),
    ...out_of_reach.map((sentence) => `- ${plain(sentence)}`),
  ];
}
