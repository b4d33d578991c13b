import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/lib/command.ts";

/** Folders of the repository that a document may name a path in. */
const FOLDERS = "src|scripts|test|\\.ci";
const DOCUMENTS = globSync(["*.md", "scripts/**/*.md", "src/docs/**/*.md"], { cwd: ROOT }).sort();
const commands = Object.keys(JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")).scripts);

const read = (document: string) => readFileSync(join(ROOT, document), "utf8");

/** Paths as documents write them: `src/domain/kernel/phone.ts`, `src/data/`, `src/domain/monitor/detect-*.ts`. */
function pathsIn(text: string): string[] {
  const found = text.matchAll(new RegExp(`(?<![\\w./-])(?:${FOLDERS})/[\\w@./*-]*`, "g"));
  return [...new Set([...found].map(([path]) => path.replace(/[.,:;]+$/, "")))];
}

test("the documents are found", () => {
  expect(DOCUMENTS).toEqual(
    expect.arrayContaining(["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"]),
  );
});

describe.each(DOCUMENTS)("%s", (document) => {
  test("names no path of the repository that does not exist", () => {
    const missing = pathsIn(read(document)).filter((path) =>
      path.includes("*") ? globSync(path, { cwd: ROOT }).length === 0 : !existsSync(join(ROOT, path)),
    );
    expect(missing).toEqual([]);
  });

  test("links to files and headings that exist", () => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    const broken = links.filter(([, file = "", heading]) => {
      const target = file === "" ? document : join(dirname(document), file);
      if (!existsSync(join(ROOT, target))) return true;
      return heading !== undefined && !headingsOf(read(target)).includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test("names no npm script that package.json does not have", () => {
    const named = [...read(document).matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)].map(([, name]) => name);
    expect(named.filter((name) => !commands.includes(name ?? ""))).toEqual([]);
  });
});

/** The anchors of a document's headings, as GitHub makes them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(/\s/g, "-"),
  );
}
