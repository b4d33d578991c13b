import * as z from "zod";
import type { NumberInsight } from "../../domain/admission/insight.ts";
import type { LookupPort } from "../../ports/people.ts";
import {
  getFromProvider,
  hoursSince,
  loggableErrorCode,
  postForDelivery,
  statedMicros,
  successfulLookupBody,
} from "../providers/provider-http.ts";
import { VONAGE_CURRENCY, type VonageApplication, vonageBearer } from "./vonage-api.ts";
import { digitsOf } from "./vonage-messages.ts";

export interface NumberInsightOptions {
  /** `https://api.nexmo.com`, or a stand-in. */
  apiUrl: string;
  apiKey: string;
  apiSecret: string;
  /** `basic` is free and knows no more than the digits; `standard` knows the network; `advanced` asks it. */
  level: "basic" | "standard" | "advanced";
  /** ISO 4217, of the price table; the stated price is in euros and taken only if the table is. */
  currency: string;
  timeoutMs: number;
}

type LineTypes = ReadonlyMap<string, NumberInsight["lineType"]>;

const LINE_TYPES = new Map<string, NumberInsight["lineType"]>([
  ["mobile", "mobile"],
  ["landline", "fixed_line"],
  ["landline_premium", "premium_rate"],
  ["landline_tollfree", "toll_free"],
  ["virtual", "voip"],
  ["pager", "other"],
]);

const UNREACHABLE = ["undeliverable", "absent", "bad_number", "blacklisted"];

/** Success, and three ways of saying that the live part of an advanced lookup is missing. */
const ANSWERED = [0, 43, 44, 45];

const text = z.string().optional().catch(undefined);
const CARRIER = { network_type: text, network_code: text };
const carrier = z.object(CARRIER).optional().catch(undefined);

const numberInsightSchema = z.object({
  status: z.number(),
  current_carrier: carrier,
  original_carrier: carrier,
  ported: text,
  reachable: text,
  valid_number: text,
  /** The word `unknown` in place of the object where it is. */
  roaming: z.object({ status: text }).optional().catch(undefined),
  request_price: text,
  refund_price: text,
});

/**
 * Vonage Number Insight v1. Its failures are answered with 200 and a status of their own.
 * @see https://developer.vonage.com/en/api/number-insight
 */
export function numberInsightLookup(options: NumberInsightOptions): LookupPort {
  const { apiUrl, apiKey, apiSecret, level, currency, timeoutMs } = options;
  return {
    name: "vonage_number_insight",
    async lookup(e164) {
      const query = new URLSearchParams({
        api_key: apiKey,
        api_secret: apiSecret,
        number: digitsOf(e164),
      });
      const url = `${apiUrl}/ni/${level}/json?${query}`;
      const answer = successfulLookupBody(await getFromProvider(url, timeoutMs, {}));
      if (answer.kind !== "answered") return answer;
      const { data } = numberInsightSchema.safeParse(answer.body);
      if (!data) return { kind: "unavailable", cause: "lookup answered without a verdict" };
      if (!ANSWERED.includes(data.status)) {
        return {
          kind: "unavailable",
          cause: `lookup answered status ${loggableErrorCode(data.status) ?? "unknown"}`,
        };
      }
      const price = statedMicros(data.request_price, VONAGE_CURRENCY, currency);
      const refund = statedMicros(data.refund_price, VONAGE_CURRENCY, currency) ?? 0;
      return {
        kind: "answered",
        lineType: lineType(
          LINE_TYPES,
          data.current_carrier?.network_type,
          data.original_carrier?.network_type,
        ),
        reachable: reachable(data.reachable, data.valid_number),
        ported: saying(data.ported, ["ported", "assumed_ported"], ["not_ported", "assumed_not_ported"]),
        roaming: saying(data.roaming?.status, ["roaming"], ["not_roaming"]),
        pumpingRisk: null,
        simSwappedHoursAgo: null,
        costMicros: price === null ? null : Math.max(0, price - refund),
      };
    },
  };
}

function reachable(live: string | undefined, valid: string | undefined): boolean | null {
  return valid === "not_valid" ? false : saying(live, ["reachable"], UNREACHABLE);
}

/** The meaning of a word out of two lists; null for every other word. */
function saying(word: string | undefined, yes: readonly string[], no: readonly string[]): boolean | null {
  if (word === undefined) return null;
  return yes.includes(word) ? true : no.includes(word) ? false : null;
}

const lineType = (types: LineTypes, ...words: (string | undefined)[]): NumberInsight["lineType"] =>
  words.map((word) => types.get(word ?? "") ?? null).find((type) => type !== null) ?? null;

/** Insights, each of them billed; the last two are previews of Vonage's. */
type VonageInsight = "sim_swap" | "current_carrier" | "original_carrier" | "reachability" | "roaming";

export interface IdentityInsightsOptions extends VonageApplication {
  /** `https://api-eu.vonage.com` or `https://api-us.vonage.com`, or a stand-in. */
  apiUrl: string;
  insights: readonly [VonageInsight, ...VonageInsight[]];
  /** Hours, 1 to 2400: the period in which a change of the SIM counts, where the carrier states no date. */
  simSwapPeriodHours: number;
  timeoutMs: number;
  nowMs(): number;
}

const INSIGHT_LINE_TYPES = new Map<string, NumberInsight["lineType"]>([
  ["MOBILE", "mobile"],
  ["LANDLINE", "fixed_line"],
  ["PREMIUM", "premium_rate"],
  ["TOLLFREE", "toll_free"],
  ["VIRTUAL", "voip"],
]);

/** The purpose that carriers demand with a request. */
const PURPOSE = "FraudPreventionAndDetection";

const status = z.object({ code: z.literal("OK") });
const knownCarrier = z
  .object({ ...CARRIER, status })
  .optional()
  .catch(undefined);

const insightsSchema = z.object({
  insights: z.object({
    sim_swap: z
      .object({ latest_sim_swap_at: text, is_swapped: z.boolean().optional(), status })
      .optional()
      .catch(undefined),
    current_carrier: knownCarrier,
    original_carrier: knownCarrier,
    reachability: z.object({ is_reachable: z.boolean(), status }).optional().catch(undefined),
    roaming: z.object({ is_roaming: z.boolean(), status }).optional().catch(undefined),
  }),
});

/**
 * Vonage Identity Insights. An insight that failed has a status other than OK and reads as not known. It states no price.
 * @see https://developer.vonage.com/en/api/identity-insights
 */
export function identityInsightsLookup(options: IdentityInsightsOptions): LookupPort {
  const { apiUrl, insights, simSwapPeriodHours, timeoutMs, nowMs } = options;
  const bearer = vonageBearer(options, nowMs);
  const asked = Object.fromEntries(
    insights.map((name) => [name, name === "sim_swap" ? { period: simSwapPeriodHours } : {}]),
  );
  return {
    name: "vonage_identity_insights",
    async lookup(e164) {
      const authorization = await bearer();
      if (authorization === null) {
        return { kind: "unavailable", cause: "the private key of vonage does not sign" };
      }
      const asking = postForDelivery(`${apiUrl}/identity-insights/v1/requests`, timeoutMs, {
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ phone_number: digitsOf(e164), purpose: PURPOSE, insights: asked }),
      });
      const answer = successfulLookupBody(await asking);
      if (answer.kind !== "answered") return answer;
      const parsed = insightsSchema.safeParse(answer.body);
      if (!parsed.success) return { kind: "unavailable", cause: "lookup answered without a verdict" };
      const { sim_swap: swap, current_carrier: now, original_carrier: first, ...live } = parsed.data.insights;
      const codes = [now?.network_code, first?.network_code];
      return {
        kind: "answered",
        lineType: lineType(INSIGHT_LINE_TYPES, now?.network_type, first?.network_type),
        reachable: live.reachability?.is_reachable ?? null,
        ported: codes.includes(undefined) ? null : codes[0] !== codes[1],
        roaming: live.roaming?.is_roaming ?? null,
        pumpingRisk: null,
        simSwappedHoursAgo:
          hoursSince(swap?.latest_sim_swap_at, nowMs()) ?? (swap?.is_swapped ? simSwapPeriodHours : null),
        costMicros: null,
      };
    },
  };
}
