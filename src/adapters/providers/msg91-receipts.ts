import * as z from "zod";
import { sameDigest } from "../../domain/kernel/digest.ts";
import type { HookReading, IncomingHook, Receipt } from "../../ports/delivery.ts";
import { sha256Hex } from "../digest.ts";
import { parseJson, parseJsonBytes } from "../json.ts";
import { msg91ReportJudgement } from "./msg91-codes.ts";
import { loggableErrorCode } from "./provider-http.ts";
import { forged, formFields, HOOK_LIMIT_BYTES, saysJson } from "./receipt-hook.ts";

const state = z.object({
  /** `1` delivered, `2` failed, and others. */
  status: z.union([z.string(), z.number()]).optional(),
  desc: z.string().optional().catch(undefined),
  failedReason: z.string().optional().catch(undefined),
  date: z.string().optional().catch(undefined),
});
const flat = state.extend({ requestId: z.string().min(1).max(200) });
const nested = z.object({
  requestId: z.string().min(1).max(200),
  report: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
});

/** Version 4, made for another platform: it names no message, so that nothing can be learned from it. */
const nameless = z.object({ event: z.string(), data: z.unknown() });

/** States by their numbers; a number decides before the words it comes with. */
const DELIVERED_STATUS = "1";
const UNDELIVERED_STATUSES = ["2", "9", "16", "17", "25"];

/** States by their words, for reports whose number is none of those. */
const DELIVERED = /^delivered$/i;
const UNDELIVERED =
  /^(undeliver|(auto[\s_-]?)?failed|reject|blocked|ndnc|expired|invalid|template|opt|unsubscribed|absent)/i;

/** It states India's time without saying so. */
const INDIA = "+05:30";

/**
 * Reads MSG91's delivery reports: version 2 of its webhook posts a form with a list in `data`, version 3 a JSON object, and
 * version 4 events that name no message. It signs nothing, so the address it calls carries a secret: `?key=...`. An entry
 * that cannot be read takes none of the others along.
 *
 * @param keys those in force; compared in constant time
 * @see https://msg91.com/help/webhooks/how-can-i-get-the-delivery-reports-on-my-webhook-url
 */
export async function readMsg91Receipts(hook: IncomingHook, keys: readonly string[]): Promise<HookReading> {
  const given = new URL(hook.url).searchParams.get("key") ?? "";
  const matches = await Promise.all(keys.map((key) => sameText(key, given)));
  if (!matches.includes(true)) return forged("no valid key");
  if (hook.body.byteLength > HOOK_LIMIT_BYTES) return forged("too long");
  const body = saysJson(hook) ? parseJsonBytes(hook.body) : parseJson(formFields(hook).get("data"));
  const entries = [body].flat();
  const read = entries.map(readEntry);
  if (!read.some((entry) => entry !== null)) return forged("no delivery report");
  const receipts = read.flatMap((entry) => entry ?? []);
  return receipts.length > 0 ? { kind: "receipts", receipts } : { kind: "ignored" };
}

/** The receipts in one entry of a report; null for what is none. */
function readEntry(entry: unknown): Receipt[] | null {
  const list = nested.safeParse(entry);
  if (list.success) {
    const states = [list.data.report].flat().flatMap((each) => state.safeParse(each).data ?? []);
    return states.length === 0 ? null : states.flatMap((each) => receipt(list.data.requestId, each));
  }
  const single = flat.safeParse(entry);
  if (single.success) return receipt(single.data.requestId, single.data);
  return nameless.safeParse(entry).success ? [] : null;
}

function receipt(
  messageId: string,
  { status, desc = "", failedReason = "", date = "" }: z.infer<typeof state>,
): Receipt[] {
  const number = loggableErrorCode(status);
  const words = desc.trim();
  const numbered = number === DELIVERED_STATUS || UNDELIVERED_STATUSES.includes(number ?? "");
  const delivered = numbered ? number === DELIVERED_STATUS : DELIVERED.test(words);
  if (!numbered && !delivered && !UNDELIVERED.test(words)) return [];
  const atMs = Date.parse(`${date.replace(" ", "T")}${INDIA}`);
  return [
    {
      messageId,
      status: delivered ? "delivered" : "undelivered",
      errorCode: delivered ? null : number,
      costMicros: null,
      atMs: Number.isNaN(atMs) ? null : atMs,
      judgement: delivered ? undefined : msg91ReportJudgement(number, `${words} ${failedReason}`),
    },
  ];
}

/** By their digests, so that the time it takes says nothing about either. */
async function sameText(left: string, right: string): Promise<boolean> {
  const [one, other] = await Promise.all([sha256Hex(left), sha256Hex(right)]);
  return sameDigest(one, other);
}
