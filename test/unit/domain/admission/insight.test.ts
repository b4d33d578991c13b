import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BudgetPool, ExposureScope, LevelReading } from "../../../../src/domain/admission/exposure.ts";
import {
  insightTtlSeconds,
  isLookupWorthwhile,
  judgeInsight,
  type NumberInsight,
  verdictAfterInsight,
} from "../../../../src/domain/admission/insight.ts";
import type { LookupPolicy } from "../../../../src/domain/admission/lookup.policy.ts";
import type { RiskPolicy } from "../../../../src/domain/admission/risk.policy.ts";
import type { RecordOnlyHit, VerdictAction } from "../../../../src/domain/admission/risk.ts";
import type { Verdict } from "../../../../src/domain/admission/verdict.ts";
import { CHANNELS } from "../../../../src/domain/kernel/channel.ts";
import { type Phone, parsePhone, refuseNumber } from "../../../../src/domain/kernel/phone.ts";
import type { Posture } from "../../../../src/domain/kernel/posture.ts";
import { POSTURES } from "../../../../src/domain/kernel/posture.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { lookUpNumber } from "../../../../src/flows/admission/look-up-number.ts";
import { logAndRememberLookup } from "../../../../src/flows/publish/log-admission.ts";
import type { LookupPort } from "../../../../src/ports/people.ts";
import { deliveryWorld, phoneOf, roomyPolicy } from "../../../support/delivery-world.ts";

const TYPES = ["mobile", "fixed_line", "voip", "premium_rate", "toll_free"] as const;
const DAY = 86_400;
const LOOKUP: LookupPolicy = {
  provider: "twilio",
  cost_micros: 8000,
  day_cap_micros: 80_000,
  timeout_ms: 800,
  memory_seconds: 30 * DAY,
  max_pumping_risk: 75,
  sim_swap_hours: 72,
};
const NUMBERS = policySchema.shape.numbers.parse({});
const RISK: RiskPolicy = policySchema.shape.risk.parse({});
const NOTHING: NumberInsight = {
  lineType: null,
  reachable: null,
  ported: null,
  roaming: null,
  pumpingRisk: null,
  simSwappedHoursAgo: null,
  costMicros: null,
};

const level = (name: ExposureScope): LevelReading => ({
  level: {
    name,
    key: `stranger:${name}:x`,
    rule: { base: 5, gain: 0 },
    base: 500,
    windowSeconds: DAY,
    maxMessages: null,
    weight: 100,
    kept: false,
    quickStart: false,
  },
  unverified: 0,
  verified: 0,
  verifiedEarlier: 0,
  messages: 0,
  earned: 0,
  past: { unverified: 0, verified: 0 },
});

const verdictOf = (
  pool: BudgetPool = "stranger",
  levels: ExposureScope[] = ["block", "country"],
): Verdict => ({
  action: "allow",
  pool,
  levels: levels.map(level),
  factors: [],
  reasons: [],
  recorded: "allow",
  uncounted: [],
});

const judge = (insight: Partial<NumberInsight>) =>
  judgeInsight({ ...NOTHING, ...insight }, LOOKUP, NUMBERS, "sms");

describe("a lookup is worth its price", () => {
  test.each<[string, Verdict, Posture, boolean]>([
    ["a stranger on good evidence", verdictOf(), "normal", false],
    ["a stranger while the posture is elevated", verdictOf(), "elevated", true],
    ["a stranger in an emergency", verdictOf(), "emergency", true],
    ["a stranger from an odd source", verdictOf("stranger", ["block", "odd", "odd_country"]), "normal", true],
    ["a stranger in a country without history", verdictOf("stranger", ["block", "unknown"]), "normal", true],
    ["a stranger who pays from the second purse", verdictOf("challenged"), "normal", true],
    ["a stranger who pays from the third purse", verdictOf("returned"), "normal", true],
    ["a stranger from a proven address", verdictOf("proven"), "normal", false],
    ["someone known, in an emergency", verdictOf("known", ["odd", "unknown"]), "emergency", false],
  ])("on %s: by the table", (_, verdict, posture, asked) => {
    expect(isLookupWorthwhile(verdict, posture)).toBe(asked);
  });

  test("never for whoever gets no message anyway", () => {
    for (const action of ["challenge", "step_up", "deny", "decoy"] satisfies VerdictAction[]) {
      for (const posture of POSTURES) {
        expect(isLookupWorthwhile({ ...verdictOf("challenged"), action }, posture)).toBe(false);
      }
    }
  });
});

describe("an insight", () => {
  test.each<[string, Partial<NumberInsight>, object | null]>([
    ["that says nothing", {}, null],
    ["of a mobile number", { lineType: "mobile" }, null],
    ["of a landline", { lineType: "fixed_line" }, { line_type: "fixed_line" }],
    ["of a type that has no name", { lineType: "other" }, null],
    ["of a premium number", { lineType: "premium_rate" }, { line_type: "premium_rate" }],
    ["of a toll-free number", { lineType: "toll_free" }, { line_type: "toll_free" }],
    ["of a VoIP number", { lineType: "voip" }, { line_type: "voip" }],
    ["of a risk below the policy's", { pumpingRisk: 74.9 }, null],
    ["of the policy's risk", { pumpingRisk: 75 }, { pumping_risk: 75 }],
    ["of a ported, roaming number", { ported: true, roaming: true, reachable: true }, null],
  ])("%s", (_, insight, evidence) => {
    expect(judge(insight)).toEqual(evidence === null ? null : { action: "deny", evidence });
  });

  test.each<[string, Partial<NumberInsight>, object | null]>([
    ["of a SIM changed just now", { simSwappedHoursAgo: 0 }, { sim_swapped_hours_ago: 0 }],
    [
      "of a SIM changed within the hours asked for",
      { simSwappedHoursAgo: 72 },
      { sim_swapped_hours_ago: 72 },
    ],
    ["of a SIM changed before", { simSwappedHoursAgo: 73 }, null],
    ["of a phone that cannot be reached", { reachable: false }, { reachable: false }],
  ])("%s asks for another factor, or not", (_, insight, evidence) => {
    expect(judge(insight)).toEqual(evidence === null ? null : { action: "step_up", evidence });
  });

  test("that says several things speaks for the gravest", () => {
    const all = { lineType: "voip", pumpingRisk: 99, reachable: false, simSwappedHoursAgo: 1 } as const;
    expect(judge(all)).toEqual({ action: "deny", evidence: { line_type: "voip" } });
    expect(judge({ ...all, lineType: "mobile" })).toMatchObject({ evidence: { pumping_risk: 99 } });
    expect(judge({ ...all, lineType: null, pumpingRisk: 0 })).toMatchObject({ action: "step_up" });
  });

  test("is judged by the types the policy refuses, and no others", () => {
    expect(judgeInsight({ ...NOTHING, lineType: "voip" }, LOOKUP, { refuse_types: [] }, "sms")).toBeNull();
    const refused = judgeInsight(
      { ...NOTHING, lineType: "mobile" },
      LOOKUP,
      { refuse_types: ["mobile"] },
      "sms",
    );
    expect(refused?.action).toBe("deny");
  });

  test.each(CHANNELS.flatMap((channel) => [...TYPES].map((type) => [channel, type] as const)))(
    "stops by %s what the numbering plan's type %s is refused for, and nothing else",
    (channel, lineType) => {
      const judged = judgeInsight({ ...NOTHING, lineType }, LOOKUP, NUMBERS, channel);
      const phone = { ...(parsePhone(phoneOf(1), undefined) as Phone), type: lineType };
      const refused = refuseNumber(phone, channel, NUMBERS, { allow: ["*"], deny: [] });
      expect(judged === null).toBe(refused === null);
    },
  );

  test("of what passes is remembered for an hour, and of what lasts as long as the policy says", () => {
    expect(insightTtlSeconds(null, LOOKUP)).toBe(30 * DAY);
    expect(insightTtlSeconds(judge({ lineType: "voip" }), LOOKUP)).toBe(30 * DAY);
    expect(insightTtlSeconds(judge({ reachable: false }), LOOKUP)).toBe(3600);
    expect(insightTtlSeconds(judge({ simSwappedHoursAgo: 5 }), LOOKUP)).toBe(3600);
    expect(insightTtlSeconds(judge({ reachable: false }), { ...LOOKUP, memory_seconds: 60 })).toBe(60);
  });
});

describe("the verdict after it", () => {
  const DENY = { action: "deny", evidence: { pumping_risk: 90 } } as const;
  const STEP_UP = { action: "step_up", evidence: { reachable: false } } as const;

  test.each<[string, typeof DENY | typeof STEP_UP, string[], Partial<RiskPolicy>, VerdictAction, string[]]>([
    ["a deny", DENY, ["email"], {}, "deny", []],
    ["a deny, with decoys", DENY, ["email"], { decoy: true }, "decoy", []],
    ["a step up", STEP_UP, ["email"], {}, "step_up", ["email"]],
    ["a step up in a flow without factors", STEP_UP, [], {}, "deny", []],
    ["a step up in a flow without factors, with decoys", STEP_UP, [], { decoy: true }, "decoy", []],
  ])("of %s", (_, judgement, factors, risk, action, left) => {
    expect(verdictAfterInsight(verdictOf("challenged"), judgement, factors, { ...RISK, ...risk })).toEqual({
      action,
      pool: "stranger",
      levels: [],
      factors: left,
      reasons: [{ rule: "number_insight", evidence: judgement.evidence, counted: true }],
      recorded: action,
      uncounted: [],
    });
  });

  test.each([
    { record_only: ["number_insight" as const], record_all: false },
    { record_only: [], record_all: true },
  ])("has no effect when it is only recorded: $record_only, all $record_all", (only) => {
    const before = verdictOf("challenged");
    const after = verdictAfterInsight(before, DENY, ["email"], { ...RISK, ...only });
    expect(after).toEqual({
      ...before,
      reasons: [{ rule: "number_insight", evidence: DENY.evidence, counted: false }],
      recorded: "deny",
      uncounted: [{ rule: "number_insight", would: "deny" }],
    });
  });

  test("a rule that would have stopped the request alike has nothing to its name any more", () => {
    const met = (would: RecordOnlyHit["would"]): RecordOnlyHit => ({ rule: "tor", would });
    for (const [before, after] of [
      ["deny", null],
      ["challenge", "challenge"],
      [null, null],
    ] satisfies [RecordOnlyHit["would"], RecordOnlyHit["would"]][]) {
      const verdict = { ...verdictOf("challenged"), uncounted: [met(before)] };
      for (const decoy of [false, true]) {
        expect(verdictAfterInsight(verdict, DENY, [], { ...RISK, decoy }).uncounted).toEqual([met(after)]);
      }
    }
  });

  test("keeps the reasons before it, and what they would have come to", () => {
    const said = { rule: "many_numbers" as const, evidence: { distinct_numbers: 9 }, counted: false };
    const before = { ...verdictOf(), reasons: [said], recorded: "challenge" as const };
    const after = verdictAfterInsight(before, DENY, [], RISK);
    expect(after.reasons).toEqual([said, { rule: "number_insight", evidence: DENY.evidence, counted: true }]);
    expect(after).toMatchObject({ action: "deny", recorded: "challenge" });
  });

  test("is never kinder than the one before", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(DENY, STEP_UP),
        fc.array(fc.string()),
        fc.boolean(),
        (judged, factors, decoy) => {
          const after = verdictAfterInsight(verdictOf("returned"), judged, factors, { ...RISK, decoy });
          expect(after.action).not.toBe("allow");
          expect(after.levels).toEqual([]);
        },
      ),
    );
  });
});

/** A source that answers in order what it is told to, and counts; it has never heard of anything else. */
function source(...answers: (Partial<NumberInsight> | "silent")[]) {
  const asked: string[] = [];
  const port: LookupPort = {
    name: "twilio",
    async lookup(e164) {
      asked.push(e164);
      const answer = answers[asked.length - 1] ?? {};
      return answer === "silent"
        ? { kind: "unavailable", cause: "no answer in 800 ms" }
        : { kind: "answered", ...NOTHING, ...answer };
    },
  };
  return { asked, port };
}

function consulting(lookup: LookupPort | null, more: Partial<LookupPolicy> = {}) {
  const world = deliveryWorld({
    policy: { ...roomyPolicy(), lookup: { ...LOOKUP, ...more } } as ReturnType<typeof roomyPolicy>,
  });
  const deps = { ...world.deps, lookup };
  return {
    world,
    deps,
    async ask(i = 1, verdict = verdictOf("challenged"), risk = RISK) {
      const question = {
        e164: phoneOf(i),
        numberTag: `number:${i}`,
        posture: "normal" as const,
        factors: ["email"],
        risk,
        channel: "sms" as const,
      };
      const { verdict: after, lookup } = await lookUpNumber(deps, question, verdict);
      if (lookup !== null) logAndRememberLookup(deps, `c${i}`, lookup);
      await world.settle();
      return after;
    },
    spent: async () => {
      const meter = { scope: "spend:lookup", period: "day" as const, amount: 0, cap: 0, lifted: true };
      const read = await deps.budgets.read([], [meter]);
      return read.kind === "answered" ? read.totals[0] : null;
    },
  };
}

describe("consulting", () => {
  test("asks once, for a price, and goes by the answer", async () => {
    const { asked, port } = source({ lineType: "premium_rate" });
    const { ask, spent } = consulting(port);
    expect(await ask()).toMatchObject({ action: "deny", reasons: [{ rule: "number_insight" }] });
    expect(asked).toEqual([phoneOf(1)]);
    expect(await spent()).toBe(8000);
  });

  test("leaves the verdict as it is when the number is well", async () => {
    const { port } = source({ lineType: "mobile", pumpingRisk: 2 });
    const verdict = verdictOf("challenged");
    expect(await consulting(port).ask(1, verdict)).toBe(verdict);
  });

  test("does not ask outside of the band, and not without a source", async () => {
    const { asked, port } = source({ lineType: "voip" });
    const { ask, spent } = consulting(port);
    for (const verdict of [
      verdictOf(),
      verdictOf("known"),
      { ...verdictOf("challenged"), action: "deny" as const },
    ]) {
      expect(await ask(1, verdict)).toBe(verdict);
    }
    expect(asked).toEqual([]);
    expect(await spent()).toBe(0);
    const verdict = verdictOf("challenged");
    expect(await consulting(null).ask(1, verdict)).toBe(verdict);
  });

  test("does not ask again about a number it remembers, whichever way the answer went", async () => {
    const { asked, port } = source({ lineType: "voip" }, { lineType: "mobile" });
    const { ask, world, spent } = consulting(port);
    for (let i = 0; i < 3; i++) {
      expect((await ask(1)).action).toBe("deny");
      expect((await ask(2)).action).toBe("allow");
      world.advance(10 * DAY * 1000 - 1);
    }
    expect(asked).toEqual([phoneOf(1), phoneOf(2)]);
    expect(await spent(), "a new day, and nothing spent in it").toBe(0);
    world.advance(3);
    await ask(1);
    expect(asked).toHaveLength(3);
  });

  test("asks again after an hour about a phone that was off", async () => {
    const { asked, port } = source({ reachable: false }, { reachable: true });
    const { ask, world } = consulting(port);
    expect((await ask()).action).toBe("step_up");
    world.advance(3_599_999);
    expect((await ask()).action).toBe("step_up");
    world.advance(1);
    expect((await ask()).action).toBe("allow");
    expect(asked).toHaveLength(2);
  });

  test("falls back to what is known when the source is silent, does not remember it, and pays all the same", async () => {
    const { asked, port } = source("silent", { lineType: "voip" });
    const { ask, spent } = consulting(port);
    const verdict = verdictOf("returned");
    expect(await ask(1, verdict)).toBe(verdict);
    expect((await ask(1, verdict)).action).toBe("deny");
    expect(asked).toHaveLength(2);
    expect(await spent()).toBe(16_000);
  });

  test("spends no more in a day than the policy lets it, however many ask at once, and goes on the next", async () => {
    const { asked, port } = source();
    const { ask, world, spent } = consulting(port);
    const verdicts = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(i)));
    expect(asked).toHaveLength(10);
    expect(await spent()).toBe(80_000);
    expect(verdicts.every(({ action }) => action === "allow")).toBe(true);
    world.advance(DAY * 1000);
    await ask(60);
    expect(asked).toHaveLength(11);
  });

  test("a cap of nothing asks nobody", async () => {
    const { asked, port } = source();
    await consulting(port, { day_cap_micros: 0 }).ask();
    expect(asked).toEqual([]);
  });

  test("a store that is silent costs the lookup and not the message", async () => {
    const silent = { kind: "unavailable" as const, cause: "no answer in 1000 ms" };
    const verdict = verdictOf("challenged");
    const first = consulting(source({ lineType: "voip" }).port);
    first.deps.insights = { ...first.deps.insights, recall: async () => silent };
    expect(await first.ask(1, verdict)).toBe(verdict);
    const second = consulting(source({ lineType: "voip" }).port);
    second.deps.budgets = { ...second.deps.budgets, spend: async () => silent };
    expect(await second.ask(1, verdict)).toBe(verdict);
  });

  test("a rule that is only recorded is reported, and stops nobody", async () => {
    const { ask } = consulting(source({ lineType: "voip" }).port);
    const after = await ask(1, verdictOf("challenged"), { ...RISK, record_only: ["number_insight"] });
    expect(after).toMatchObject({ action: "allow", pool: "challenged", recorded: "deny" });
  });

  test("what it logs names the source and the price, and nobody", async () => {
    const { ask, world } = consulting(source({ pumpingRisk: 80 }, "silent").port, { day_cap_micros: 16_000 });
    for (let i = 1; i <= 3; i++) await ask(i);
    expect(world.facts.map(({ fact }) => fact)).toEqual([
      "lookup_answered",
      "lookup_failed",
      "lookup_skipped",
    ]);
    expect(world.facts[0]?.evidence).toMatchObject({ source: "twilio", cost_micros: 8000, pumping_risk: 80 });
    const text = JSON.stringify(world.facts);
    for (let i = 1; i <= 3; i++) {
      expect(text).not.toContain(phoneOf(i).slice(1));
      expect(text).not.toContain(`number:${i}`);
    }
  });
});
