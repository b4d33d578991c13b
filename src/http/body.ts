import type { Context } from "hono";
import type { z } from "zod";
import type { FieldError } from "../domain/kernel/refusal.ts";
import { type ProblemWire, problemWire } from "./problems.ts";

/** Checks a JSON body: type, syntax, schema, doubled keys, in this order and each with its own answer. */
export async function readBody<S extends z.ZodType>(
  c: Context,
  schema: S,
): Promise<{ ok: true; value: z.infer<S> } | { ok: false; wire: ProblemWire }> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return { ok: false, wire: problemWire(415, "unsupported_media_type", "Send application/json") };
  }
  const bytes = await c.req.arrayBuffer();
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    json = JSON.parse(text);
  } catch {
    return invalid([{ field: "body", reason: "is not JSON in UTF-8" }]);
  }
  const parsed = schema.safeParse(json, NAMING_INPUT);
  if (!parsed.success) return invalid(fieldErrors(parsed.error));
  // The text has as many keys as what was read from it, unless one was doubled. What passed a schema is not deep.
  if (countKeys(text) !== keysOf(json)) {
    return invalid([{ field: "body", reason: "names a key twice" }]);
  }
  return { ok: true, value: parsed.data };
}

/** Checks say what they met, so that a wrong type can be told from nothing at all. */
export const NAMING_INPUT = { reportInput: true } as const;

/** The faults of a schema check made with {@link NAMING_INPUT}, named as the client wrote them. */
export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue): FieldError[] =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ field: printable(key), reason: "is not known" }))
      : [{ field: issue.path.map(String).join(".") || "body", reason: wording(issue) }],
  );
}

function wording(issue: z.core.$ZodIssue): string {
  if (issue.input === undefined) return "is required";
  return issue.code === "invalid_type" ? `must be ${TYPES[issue.expected] ?? issue.expected}` : issue.message;
}

/** The types of JSON, in words. */
const TYPES: Partial<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

function invalid(errors: FieldError[]): { ok: false; wire: ProblemWire } {
  return { ok: false, wire: problemWire(400, "invalid_request", "The request cannot be read", { errors }) };
}

/** A key that comes back in an answer must be harmless there. */
function printable(key: string): string {
  return key
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, "�")
    .slice(0, 64);
}

/**
 * Keys written in a valid JSON text: its strings that a colon follows. Parsers disagree on which of two equal keys
 * counts, and a check in front of us may have read the other one.
 */
function countKeys(text: string): number {
  let keys = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) keys++;
  return keys;
}

/** Keys of a parsed value, at every depth. */
function keysOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const below = Object.values(value).reduce((sum: number, inner) => sum + keysOf(inner), 0);
  return below + (Array.isArray(value) ? 0 : Object.keys(value).length);
}
