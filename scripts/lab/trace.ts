/** Traces: what people and bots ask for, one JSON object a line, ordered by time. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** One request, and what its sender would do next. */
export interface TraceEvent {
  /** Seconds from the start of the trace, never falling. */
  t: number;
  id: string;
  label: "honest" | "attack";
  /** E.164. */
  phone: string;
  ip: string;
  asn: number;
  /** ISO 3166-1 alpha-2 of the address, `T1` for Tor. */
  ip_country: string;
  /** Stands for a client that keeps our device token between its events. */
  device: string | null;
  user: string | null;
  flow: string;
  /** What this client does when asked for a fresh challenge. */
  captcha: "pass" | "fail";
  /** What this client does when asked for another factor. */
  step_up: "pass" | "fail";
  /** Seconds from the message to the right code, if a message left; null: never. */
  verify_after: number | null;
  /** Wrong codes before that. */
  wrong_first: number;
  /** This event only happens if that earlier event's person has not verified by now. */
  retry_of: string | null;
  /** False for a message that would never reach its person; where a trace does not say, it arrives. */
  arrives?: boolean;
}

/** A fault in a trace, naming the file and the line. */
export class TraceError extends Error {}

/** Reads a trace file line by line; memory does not grow with its length. */
export async function* readTrace(path: string): AsyncGenerator<TraceEvent> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  yield* parseTrace(lines, path);
}

/**
 * Parses the lines of a trace, checking every field and the order of time.
 *
 * @param name what errors call the source
 */
export async function* parseTrace(
  lines: AsyncIterable<string> | Iterable<string>,
  name: string,
): AsyncGenerator<TraceEvent> {
  let lineNumber = 0;
  let previousT = 0;
  for await (const line of lines) {
    lineNumber++;
    if (line.trim() === "") continue;
    const where = `${name}:${lineNumber}`;
    const event = parseEvent(line, where);
    if (event.t < previousT) {
      throw new TraceError(`${where}: t is ${event.t}, before the line above (${previousT}); sort by t`);
    }
    previousT = event.t;
    yield event;
  }
}

/** One line of a trace, without the line break. */
export function formatEvent(event: TraceEvent): string {
  return JSON.stringify(event);
}

function parseEvent(line: string, where: string): TraceEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new TraceError(`${where}: not JSON`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TraceError(`${where}: not a JSON object`);
  }
  const field = fieldReader(json as Record<string, unknown>, where);
  return {
    t: field.number("t", 0),
    id: field.text("id"),
    label: field.oneOf("label", ["honest", "attack"]),
    phone: field.matching("phone", /^\+\d{4,15}$/, "E.164, like +919812345678"),
    ip: field.text("ip"),
    asn: field.wholeNumber("asn"),
    ip_country: field.matching("ip_country", /^[A-Z][A-Z0-9]$/, "two capital letters, or T1"),
    device: field.textOrNull("device"),
    user: field.textOrNull("user"),
    flow: field.text("flow"),
    captcha: field.oneOf("captcha", ["pass", "fail"]),
    step_up: field.oneOf("step_up", ["pass", "fail"]),
    verify_after: field.numberOrNull("verify_after"),
    wrong_first: field.wholeNumber("wrong_first", 0),
    retry_of: field.textOrNull("retry_of"),
    ...(field.isFalse("arrives") && { arrives: false }),
  };
}

/** @returns readers that name the line and the field in their complaints */
function fieldReader(json: Record<string, unknown>, where: string) {
  const fail = (key: string, wanted: string): never => {
    const value = JSON.stringify(json[key]);
    const found = value === undefined ? "missing" : value.length > 40 ? `${value.slice(0, 40)}...` : value;
    throw new TraceError(`${where}: "${key}" must be ${wanted}, but is ${found}`);
  };
  const number = (key: string, least: number): number => {
    const value = json[key];
    const fits = typeof value === "number" && Number.isFinite(value) && value >= least;
    return fits ? value : fail(key, `a number of at least ${least}`);
  };
  const text = (key: string): string => {
    const value = json[key];
    return typeof value === "string" && value !== "" ? value : fail(key, "a text");
  };
  const absent = (key: string): boolean => json[key] === null || json[key] === undefined;
  return {
    number,
    text,
    textOrNull: (key: string) => (absent(key) ? null : text(key)),
    numberOrNull: (key: string) => (absent(key) ? null : number(key, 0)),
    isFalse: (key: string): boolean => {
      const value = json[key];
      if (!absent(key) && typeof value !== "boolean") fail(key, "true or false");
      return value === false;
    },
    wholeNumber(key: string, fallback?: number): number {
      if (fallback !== undefined && absent(key)) return fallback;
      const value = number(key, 0);
      return Number.isInteger(value) ? value : fail(key, "a whole number");
    },
    matching: (key: string, pattern: RegExp, wanted: string): string => {
      const value = text(key);
      return pattern.test(value) ? value : fail(key, wanted);
    },
    oneOf<T extends string>(key: string, options: readonly T[]): T {
      return options.find((option) => option === json[key]) ?? fail(key, options.join(" or "));
    },
  };
}
