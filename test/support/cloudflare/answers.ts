import type { Context } from "hono";
import type { z } from "zod";

export const success = (c: Context, result: unknown) =>
  c.json({ success: true, errors: [], messages: [], result });

export const failure = (c: Context, status: number, code: number, message: string) =>
  c.json({ success: false, errors: [{ code, message }], messages: [], result: null }, status as 400);

/** One page of a list, with the facts that tell whether there are more. */
export function page(c: Context, items: readonly unknown[]) {
  const perPage = Math.min(Number(c.req.query("per_page") ?? 20), 100);
  const number = Number(c.req.query("page") ?? 1);
  const shown = items.slice((number - 1) * perPage, number * perPage);
  return c.json({
    success: true,
    errors: [],
    messages: [],
    result: shown,
    result_info: {
      page: number,
      per_page: perPage,
      count: shown.length,
      total_count: items.length,
      total_pages: Math.ceil(items.length / perPage),
    },
  });
}

/** Reads a body that the description allows, and refuses every other one. */
export async function read<T>(
  c: Context,
  schema: z.ZodType<T>,
  act: (body: T) => Response | Promise<Response>,
): Promise<Response> {
  const parsed = schema.safeParse(await c.req.json().catch(() => null));
  if (parsed.success) return act(parsed.data);
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: "" };
  return failure(c, 400, 10001, `Invalid request body: ${path.join(".")} ${message}`);
}
