/** The answers as they are given: by flags, by a file, or at the keyboard. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { CommandError } from "../lib/command.ts";
import { isTable, type Table } from "../lib/settings.ts";
import { askLine } from "../lib/terminal.ts";
import { type Answers, isAnswered, QUESTIONS } from "./answers.ts";

/** Answers among a command's options. */
export function answersOf(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    QUESTIONS.flatMap(({ flag }) => (typeof values[flag] === "string" ? [[flag, values[flag]]] : [])),
  );
}

/** Answers of a file: a JSON object with the flags' names. @throws CommandError for one that is none */
export async function readAnswers(file: string | undefined): Promise<Record<string, string>> {
  if (file === undefined) return {};
  // npm runs scripts in the repository's folder; the person named the file from where they stand.
  const text = await readFile(resolve(process.env.INIT_CWD ?? ".", file), "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      throw new CommandError(`The answers' file ${file} cannot be read (${error.code}).`);
    },
  );
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`The answers' file ${file} is not JSON: ${(error as Error).message}`);
  }
  if (!isTable(read)) throw new CommandError(`The answers' file ${file} is not a JSON object.`);
  const known = QUESTIONS.map(({ flag }) => flag);
  return Object.fromEntries(
    Object.entries(read).map(([key, value]) => {
      const text = Array.isArray(value) ? value.join(",") : value;
      if (!known.includes(key))
        throw new CommandError(`${file}: "${key}" is no question; they are ${known.join(", ")}.`);
      if (typeof text !== "string")
        throw new CommandError(`${file}: ${key} is neither text nor a list of texts.`);
      return [key, text];
    }),
  );
}

/** Asks what nobody has answered; where all is answered, nothing. */
export async function askAnswers(environment: Table, flags: Answers): Promise<Answers> {
  const answers: Record<string, string> = { ...flags };
  const isNew = QUESTIONS.some((question) => !isAnswered(question, environment));
  if (!isNew) return answers;
  for (const question of QUESTIONS) {
    if (answers[question.flag] !== undefined) continue;
    const isOpen = !isAnswered(question, environment);
    const fallback = isOpen ? (question.fallback?.(answers) ?? "") : question.current(environment);
    const answer = await askLine(question.asks, fallback);
    if (answer !== "" && (isOpen || answer !== fallback)) answers[question.flag] = answer;
  }
  return answers;
}
