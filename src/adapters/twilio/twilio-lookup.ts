import * as z from "zod";
import type { NumberInsight } from "../../domain/admission/insight.ts";
import type { LookupPort } from "../../ports/people.ts";
import { getFromProvider, hoursSince, successfulLookupBody } from "../providers/provider-http.ts";
import { twilioAuthorization } from "./twilio-provider.ts";

/** Packages of Lookup; each is billed. */
type TwilioLookupField = "line_type_intelligence" | "sms_pumping_risk" | "sim_swap";

export interface TwilioLookupOptions {
  /** `https://lookups.twilio.com`, or a stand-in. */
  apiUrl: string;
  accountSid: string;
  authToken: string;
  /** An API key and its secret, in place of the main token. */
  apiKey?: { sid: string; secret: string } | undefined;
  /** What to ask for. `sim_swap` needs the carriers' approval, country by country. */
  fields: readonly [TwilioLookupField, ...TwilioLookupField[]];
  timeoutMs: number;
  nowMs(): number;
}

/** @see https://www.twilio.com/docs/lookup/v2-api/line-type-intelligence#type-property-values */
const LINE_TYPES = new Map<string, NumberInsight["lineType"]>([
  ["mobile", "mobile"],
  ["landline", "fixed_line"],
  ["fixedVoip", "voip"],
  ["nonFixedVoip", "voip"],
  ["premium", "premium_rate"],
  ["sharedCost", "premium_rate"],
  ["tollFree", "toll_free"],
  ["personal", "other"],
  ["uan", "other"],
  ["voicemail", "other"],
  ["pager", "other"],
]);

/** A package that failed says so by an error code, and one that was not asked for is null. */
const answerSchema = z.object({
  valid: z.boolean(),
  line_type_intelligence: z.object({ type: z.string().nullish() }).nullish().catch(null),
  sms_pumping_risk: z
    .object({ sms_pumping_risk_score: z.number().min(0).max(100).nullish() })
    .nullish()
    .catch(null),
  sim_swap: z
    .object({
      last_sim_swap: z
        .object({
          last_sim_swap_date: z.string().nullish(),
          swapped_period: z.string().nullish(),
          swapped_in_period: z.boolean().nullish(),
        })
        .nullish(),
    })
    .nullish()
    .catch(null),
});

type SimSwap = z.infer<typeof answerSchema>["sim_swap"];

/**
 * Twilio Lookup v2. It states no price.
 * @see https://www.twilio.com/docs/lookup/v2-api
 */
export function twilioLookup(options: TwilioLookupOptions): LookupPort {
  const { apiUrl, timeoutMs } = options;
  const headers = { authorization: twilioAuthorization(options) };
  const query = new URLSearchParams({ Fields: options.fields.join(",") });
  return {
    name: "twilio",
    async lookup(e164) {
      const url = `${apiUrl}/v2/PhoneNumbers/${encodeURIComponent(e164)}?${query}`;
      const answer = successfulLookupBody(await getFromProvider(url, timeoutMs, headers));
      if (answer.kind !== "answered") return answer;
      const parsed = answerSchema.safeParse(answer.body);
      if (!parsed.success) return { kind: "unavailable", cause: "lookup answered without a verdict" };
      const { valid, line_type_intelligence: line, sms_pumping_risk: risk, sim_swap: swap } = parsed.data;
      return {
        kind: "answered",
        lineType: LINE_TYPES.get(line?.type ?? "") ?? null,
        reachable: valid ? null : false,
        ported: null,
        roaming: null,
        pumpingRisk: risk?.sms_pumping_risk_score ?? null,
        simSwappedHoursAgo: swappedHoursAgo(swap, options.nowMs()),
        costMicros: null,
      };
    },
  };
}

/**
 * By the date where the carrier tells it; else, of a SIM changed within a period, the whole period. A SIM that was not
 * changed in the period may have been at any time before: null.
 */
function swappedHoursAgo(swap: SimSwap, nowMs: number): number | null {
  const last = swap?.last_sim_swap;
  const hours = hoursSince(last?.last_sim_swap_date, nowMs);
  if (hours !== null || !last?.swapped_in_period) return hours;
  const [, period] = /^PT(\d{1,5})H$/.exec(last.swapped_period ?? "") ?? [];
  return period === undefined ? null : Number(period);
}
