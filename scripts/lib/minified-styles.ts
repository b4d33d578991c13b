import { readFile } from "node:fs/promises";
import { type Plugin, transform } from "esbuild";

/** Minifies the element's style sheet, which esbuild takes for an ordinary text of its module. */
export const minifiedStyles: Plugin = {
  name: "minified-styles",
  setup({ onLoad }) {
    onLoad({ filter: /element[\\/]styles\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const [whole = "", sheet = ""] = /(?<=const CSS = `)([^`]*)(?=`)/.exec(source) ?? [];
      if (sheet === "" || sheet.includes("${"))
        throw new Error("styles.ts holds no plain style sheet named CSS");
      const { code } = await transform(sheet, { loader: "css", minify: true, charset: "utf8" });
      return { contents: source.replace(whole, () => code.trim()), loader: "ts" };
    });
  },
};
