import { expect, test } from "vitest";
import {
  formatOperatorTokenEntry,
  isOperatorName,
  isReadableText,
  parseOperatorTokens,
} from "../../../../src/domain/access/operator.ts";

const HASH = `${"0".repeat(63)}a`;

test("entries are read back as they were written", () => {
  const tokens = [
    { who: "ada", role: "operator" as const, hash: HASH },
    { who: "night-shift", role: "viewer" as const, hash: HASH.replace("a", "b") },
  ];
  const text = tokens.map(formatOperatorTokenEntry).join(", ");
  expect(parseOperatorTokens(text)).toEqual({ ok: true, tokens });
});

test("no entries are no tokens", () => {
  expect(parseOperatorTokens("")).toEqual({ ok: true, tokens: [] });
});

test.each([
  `ada:admin:${HASH}`,
  `ada:operator:${HASH.slice(1)}`,
  `ada:operator:${HASH.toUpperCase()}`,
  `Ada:operator:${HASH}`,
  `:operator:${HASH}`,
  `ada:operator:${HASH}:more`,
  `ada:operator:${HASH},`,
])("%j is refused by its place and not repeated", (text) => {
  const parsed = parseOperatorTokens(text);
  expect(parsed.ok).toBe(false);
  expect(JSON.stringify(parsed)).not.toContain(HASH.slice(0, 20));
  expect(!parsed.ok && parsed.faults[0]).toMatch(/^entry [12] is not/);
});

test("nobody has the name of the watch", () => {
  expect(parseOperatorTokens(`cron:operator:${HASH}`)).toEqual({
    ok: false,
    faults: ["entry 1 has the name of the watch"],
  });
  expect(isOperatorName("cron")).toBe(false);
});

test("two entries of one name are refused: a log must tell them apart", () => {
  const parsed = parseOperatorTokens(`ada:viewer:${HASH},ada:operator:${HASH}`);
  expect(parsed).toEqual({ ok: false, faults: ["entry 2 has the name of another"] });
});

test.each([
  ["receipts stopped", true],
  ["क्‍ष 👩‍👩‍👧 — très bien", true],
  ["two\nlines", false],
  ["half \ud83d", false],
  ["shut \u202etuhs", false],
  ["\u2066isolated", false],
])("a reason like %j is readable: %j", (text, readable) => {
  expect(isReadableText(text)).toBe(readable);
});

test("names are short, lower-case and never look like an address", () => {
  expect(["ada", "a1-b", "Ada", "a b", "a@b.c", "a".repeat(41), ""].map(isOperatorName)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
