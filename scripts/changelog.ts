import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { checkRelease, findChangelogFaults } from "./lib/changelog.ts";
import { CommandError, ROOT, runCommand } from "./lib/command.ts";

const HELP = `Checks CHANGELOG.md: its form, and before a release that the version has a section.

  node scripts/changelog.ts
  node scripts/changelog.ts VERSION

  --help

\`npm version\` calls it with the version that is about to be written; a fault ends it with exit code 1, and nothing is changed.
`;

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help) return console.log(HELP);
  const version = positionals[0] ?? process.env.npm_new_version;
  const text = await readFile(`${ROOT}CHANGELOG.md`, "utf8");
  const present = JSON.parse(await readFile(`${ROOT}package.json`, "utf8")).version as string;
  const faults = [
    ...findChangelogFaults(text),
    ...(version === undefined ? [] : checkRelease(text, version, present)),
  ];
  if (faults.length > 0) {
    throw new CommandError(`CHANGELOG.md has faults:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  }
  console.log(version === undefined ? "CHANGELOG.md is in order." : `CHANGELOG.md is ready for ${version}.`);
});
