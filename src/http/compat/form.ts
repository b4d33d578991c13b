import type { Context } from "hono";
/**
 * Reads a form body (`application/x-www-form-urlencoded`, UTF-8).
 *
 * @returns its fields, or a sentence that says what is wrong: another type, no UTF-8, or a field named twice
 */
export async function readForm(c: Context): Promise<ReadonlyMap<string, string> | { fault: string }> {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  const bytes = await c.req.arrayBuffer();
  if (type !== "application/x-www-form-urlencoded" && bytes.byteLength > 0) {
    return { fault: "Send application/x-www-form-urlencoded" };
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return { fault: "The body is not UTF-8" };
  }
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    // Two readers of one body may take different ones of two equal fields.
    if (fields.has(name)) return { fault: "A field is named twice" };
    if (!value.isWellFormed() || /[\p{Cc}\ufffd]/u.test(value)) {
      return { fault: "A field holds characters that are none" };
    }
    fields.set(name, value);
  }
  return fields;
}
