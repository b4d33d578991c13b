/** JSON that comes from outside: nothing that cannot be parsed throws. */
import * as z from "zod";

/** The value of a JSON text; undefined for text that is no JSON, which no schema accepts. */
export function parseJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** The value of JSON in UTF-8; undefined for bytes that are no UTF-8 or no JSON. */
export function parseJsonBytes(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** A column that holds JSON of a schema. */
export function jsonColumn<T>(schema: z.ZodType<T>) {
  return z
    .string()
    .transform((text, context): unknown => {
      const value = parseJson(text);
      if (value !== undefined) return value;
      context.addIssue("is not JSON");
      return z.NEVER;
    })
    .pipe(schema);
}
