import { z } from "zod";
import { sameDigest } from "../../domain/kernel/digest.ts";
import type { IncomingHook, Receipt, ReceiptReading } from "../../ports/delivery.ts";
import { sha256Hex } from "../digest.ts";
import { parseJson, parseJsonBytes } from "../json.ts";
import { errorCode } from "./provider-http.ts";
import { forged, formFields, HOOK_LIMIT_BYTES, saysJson } from "./receipt-hook.ts";

const state = z.object({
  /** `1` delivered, `2` failed, and others. */
  status: z.union([z.string(), z.number()]).optional(),
  desc: z.string(),
  date: z.string().optional(),
});
const flat = state.extend({ requestId: z.string().min(1).max(200) });
const nested = z.object({ requestId: z.string().min(1).max(200), report: z.array(state).min(1) });
const reports = z.union([flat, nested, z.array(z.union([flat, nested])).min(1)]);

const DELIVERED = /^delivered$/i;
const UNDELIVERED = /^(undelivered|failed|rejected|blocked|ndnc|expired|invalid)/i;

/** It states India's time without saying so. */
const INDIA = "+05:30";

/**
 * Reads MSG91's delivery reports: version 2 of its webhook posts a form with a list in `data`, version 3 a JSON object. It
 * signs nothing, so the address it calls carries a secret: `?key=...`.
 *
 * @param keys those in force; compared in constant time
 * @see https://msg91.com/help/webhooks/how-can-i-get-the-delivery-reports-on-my-webhook-url
 */
export async function readMsg91Receipts(
  hook: IncomingHook,
  keys: readonly string[],
): Promise<ReceiptReading> {
  const given = new URL(hook.url).searchParams.get("key") ?? "";
  const matches = await Promise.all(keys.map((key) => sameText(key, given)));
  if (!matches.includes(true)) return forged("no valid key");
  if (hook.body.byteLength > HOOK_LIMIT_BYTES) return forged("too long");
  const parsed = reports.safeParse(
    saysJson(hook) ? parseJsonBytes(hook.body) : parseJson(formFields(hook).get("data")),
  );
  if (!parsed.success) return forged("no delivery report");
  const receipts = [parsed.data].flat().flatMap((report) => {
    const states = "report" in report ? report.report : [report];
    return states.flatMap((each) => receipt(report.requestId, each));
  });
  return receipts.length > 0 ? { kind: "receipts", receipts } : { kind: "ignored" };
}

function receipt(messageId: string, { status, desc, date = "" }: z.infer<typeof state>): Receipt[] {
  const delivered = DELIVERED.test(desc.trim());
  if (!delivered && !UNDELIVERED.test(desc.trim())) return [];
  const atMs = Date.parse(`${date.replace(" ", "T")}${INDIA}`);
  return [
    {
      messageId,
      status: delivered ? "delivered" : "undelivered",
      errorCode: delivered ? null : errorCode(status),
      costMicros: null,
      atMs: Number.isNaN(atMs) ? null : atMs,
    },
  ];
}

/** By their digests, so that the time it takes says nothing about either. */
async function sameText(left: string, right: string): Promise<boolean> {
  const [one, other] = await Promise.all([sha256Hex(left), sha256Hex(right)]);
  return sameDigest(one, other);
}
