/** What a value looks like once everything that differs from run to run is taken out of it. */

const PATTERNS: readonly [pattern: RegExp, placeholder: string][] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<uuid>"],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z?/g, "<time>"],
  [/\d{4}-\d\d-\d\d/g, "<day>"],
  [/(?<=[\w-]\.)[\w-]{16}(?=\.[\w-]{10,})|(?<![\w-])[\w-]{20,}(\.[\w-]+)*={0,2}(?![\w-])/g, "<token>"],
  [/\+?\d{5,}/g, "<digits>"],
];

/** Names that code chose look like tokens, too: all letters small, parted by underscores or hyphens. */
const isWord = (text: string): boolean => /^[a-z]+([_-][a-z]+)*$/.test(text);

/** A text with ids, hashes, times and long numbers replaced by placeholders. */
export function patternOf(text: string): string {
  return PATTERNS.reduce(
    (so, [pattern, placeholder]) => so.replaceAll(pattern, (found) => (isWord(found) ? found : placeholder)),
    text,
  );
}

/** One line for each place in a value: `$.sends[].status: "accepted"`; a text that holds JSON is opened. */
export function shapeOf(value: unknown, path = "$"): string[] {
  if (value instanceof Uint8Array) return [`${path}: bytes`];
  if (Array.isArray(value)) {
    const inside = value.flatMap((item) => shapeOf(item, `${path}[]`));
    return value.length === 0 ? [`${path}: empty list`] : [...new Set(inside)].sort();
  }
  if (typeof value === "object" && value !== null) {
    const inside = Object.entries(value).flatMap(([key, item]) => shapeOf(item, `${path}.${patternOf(key)}`));
    return inside.length === 0 ? [`${path}: empty object`] : [...new Set(inside)].sort();
  }
  if (typeof value === "string") return shapeOfText(value, path);
  return [`${path}: ${value === null ? "null" : typeof value}`];
}

function shapeOfText(text: string, path: string): string[] {
  if (/^[[{]/.test(text)) {
    try {
      return shapeOf(JSON.parse(text), `${path}(json)`);
    } catch {
      // A text that only begins like JSON.
    }
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return [`${path}: text of digits`];
  const pattern = patternOf(text);
  return [`${path}: ${pattern.length > 60 || pattern.includes(" ") ? "text" : JSON.stringify(pattern)}`];
}

/** Sets of lines by subject; every subject only gains. */
export class Lines {
  readonly #sets = new Map<string, Set<string>>();

  add(subject: string, lines: Iterable<string>): void {
    const set = this.#sets.get(subject) ?? new Set();
    for (const line of lines) set.add(line);
    this.#sets.set(subject, set);
  }

  toJSON(): Record<string, string[]> {
    const entries = [...this.#sets].map(([subject, set]): [string, string[]] => [subject, [...set].sort()]);
    return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
