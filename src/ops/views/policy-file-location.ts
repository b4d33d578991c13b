/** The file and line of a setting of the policy, for the person who must change it in a hurry. */
import { type AST, parseTOML } from "toml-eslint-parser";

/** The settings' file, and the line of each table and setting in it by their path: `vars.POLICY.limits.number`. */
export interface PolicyFileLines {
  name: string;
  lines: ReadonlyMap<string, number>;
}

/** A table of the file; wrangler's environments repeat their tables. */
export interface PolicyFileLocation {
  file: string;
  table: string;
  /** The line of the table's head; null for a table without one, into which a setting goes with a head of its own. */
  line: number | null;
}

/**
 * The line of every table and every setting, including those in inline tables; the first of several.
 *
 * @throws for text that is no TOML
 */
export function linesOfToml(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const note = (path: readonly (string | number)[], { loc }: AST.TOMLNode) => {
    const name = path.join(".");
    if (!lines.has(name)) lines.set(name, loc.start.line);
  };
  const noteSetting = (above: readonly (string | number)[], setting: AST.TOMLKeyValue) => {
    const path = [...above, ...setting.key.keys.map(nameOf)];
    // `limits.ip = …` makes a table too, and a path above it stands elsewhere.
    for (let end = above.length + 1; end <= path.length; end++) note(path.slice(0, end), setting);
    if (setting.value.type !== "TOMLInlineTable") return;
    for (const inner of setting.value.body) noteSetting(path, inner);
  };
  for (const part of parseTOML(text).body[0].body) {
    if (part.type === "TOMLKeyValue") noteSetting([], part);
    else {
      note(part.resolvedKey, part);
      // The first of several tables of a name stands for all of them.
      if (typeof part.resolvedKey.at(-1) === "number") note(part.resolvedKey.slice(0, -1), part);
      for (const setting of part.body) noteSetting(part.resolvedKey, setting);
    }
  }
  return lines;
}

const nameOf = (key: AST.TOMLBare | AST.TOMLQuoted): string =>
  key.type === "TOMLBare" ? key.name : key.value;

const pathOf = (environment: string): string =>
  `${environment === "development" ? "" : `env.${environment}.`}vars.POLICY`;

const below = (path: string, name: string): string => (name === "" ? path : `${path}.${name}`);

/** @param section a table below the policy, `flows.login.risk`; empty for the policy itself */
export function locateInPolicyFile(
  { name, lines }: PolicyFileLines,
  environment: string,
  section: string,
): PolicyFileLocation {
  const path = below(pathOf(environment), section);
  return { file: name, table: `[${path}]`, line: lines.get(path) ?? null };
}

/** The line of a setting; null where the file is silent and the default holds. */
export const lineOf = ({ lines }: PolicyFileLines, environment: string, setting: string): number | null =>
  lines.get(below(pathOf(environment), setting)) ?? null;
