import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../../scripts/lib/command.ts";
import { wrangler } from "../../../scripts/lib/wrangler.ts";

describe("the bundle that production gets", () => {
  let folder: string;
  let sources: string[];
  let printed: string;
  let modules: { name: string; text: string }[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tollgate-bundle-"));
    const { code, stderr, stdout } = await wrangler([
      "deploy",
      "--env",
      "production",
      "--dry-run",
      "--outdir",
      folder,
    ]);
    expect(code, stderr).toBe(0);
    printed = stdout;
    const map = JSON.parse(await readFile(join(folder, "worker.js.map"), "utf8"));
    sources = (map.sources as string[]).map((source) => resolve(folder, map.sourceRoot ?? "", source));
    const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{40}-/.test(name));
    modules = await Promise.all(
      names.map(async (name) => ({ name, text: await readFile(join(folder, name), "utf8") })),
    );
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("is made of src and of packages, and of nothing under scripts or test", () => {
    const own = sources.filter((source) => source.startsWith(ROOT) && !source.includes("/node_modules/"));
    expect(own).toContain(join(ROOT, "src/worker.ts"));
    expect(own.filter((source) => !source.startsWith(join(ROOT, "src/")))).toEqual([]);
  });

  test("holds no file of the development page", async () => {
    const page = join(ROOT, "scripts/dev/dev-page");
    const names = (await readdir(page)).filter((name) => /\.(html|css|js)$/.test(name));
    expect(names).toContain("index.html");
    const files = await Promise.all(names.map((name) => readFile(join(page, name), "utf8")));
    expect(modules.length).toBeGreaterThan(0);
    expect(modules.filter(({ text }) => files.includes(text)).map(({ name }) => name)).toEqual([]);
  });

  test("leaves what browsers load to the assets, and takes no more than 460 KiB of an upload", () => {
    expect(modules.map(({ name }) => name.slice(41)).sort()).toEqual([
      "hosting-asns.csv",
      "prices.csv",
      "wrangler.toml",
    ]);
    const [, kibibytes] = /gzip: ([\d.]+) KiB/.exec(printed) ?? [];
    expect(Number(kibibytes)).toBeGreaterThan(0);
    expect(Number(kibibytes)).toBeLessThan(460);
  });
});
