import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ROOT, runCommand } from "./lib/command.ts";

const HELP = `Builds the files that the platform serves beside the Worker, at the addresses they have there.

  node scripts/build-assets.ts

  --out FOLDER   where to, instead of dist/assets
  --verbose      names the folder
  --help

  element.js     the element, as dist/element.js has it (scripts/build-client.ts makes that first)
  docs/          what the API document's page is drawn with
  ops/assets/    styles, scripts and icon of the dashboard
  _headers       what is said with them
`;

const src = (path: string) => join(ROOT, "src", path);

/** Files as they are written, by the address at which they are served. */
const COPIED: Readonly<Record<string, string>> = {
  _headers: src("assets/_headers"),
  "element.js": join(ROOT, "dist", "element.js"),
  "docs/rapidoc.js": fileURLToPath(import.meta.resolve("rapidoc/dist/rapidoc-min.js")),
  "docs/page.js": src("http/docs/page.js"),
  "docs/page.css": src("http/docs/page.css"),
  "ops/assets/page.js": src("ops/ops-page/page.js"),
  "ops/assets/plot.js": src("ops/ops-page/plot.js"),
  "ops/assets/icon.svg": src("assets/icon.svg"),
};

const STYLES = ["frame", "parts", "forms", "tables", "pages"].map((name) => src(`ops/ops-page/${name}.css`));

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      out: { type: "string", default: join(ROOT, "dist", "assets") },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);

  const out = resolve(values.out);
  await mkdir(dirname(out), { recursive: true });
  // Built beside its place and moved there, because servers read the files meanwhile.
  const folder = await mkdtemp(join(dirname(out), ".assets-"));
  try {
    for (const [address, file] of Object.entries(COPIED)) {
      await mkdir(dirname(join(folder, address)), { recursive: true });
      await copyFile(file, join(folder, address));
    }
    const styles = [...STYLES, fileURLToPath(import.meta.resolve("uplot/dist/uPlot.min.css"))];
    const css = await Promise.all(styles.map((file) => readFile(file, "utf8")));
    await writeFile(join(folder, "ops/assets/ops.css"), css.join("\n"));
    // A module, so that nothing of it is global.
    const plot = await readFile(fileURLToPath(import.meta.resolve("uplot/dist/uPlot.iife.min.js")), "utf8");
    await writeFile(join(folder, "ops/assets/uplot.js"), `${plot};export default uPlot;`);
    await rm(out, { recursive: true, force: true });
    await rename(folder, out);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (values.verbose) console.log(`Built ${out}.`);
});
