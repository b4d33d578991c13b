/** Facts of the log, found in the sources' text: no name but `log` itself, which is the port's, is relied on. */
import { Lines } from "./shape.ts";

const CALL = /(?<![\w$])(?:[\w$]+\.)*log\(\s*(["`])((?:\\.|(?!\1).)*)\1\s*,\s*/g;

/** For each fact the sets of fields it is told with; a part of a name or a set that is made at run time is in `<>`. */
export function factsOf(sources: readonly string[]): Lines {
  const lines = new Lines();
  for (const source of sources) {
    const text = source.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
    for (const call of text.matchAll(CALL)) {
      const rest = text.slice(call.index + call[0].length);
      const isObject = rest.startsWith("{");
      if (!isObject && !call[0].startsWith("log(")) continue;
      const name = (call[2] ?? "").replaceAll(/\$\{[^}]*\}/g, "<>");
      lines.add(name, [isObject ? fieldsOf(rest).join(" ") || "none" : "<>"]);
    }
  }
  return lines;
}

/** The names at the top of an object literal. */
function fieldsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const char of text) {
    if ("{[(".includes(char) && ++depth === 1) continue;
    if ("}])".includes(char) && --depth === 0) break;
    if (char === "," && depth === 1) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  const names = [...parts, part].map((one) => one.trim()).filter((one) => one !== "");
  return names.map((one) => (one.startsWith("...") ? spread(one) : (/^\w+/.exec(one)?.[0] ?? "<>"))).sort();
}

/** A spread that is spelled out tells its fields; another one only that it is there. */
const spread = (text: string): string =>
  `...${[...text.matchAll(/[{,]\s*(\w+)(?=\s*[:,}])/g)].map(([, name]) => name).join("|")}`;
