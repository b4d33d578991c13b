import type { Context, Env, MiddlewareHandler } from "hono";
import { type ProblemWire, problemWire } from "./problems.ts";

export const MAX_BODY_BYTES = 16 * 1024;

/** Receipts have a few hundred bytes; providers that batch them stay far below this. */
const MAX_RECEIPT_BYTES = 64 * 1024;

/**
 * The most that is read and thrown away of a body that is too large, so that its connection can be used again: workerd closes
 * one whose request was read in part, and a request that is already under way on it answers 500. A body that says it is
 * larger is left to the platform unread, and of one that does not say so the rest is given up, and the connection with it.
 */
const MAX_DRAINED_BYTES = 8 * 1024 * 1024;

/**
 * Reads every request's body before any endpoint sees the request: within its bound, or the request is refused with 413.
 * Endpoints read it from the request as usual.
 *
 * @param refuse answers the problem
 */
export function boundBodies<E extends Env>(
  refuse: (c: Context<E>, failure: ProblemWire) => Response | Promise<Response>,
): MiddlewareHandler<E> {
  return async (c, next) => {
    const { body } = c.req.raw;
    if (body === null) return next();
    const maxBytes = c.req.path.startsWith("/v1/receipts/") ? MAX_RECEIPT_BYTES : MAX_BODY_BYTES;
    const declaredBytes = Number(c.req.header("content-length") ?? 0);
    const bytes = declaredBytes > MAX_DRAINED_BYTES ? null : await readAtMost(body, maxBytes);
    if (bytes === null) {
      return refuse(c, problemWire(413, "body_too_large", `A body has at most ${maxBytes} bytes`));
    }
    // A request that may have no body may not be made with one.
    const mayHaveBody = c.req.method !== "GET" && c.req.method !== "HEAD";
    c.req.raw = new Request(c.req.raw, { body: mayHaveBody ? bytes : null });
    return next();
  };
}

/** null when there is more, which is read on and thrown away up to {@link MAX_DRAINED_BYTES}. */
async function readAtMost(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<ArrayBuffer | null> {
  const kept = new Uint8Array(maxBytes);
  let size = 0;
  for await (const chunk of body) {
    if (size + chunk.length <= maxBytes) kept.set(chunk, size);
    size += chunk.length;
    if (size > MAX_DRAINED_BYTES) break;
  }
  return size > maxBytes ? null : kept.slice(0, size).buffer;
}
