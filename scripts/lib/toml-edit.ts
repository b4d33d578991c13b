/** Changes of single values in a TOML file that people keep by hand: comments, order and spelling of the rest stay. */
import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { type AST, parseTOML } from "toml-eslint-parser";
import { CommandError } from "./command.ts";
import type { Table } from "./settings.ts";

type TomlPath = readonly (string | number)[];
export type TomlValue =
  | string
  | number
  | boolean
  | readonly TomlValue[]
  | { readonly [key: string]: TomlValue };

/** One value that shall stand in the file; an element of an array of tables is named by its place. */
export interface TomlEdit {
  path: TomlPath;
  value: TomlValue;
}

/**
 * Makes the file say these values. A value that stands there already is not touched, so that a second run changes no byte.
 *
 * @returns the new text
 * @throws CommandError where a value stands in a form that cannot be replaced alone: nothing is lost by guessing
 */
export function editToml(text: string, edits: readonly TomlEdit[]): string {
  return edits.reduce(editOne, text);
}

function editOne(text: string, { path, value }: TomlEdit): string {
  const before = parsed(text);
  if (isDeepStrictEqual(valueAt(before, path), value)) return text;
  const after = replaced(text, path, value) ?? inserted(text, path, value);
  if (after !== null && isDeepStrictEqual(parsedOrNull(after), withValue(before, path, value))) return after;
  throw new CommandError(
    `${path.join(".")} stands in wrangler.toml in a form that is not changed from here: set it to ${literal(value)} by hand, and run again.`,
  );
}

/** Puts the value in the place of the one that is there; null where there is none. */
function replaced(text: string, path: TomlPath, value: TomlValue): string | null {
  const node = findValue(text, path);
  return node === null ? null : text.slice(0, node.range[0]) + literal(value) + text.slice(node.range[1]);
}

/** Adds the key to its table, or a table for it behind the tables that begin like it. */
function inserted(text: string, path: TomlPath, value: TomlValue): string | null {
  const key = path.at(-1);
  if (typeof key !== "string") return null;
  const tablePath = path.slice(0, -1);
  const line = `${keyText(key)} = ${literal(value)}`;
  const tables = tablesOf(text);
  const table = tables.find(({ resolvedKey }) => isDeepStrictEqual(resolvedKey, [...tablePath]));
  if (table !== undefined) {
    const end = lineEnd(text, table.body.at(-1)?.range[1] ?? headEnd(table));
    return `${text.slice(0, end)}\n${line}${text.slice(end)}`;
  }
  if (!tablePath.every((part): part is string => typeof part === "string")) return null;
  const shared = tablePath.slice(0, 2);
  const near = tables.filter(({ resolvedKey }) =>
    isDeepStrictEqual(resolvedKey.slice(0, shared.length), shared),
  );
  const last = near.at(-1);
  const end =
    last === undefined ? text.trimEnd().length : lineEnd(text, last.body.at(-1)?.range[1] ?? headEnd(last));
  return `${text.slice(0, end)}\n\n[${tablePath.map(keyText).join(".")}]\n${line}${text.slice(end) || "\n"}`;
}

function findValue(text: string, path: TomlPath): AST.TOMLContentNode | null {
  const [top] = parseTOML(text).body;
  for (const part of top.body) {
    const found =
      part.type === "TOMLKeyValue"
        ? valueIn([], part, path)
        : part.body.map((setting) => valueIn(part.resolvedKey, setting, path)).find((node) => node !== null);
    if (found) return found;
  }
  return null;
}

function valueIn(above: TomlPath, setting: AST.TOMLKeyValue, path: TomlPath): AST.TOMLContentNode | null {
  const own = [...above, ...setting.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value))];
  if (!isDeepStrictEqual(own, path.slice(0, own.length))) return null;
  if (own.length === path.length) return setting.value;
  if (setting.value.type !== "TOMLInlineTable") return null;
  return setting.value.body.map((inner) => valueIn(own, inner, path)).find((node) => node !== null) ?? null;
}

const tablesOf = (text: string): AST.TOMLTable[] =>
  parseTOML(text).body[0].body.filter((part) => part.type === "TOMLTable");

const headEnd = (table: AST.TOMLTable): number => table.key.range[1];

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

function valueAt(document: unknown, path: TomlPath): unknown {
  return path.reduce<unknown>((value, key) => (value as Table | undefined)?.[key as string], document);
}

function withValue(document: Table, path: TomlPath, value: TomlValue): Table {
  const copy = structuredClone(document);
  let place: Table = copy;
  for (const key of path.slice(0, -1)) {
    place[key as string] ??= {};
    place = place[key as string] as Table;
  }
  place[path.at(-1) as string] = value;
  return copy;
}

/** The document as plain objects, which compare equal by content. */
const parsed = (text: string): Table => structuredClone(parse(text)) as Table;

function parsedOrNull(text: string): Table | null {
  try {
    return parsed(text);
  } catch {
    return null;
  }
}

const keyText = (key: string): string => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key));

/** A value as TOML writes it on one line; JSON's strings are TOML's basic strings. */
function literal(value: TomlValue): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, inner]) => `${keyText(key)} = ${literal(inner)}`);
    return `{ ${entries.join(", ")} }`;
  }
  // JSON leaves DEL as it is, which TOML wants escaped.
  return JSON.stringify(value).replaceAll("\u007f", "\\u007F");
}
