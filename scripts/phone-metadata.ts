import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, runCommand } from "./lib/command.ts";
import { slimPhoneMetadata } from "./lib/phone-metadata.ts";

const HELP = `Writes src/client/element/phone-metadata.json, the numbering plans of <tollgate-form>, from those of
libphonenumber-js. Run it after an update of that library; a test says when it is due.

  node scripts/phone-metadata.ts

  --out FILE   where to, instead of there
  --help
`;

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(ROOT, "src/client/element/phone-metadata.json") },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  await writeFile(values.out, `${JSON.stringify(slimPhoneMetadata())}\n`);
  console.log(`Wrote ${values.out}.`);
});
