import fc from "fast-check";
import { expect, test } from "vitest";
import type { RecordOnlyHit } from "../../../../src/domain/admission/risk.ts";
import { RISK_RULES } from "../../../../src/domain/admission/risk.ts";
import {
  countRulesMet,
  countSentDespiteRules,
  countVerifiedDespiteRules,
  ruleCounts,
  ruleEffectInWords,
  rulesThatWouldStop,
} from "../../../../src/domain/monitor/rule-counts.ts";
import type { CounterEntry, Counts } from "../../../../src/domain/monitor/tally.ts";

/** What the entries come to, by subject; every one of them adds to a rule. */
function tallied(entries: readonly CounterEntry[]): Record<string, Counts> {
  const sums: Record<string, Counts> = {};
  for (const { dimension, subject, metric, how } of entries) {
    if (dimension !== "rule" || !("add" in how)) throw new Error(`${dimension} ${metric}`);
    sums[subject] = { ...sums[subject], [metric]: (sums[subject]?.[metric] ?? 0) + how.add };
  }
  return sums;
}

const MET: RecordOnlyHit[] = [
  { rule: "tor", would: "challenge" },
  { rule: "country_mismatch", would: null },
];

test("a request counts for each rule it met, and by how that would have stopped it", () => {
  expect(tallied(countRulesMet(MET, "signup"))).toEqual({
    "tor/signup": { met: 1, "would:challenge": 1 },
    "country_mismatch/signup": { met: 1 },
  });
});

test("a message that left, and its answer, count for the rules that would have stopped it", () => {
  const stoppers = rulesThatWouldStop(MET, "signup");
  expect(tallied([...countSentDespiteRules(stoppers, 7000), ...countVerifiedDespiteRules(stoppers)])).toEqual(
    {
      "tor/signup": { sent: 1, micros: 7000, verified: 1 },
    },
  );
});

test("where no rule was met there is nothing to count", () => {
  expect([
    countRulesMet([], "signup"),
    rulesThatWouldStop([], "signup"),
    countSentDespiteRules([], 7000),
    countVerifiedDespiteRules([]),
  ]).toEqual([[], [], [], []]);
});

test("what was counted is told, and the unanswered cost their share of the money", () => {
  const counts = {
    met: 300,
    "would:challenge": 250,
    "would:deny": 3,
    sent: 240,
    verified: 12,
    micros: 60_000_000,
  };
  expect(ruleCounts(counts)).toEqual({
    met: 300,
    wouldChallenge: 250,
    wouldStepUp: 0,
    wouldDeny: 3,
    left: 240,
    leftVerified: 12,
    unansweredMicros: 57_000_000,
  });
});

test("no figure of a rule is below nothing or beyond what left, whatever was counted", () => {
  const metric = fc.constantFrom("met", "sent", "verified", "micros", "would:deny", "would:step_up");
  fc.assert(
    fc.property(fc.dictionary(metric, fc.nat({ max: 1e9 })), (counts) => {
      const figures = ruleCounts(counts);
      for (const figure of Object.values(figures)) expect(figure).toBeGreaterThanOrEqual(0);
      expect(figures.leftVerified).toBeLessThanOrEqual(figures.left);
      expect(figures.unansweredMicros).toBeLessThanOrEqual(counts.micros ?? 0);
    }),
  );
});

const wording = { count: String, money: (micros: number) => `€${micros / 1e6}` };

test.each<[Counts, string]>([
  [{}, "Met nothing."],
  [{ met: 30 }, "Would have stopped nothing that it met."],
  [{ met: 30, "would:deny": 4 }, "Would have stopped no message that left."],
  [
    { met: 300, "would:challenge": 240, sent: 240, verified: 12, micros: 60_000_000 },
    "Would have stopped 240 messages, of which 12 were verified by the people who asked; the other 228 cost €57.",
  ],
  [
    { met: 2, "would:challenge": 2, sent: 2, verified: 1, micros: 3_000_000 },
    "Would have stopped 2 messages, of which 1 was verified by the person who asked; the other 1 cost €1.5.",
  ],
  [
    { met: 2, "would:challenge": 2, sent: 2, micros: 3_000_000 },
    "Would have stopped 2 messages, of which none was verified; they cost €3.",
  ],
  [
    { met: 1, "would:challenge": 1, sent: 1, verified: 1, micros: 3_000_000 },
    "Would have stopped 1 message, verified by the person who asked.",
  ],
  [
    { met: 1, "would:challenge": 1, sent: 1, micros: 3_000_000 },
    "Would have stopped 1 message, which nobody verified; it cost €3.",
  ],
  [
    { met: 2, "would:challenge": 2, sent: 2, verified: 2, micros: 3_000_000 },
    "Would have stopped 2 messages, all verified by the people who asked.",
  ],
])("%j reads: %s", (counts, sentence) => {
  expect(ruleEffectInWords(ruleCounts(counts), wording)).toBe(sentence);
});

test("each rule and flow has a subject of its own", () => {
  const all = RISK_RULES.flatMap((rule) =>
    rulesThatWouldStop([{ rule, would: "deny" }], "a").concat(
      rulesThatWouldStop([{ rule, would: "deny" }], "b"),
    ),
  );
  expect(new Set(all).size).toBe(2 * RISK_RULES.length);
});
