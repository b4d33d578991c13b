import { expect, test } from "vitest";
import { concludeReport, type ReportFacts } from "../../../../src/domain/report/facts.ts";
import { writeLetters } from "../../../../src/domain/report/letter.ts";
import type { MessageRow } from "../../../../src/domain/report/message-row.ts";
import { countReportMessage, newReportSums } from "../../../../src/domain/report/report-sums.ts";
import { message, START } from "../../../support/support-report.ts";

function report(rows: readonly Partial<MessageRow>[], over: Partial<ReportFacts> = {}) {
  const sums = newReportSums();
  for (const row of rows) countReportMessage(sums, message(row));
  return concludeReport({
    environment: "production",
    brand: "Example",
    currency: "USD",
    fromMs: START - 3_600_000,
    toMs: START + 7_200_000,
    country: "IN",
    writtenAtMs: START + 86_400_000,
    sums,
    usual: { fromMs: START - 8 * 86_400_000, toMs: START - 3_600_000, sent: 1000, verified: 800 },
    refused: [{ code: "too_many_requests", count: 4000 }],
    incidents: [],
    actions: [{ atMs: START + 60_000, by: "ada@example.com", what: "posture set", why: "stop it" }],
    faults: [],
    ...over,
  });
}

const silent = (count: number, over: Partial<MessageRow> = {}) =>
  Array.from({ length: count }, (_, i) => ({ atMs: START + i * 1000, ...over }));

test("the letter asks for credit and the AIT tag, with DLT fees apart", () => {
  const letter = writeLetters(report(silent(100)));
  expect(letter).toContain("tag this traffic as AIT");
  expect(letter).toContain("Credit we ask for: USD 3.00**");
  expect(letter).toContain("USD 0.25 in DLT registry fees");
  expect(letter).toContain("2026-11-20 22:00:00 UTC");
  expect(letter).toContain("2026-11-20 22:01:39 UTC");
  expect(letter).toContain("**80%** of 1,000");
});

test("what we cannot know is in brackets, and nobody is named who is not ours to name", () => {
  const letter = writeLetters(report(silent(10)));
  for (const blank of [
    "[your company's legal name]",
    "[account id at the provider]",
    "[Name, role, telephone]",
  ]) {
    expect(letter).toContain(blank);
  }
  expect(letter).not.toContain("ada@example.com");
  expect(letter).toContain("by our staff");
});

test("no number and no address is in it", () => {
  const letter = writeLetters(report(silent(10)));
  expect(letter).not.toContain("9876543210");
  expect(letter).not.toContain("198.51.100.7");
});

test("each provider gets a letter about what it carried, the largest first", () => {
  const letters = writeLetters(report([...silent(10), ...silent(30, { provider: "vonage_sms" })])).split(
    "\n---\n",
  );
  expect(letters).toHaveLength(2);
  expect(letters[0]).toContain("vonage\\_sms");
  expect(letters[0]).toContain("Credit we ask for: USD 0.90**");
  expect(letters[1]).toContain("Credit we ask for: USD 0.30**");
});

test("money is asked back for ranges without one verification only", () => {
  const letter = writeLetters(
    report([...silent(10), ...silent(5, { range: "+91900000" }), { range: "+91900000", verified: true }]),
  );
  expect(letter).toContain("Credit we ask for: USD 0.30**");
  expect(letter).not.toContain("+91900000");
});

test("without earlier traffic the usual ratio is left to a person", () => {
  const usual = { fromMs: 0, toMs: START - 3_600_000, sent: 0, verified: 0 };
  expect(writeLetters(report(silent(10), { usual }))).toContain("[state your usual ratio]");
});

test("what came from outside cannot make markup or lines of its own", () => {
  const letter = writeLetters(
    report(silent(10, { range: "+91|x\n# Pay me", provider: "<b>evil</b>" }), { brand: "[x](http://evil)" }),
  );
  expect(letter).not.toContain("\n# Pay me");
  expect(letter).not.toContain("<b>");
  expect(letter).not.toContain("[x](http");
});

test("a window without messages makes no claim", () => {
  expect(writeLetters(report([]))).toContain("nothing to ask back");
});
