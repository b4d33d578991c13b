/** Lets a number get messages again that providers had refused for good. */

import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { plain } from "./format.ts";
import { WHY, why } from "./options.ts";
import { NUMBER, readNumber } from "./person.ts";

interface LiftedAnswer {
  recorded: boolean;
  notes: string[];
}

export const LIFT_NUMBER: readonly Command[] = [
  {
    name: "lift-number",
    usage: 'lift-number +NUMBER|- --why "..."',
    about: "let a number get messages again that is remembered as opted out or unreachable",
    help: `${NUMBER}\n${WHY}\n\nFor a person who opted in again, or a number that is in use now. The number travels in a body and is written down nowhere.`,
    options: ["why"],
    words: [1, 1],
    run: async (service, { words: [word = ""], values, json }) => {
      const body = { why: why(values), number: await readNumber(word) };
      const answer = await askJson<LiftedAnswer>(service, "POST", "/numbers/lift", body);
      console.log(json ? JSON.stringify(answer, null, 2) : answer.notes.map(plain).join("\n"));
    },
  },
];
