import type { Context } from "hono";
import { type ReceiptHookResult, receiveReceiptHook } from "../flows/delivery/receive-receipt-hook.ts";
import type { Deps } from "../ports/deps.ts";
import { type ProblemWire, problemWire } from "./problems.ts";

/** Takes in a provider's webhook. What is wrong with a signature is for the log; the caller hears that it is not good. */
export async function takeReceipt(c: Context, deps: Deps): Promise<Response | { wire: ProblemWire }> {
  const body = new Uint8Array(await c.req.arrayBuffer());
  const { method, url, raw } = c.req;
  const outcome = await receiveReceiptHook(deps, c.req.param("provider") ?? "", {
    method,
    url,
    headers: raw.headers,
    body,
  });
  return outcome === "taken" ? c.body(null, 204) : { wire: WIRES[outcome] };
}

const WIRES: Record<Exclude<ReceiptHookResult, "taken">, ProblemWire> = {
  refused: problemWire(401, "unauthorized", "This signature is not good"),
  unknown_provider: problemWire(404, "not_found", "There is nothing here"),
  try_again: problemWire(503, "sending_paused", "Receipts cannot be taken at the moment", {
    retry_after: 30,
  }),
};
