import { type ParseArgsConfig, parseArgs } from "node:util";
import { runCommand, UsageError } from "./lib/command.ts";
import { nearest } from "./lib/nearest.ts";
import { findService, TOKEN_VARIABLE } from "./ops/client.ts";
import type { Command } from "./ops/command.ts";
import { COMMANDS } from "./ops/commands.ts";
import { OPTIONS, type Values } from "./ops/options.ts";

/** A command that takes longer than this says that it is still at it. */
const SLOW_MS = 1500;

const HELP = `Looks at a running service and acts on it, through its operators' API.

${COMMANDS.map(({ usage, about }) => `  npm run ops -- ${usage}\n      ${about}`).join("\n")}

  --env NAME    staging or production, at its policy's proof.issuer; without it the local service that npm start runs
  --url URL     a service by its address
  --json        what the API answers, as it is
  --help        this, or with a command more about it

${TOKEN_VARIABLE} holds the operator token; a local service leaves one for this machine. Exit codes: 0 done, 1 failed,
2 called wrongly. When the Worker itself does not answer, npm run posture reads and sets the posture without it.
`;

const SHARED = {
  env: { type: "string" },
  url: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsConfig["options"];

await runCommand(main);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { ...SHARED, ...OPTIONS },
    allowPositionals: true,
  });
  const { env, url, json = false, help, ...own } = values;
  const command = COMMANDS.find(({ name }) => name.split(" ").every((word, at) => positionals[at] === word));
  if (help) return console.log(command ? about(command) : HELP);
  if (command === undefined) {
    const names = COMMANDS.map(({ name }) => name);
    if (positionals.length === 0) throw new UsageError(`Say what to do: ${names.join(", ")}. Try --help.`);
    const meant = nearest(positionals.join(" "), names);
    const hint = meant === null ? `: ${names.join(", ")}. Try --help.` : `; did you mean ${meant}?`;
    throw new UsageError(`"${positionals.join(" ")}" is no command${hint}`);
  }
  const words = positionals.slice(command.name.split(" ").length);
  const [least, most] = command.words;
  if (words.length < least || words.length > most)
    throw new UsageError(`Usage: npm run ops -- ${command.usage}`);
  const stray = Object.keys(own).find((option) => !command.options.some((known) => known === option));
  if (stray !== undefined) throw new UsageError(`--${stray} does not belong to ${command.name}. Try --help.`);
  if (env !== undefined && url !== undefined) throw new UsageError("--env and --url exclude each other.");

  const call = { words, values: own as Values, json };
  if (command.run === null) return command.runAlone?.(call);
  const service = await findService({ env, url });
  const slow = setTimeout(() => {
    if (process.stderr.isTTY && command.name !== "watch") console.error(`Still asking ${service.name} ...`);
  }, SLOW_MS);
  try {
    await command.run(service, call);
  } finally {
    clearTimeout(slow);
  }
}

function about({ usage, about: does, help }: Command): string {
  return `npm run ops -- [--env NAME | --url URL] ${usage}\n\n${does}\n${help ? `\n${help}\n` : ""}`;
}
