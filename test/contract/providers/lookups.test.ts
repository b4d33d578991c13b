import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { twilioLookup } from "../../../src/adapters/twilio/twilio-lookup.ts";
import { identityInsightsLookup, numberInsightLookup } from "../../../src/adapters/vonage/vonage-lookup.ts";
import type { NumberInsight } from "../../../src/domain/admission/insight.ts";
import type { LookupPort } from "../../../src/ports/people.ts";
import { contractFile } from "../../support/contracts.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RecordedRequest,
  type RudeServer,
} from "../../support/rude-server.ts";
import { openPrism } from "../support/support-prism.ts";
import { TWILIO_ACCOUNT } from "../twilio/support-twilio.ts";
import { fixture, NOW_MS, VONAGE } from "../vonage/support-vonage.ts";

const NUMBER = "+447700900000";

const NOTHING: NumberInsight = {
  lineType: null,
  reachable: null,
  ported: null,
  roaming: null,
  pumpingRisk: null,
  simSwappedHoursAgo: null,
  costMicros: null,
};

const nowMs = () => NOW_MS;

const twilioAt = (apiUrl: string, timeoutMs = 8000) =>
  twilioLookup({
    ...TWILIO_ACCOUNT,
    apiUrl,
    timeoutMs,
    nowMs,
    fields: ["line_type_intelligence", "sms_pumping_risk", "sim_swap"],
  });

const insightAt = (apiUrl: string, timeoutMs = 8000, level: "basic" | "standard" | "advanced" = "advanced") =>
  numberInsightLookup({ ...VONAGE, apiUrl, timeoutMs, level });

const identityAt = (apiUrl: string, timeoutMs = 8000) =>
  identityInsightsLookup({
    ...VONAGE,
    apiUrl,
    timeoutMs,
    insights: ["sim_swap", "current_carrier", "original_carrier", "reachability", "roaming"],
    simSwapPeriodHours: 240,
  });

let server: RudeServer;
beforeAll(async () => {
  server = await openRudeServer();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server.close());

async function ask(lookup: (url: string) => LookupPort, behaviour: Behaviour) {
  server.behave(behaviour);
  return lookup(server.url).lookup(NUMBER);
}

const LOOKUPS = [
  { name: "twilio", at: twilioAt },
  { name: "vonage_number_insight", at: insightAt },
  { name: "vonage_identity_insights", at: identityAt },
];

describe.each(LOOKUPS)("every lookup: $name", ({ name, at }) => {
  test("names itself", () => {
    expect(at(server.url).name).toBe(name);
  });

  test.for<[what: string, behaviour: Behaviour]>([
    ["a page", page(200)],
    ["nothing", { kind: "answer", status: 204, body: "" }],
    ["an empty answer", json(200, {})],
    ["a list", json(200, [])],
    ["a fault of ours", json(401, { code: 20003 })],
    ["an unknown number", json(404, { code: 20404 })],
    ["too fast", json(429, {})],
    ["a fault of theirs", page(503)],
    ["a redirect", { kind: "answer", status: 302, body: "", headers: { location: "/elsewhere" } }],
    ["half an answer", { kind: "cut", status: 200, body: '{"valid":tr' }],
    ["a connection that closed", { kind: "drop" }],
  ])("%s is unavailable", async ([, behaviour]) => {
    expect(await ask(at, behaviour)).toEqual({ kind: "unavailable", cause: expect.any(String) });
    expect(server.requests).toHaveLength(1);
  });

  test("silence is over after the time limit", async () => {
    const startedMs = performance.now();
    for (const behaviour of [{ kind: "hang" }, { kind: "hang_in_body", status: 200, body: "{" }] as const) {
      expect(await ask((url) => at(url, 200), behaviour)).toEqual({
        kind: "unavailable",
        cause: "no answer in 200 ms",
      });
    }
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  test("nobody at the other end is unavailable", async () => {
    expect((await at(await deadUrl()).lookup(NUMBER)).kind).toBe("unavailable");
  });

  test("no answer makes it throw or repeat the number", async () => {
    const digits = NUMBER.slice(1);
    const answer = fc.oneof(
      fc.json(),
      fc.constantFrom<unknown>(digits, Number(digits), NUMBER).map((echo) =>
        JSON.stringify({
          valid: true,
          status: echo,
          error_text: echo,
          line_type_intelligence: { type: echo },
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(200, 400, 500), answer, async (status, body) => {
        expect(JSON.stringify(await ask(at, { kind: "answer", status, body }))).not.toContain(digits);
      }),
      { numRuns: 60 },
    );
  });
});

describe("Twilio Lookup", () => {
  const file = contractFile("twilio/lookups_v2.json");

  test.skipIf(file === null)("asks as the vendor's description allows", async () => {
    const judge = await openPrism(file ?? "");
    const breaches: string[] = [];
    server.behave(async (request) => {
      const judgement = await judge(request);
      breaches.push(...judgement.breaches.filter((breach) => !breach.startsWith("Response")));
      return judgement.answer;
    });
    await twilioAt(server.url).lookup(NUMBER);
    expect(breaches).toEqual([]);
    expect(server.requests[0]?.path).toBe(
      "/v2/PhoneNumbers/%2B447700900000?Fields=line_type_intelligence%2Csms_pumping_risk%2Csim_swap",
    );
  });

  test.skipIf(file === null)("reads each of the vendor's examples", async () => {
    const examples = documentedExamples(file ?? "");
    const read = async (name: string) => ask(twilioAt, json(200, examples[name]?.value));
    const hours = (date: string) => Math.floor((NOW_MS - Date.parse(date)) / 3_600_000);
    const said: Record<string, Partial<NumberInsight>> = {
      fetch: {},
      fetchInvalid: { reachable: false },
      fetchLineTypeIntelligence: { lineType: "voip" },
      fetchSmsPumpingRisk: { pumpingRisk: 61 },
      fetchSimSwap: { simSwappedHoursAgo: hours("2020-04-27T10:18:50Z") },
      fetchSimSwapWithoutLastSimSwapDate: { simSwappedHoursAgo: 24 },
      fetchSimSwapWithFalseSwapped: {},
    };
    for (const [name, insight] of Object.entries(said)) {
      expect(await read(name), name).toEqual({ kind: "answered", ...NOTHING, ...insight });
    }
    for (const name of Object.keys(examples)) expect((await read(name)).kind, name).toBe("answered");
  });

  test.for<[type: string, lineType: NumberInsight["lineType"]]>([
    ["mobile", "mobile"],
    ["landline", "fixed_line"],
    ["fixedVoip", "voip"],
    ["nonFixedVoip", "voip"],
    ["premium", "premium_rate"],
    ["tollFree", "toll_free"],
    ["pager", "other"],
    ["unknown", null],
    ["constructor", null],
  ])("the type %s is %s", async ([type, lineType]) => {
    expect(await ask(twilioAt, json(200, { valid: true, line_type_intelligence: { type } }))).toMatchObject({
      lineType,
    });
  });

  test("a package that failed leaves the others standing", async () => {
    const answer = {
      valid: true,
      line_type_intelligence: { type: "mobile", error_code: null },
      sms_pumping_risk: { error_code: 60606, sms_pumping_risk_score: "high" },
      sim_swap: { error_code: 60608, last_sim_swap: null },
    };
    expect(await ask(twilioAt, json(200, answer))).toEqual({
      kind: "answered",
      ...NOTHING,
      lineType: "mobile",
    });
  });
});

const samplesFile = contractFile("vonage/fixtures.json");
const samples = samplesFile === null ? null : JSON.parse(readFileSync(samplesFile, "utf8"));

describe("Vonage Number Insight", () => {
  const file = contractFile("vonage/number_insight_v1.json");

  test.skipIf(file === null).for(["basic", "standard", "advanced"] as const)(
    "asks for %s as the vendor's description allows",
    async (level) => {
      const judge = await openPrism(file ?? "");
      const breaches: string[] = [];
      server.behave(async (request: RecordedRequest) => {
        const judgement = await judge(request);
        breaches.push(...judgement.breaches.filter((breach) => !breach.startsWith("Response")));
        return judgement.answer;
      });
      expect((await insightAt(server.url, 8000, level).lookup(NUMBER)).kind).toBe("answered");
      expect(breaches).toEqual([]);
      const { pathname } = new URL(server.requests[0]?.path ?? "", server.url);
      expect(pathname).toBe(`/ni/${level}/json`);
    },
  );

  test.skipIf(samples === null).for<[path: string, insight: Partial<NumberInsight> | null]>([
    ["number_insight/tests/data/basic_insight.json", {}],
    ["number_insight/tests/data/basic_insight_error.json", null],
    [
      "number_insight/tests/data/standard_insight.json",
      { lineType: "mobile", ported: true, costMicros: 5000 },
    ],
    [
      "number_insight/tests/data/advanced_sync_insight.json",
      { lineType: "mobile", ported: false, costMicros: 40_000 },
    ],
    ["test/Insights/responses/advanced.json", { lineType: "mobile", ported: false, costMicros: 30_000 }],
    ["test/Insights/responses/advanced3.json", null],
    ["test/Insights/responses/advanced4.json", null],
    ["test/Insights/responses/advanced43.json", { lineType: "fixed_line", costMicros: 30_000 }],
  ])("reads the vendor's sample %s", async ([path, insight]) => {
    const answer = await ask(insightAt, json(200, fixture(samples, path)));
    if (insight === null) expect(answer.kind).toBe("unavailable");
    else expect(answer).toEqual({ kind: "answered", ...NOTHING, ...insight });
  });

  test("reachable, roaming and ported are told, unknown is null", async () => {
    const live = (fields: Record<string, unknown>) => ask(insightAt, json(200, { status: 0, ...fields }));
    expect(await live({ reachable: "reachable", roaming: { status: "roaming" } })).toMatchObject({
      reachable: true,
      roaming: true,
    });
    for (const reachable of ["absent", "undeliverable", "bad_number", "blacklisted"]) {
      expect(await live({ reachable, roaming: { status: "not_roaming" } })).toMatchObject({
        reachable: false,
        roaming: false,
      });
    }
    expect(await live({ reachable: "reachable", valid_number: "not_valid" })).toMatchObject({
      reachable: false,
    });
    expect(await live({ reachable: "unknown", roaming: "unknown", ported: null })).toEqual({
      kind: "answered",
      ...NOTHING,
    });
  });

  test("a price in euros is taken by a table in euros only", async () => {
    const dollars = (apiUrl: string) =>
      numberInsightLookup({ ...VONAGE, apiUrl, level: "standard", currency: "USD" });
    expect(await ask(dollars, json(200, { status: 0, request_price: "0.00500000" }))).toMatchObject({
      costMicros: null,
    });
  });
});

describe("Vonage Identity Insights", () => {
  const file = contractFile("vonage/identity_insights_v1.json");

  test.skipIf(file === null)("asks as the vendor's description allows, and reads its example", async () => {
    const judge = await openPrism(file ?? "");
    const breaches: string[] = [];
    server.behave(async (request: RecordedRequest) => {
      const judgement = await judge({ ...request, body: JSON.parse(request.body) });
      breaches.push(...judgement.breaches);
      return judgement.answer;
    });
    expect(await identityAt(server.url).lookup(NUMBER)).toEqual({
      kind: "answered",
      ...NOTHING,
      lineType: "mobile",
      reachable: true,
      ported: false,
      roaming: true,
      simSwappedHoursAgo: Math.floor((NOW_MS - Date.parse("2024-07-08T09:30:27.504Z")) / 3_600_000),
    });
    expect(breaches).toEqual([]);
    expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({
      phone_number: "447700900000",
      purpose: "FraudPreventionAndDetection",
      insights: {
        sim_swap: { period: 240 },
        current_carrier: {},
        original_carrier: {},
        reachability: {},
        roaming: {},
      },
    });
  });

  test.skipIf(samples === null)("reads the vendor's sample", async () => {
    const sample = fixture(samples, "identity_insights/tests/data/format.json");
    expect(await ask(identityAt, json(200, sample))).toMatchObject({
      kind: "answered",
      simSwappedHoursAgo: Math.floor((NOW_MS - Date.parse("2024-07-08T09:30:27.504Z")) / 3_600_000),
    });
  });

  test("without a date the whole period is assumed, and an insight that failed says nothing", async () => {
    const ok = { code: "OK", message: "Success" };
    const insights = {
      sim_swap: { is_swapped: true, status: ok },
      current_carrier: { network_type: "MOBILE", network_code: "23415", status: ok },
      original_carrier: { network_type: "MOBILE", network_code: "23420", status: ok },
      reachability: { is_reachable: true, status: { code: "SUPPLIER_ERROR" } },
      roaming: { status: { code: "NO_COVERAGE" } },
    };
    expect(await ask(identityAt, json(200, { insights }))).toEqual({
      kind: "answered",
      ...NOTHING,
      lineType: "mobile",
      ported: true,
      simSwappedHoursAgo: 240,
    });
  });
});

function documentedExamples(path: string): Record<string, { value: unknown }> {
  const description = JSON.parse(readFileSync(path, "utf8"));
  const { get } = description.paths["/v2/PhoneNumbers/{PhoneNumber}"];
  return get.responses["200"].content["application/json"].examples;
}
