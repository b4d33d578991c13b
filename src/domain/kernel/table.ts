/** One line of a table: its number in the file, counted from 1, and its fields by column. */
export interface TableLine<Column extends string> {
  line: number;
  fields: Record<Column, string>;
}

/**
 * Splits a small table: fields between commas, the first line that is no comment names the columns, in any order. Lines
 * that begin with `#` and empty lines are skipped. There are no quoted fields, so a quotation mark is a fault and not
 * part of a text.
 *
 * @returns the lines that have the right shape, and every fault of the others; a wrong header leaves no lines
 */
export function readTable<Column extends string>(
  text: string,
  columns: readonly Column[],
): { lines: TableLine<Column>[]; faults: string[] } {
  const [header, ...rest] = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((content, index) => ({ line: index + 1, content }))
    .filter(({ content }) => content.trim() !== "" && !content.startsWith("#"));
  if (!header) return { lines: [], faults: ["line 1: the header is missing"] };
  const names = header.content.split(",").map((name) => name.trim());
  const headerFaults = [
    ...columns.filter((name) => !names.includes(name)).map((name) => `column ${name} is missing`),
    ...names
      .filter((name) => !columns.some((known) => known === name))
      .map((name) => `column ${name} is unknown`),
    ...names
      .filter((name, index) => names.indexOf(name) < index)
      .map((name) => `column ${name} is there twice`),
  ];
  if (headerFaults.length > 0) {
    return { lines: [], faults: headerFaults.map((fault) => `line ${header.line}: ${fault}`) };
  }
  const lines: TableLine<Column>[] = [];
  const faults: string[] = [];
  for (const { line, content } of rest) {
    const values = content.split(",").map((value) => value.trim());
    if (content.includes('"'))
      faults.push(`line ${line}: has a quotation mark, and quoted fields are not read`);
    else if (values.length !== names.length) {
      faults.push(`line ${line}: has ${values.length} fields instead of ${names.length}`);
    } else {
      const fields = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      lines.push({ line, fields: fields as Record<Column, string> });
    }
  }
  return { lines, faults };
}
