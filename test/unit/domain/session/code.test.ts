import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sameDigest } from "../../../../src/domain/kernel/digest.ts";
import { drawCode } from "../../../../src/domain/session/code.ts";

test("a code has as many digits as asked for, whatever the random source gives", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 10 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
      (length, bytes) => {
        const draw = (count: number) =>
          Uint8Array.from({ length: count }, () => bytes.next().value as number);
        expect(drawCode(length, draw)).toMatch(new RegExp(`^\\d{${length}}$`));
      },
    ),
  );
});

test("bytes that would favour the low digits are thrown away", () => {
  const stream = [250, 255, 251, 7, 253, 10, 19, 249, 254, 3];
  expect(drawCode(4, (count) => Uint8Array.from(stream.splice(0, count)))).toBe("7099");
});

test("digits come up alike: chi-squared over 200,000 digits stays under its 1-in-a-million bound", () => {
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 20_000; i++) {
    for (const digit of drawCode(10, (count) => randomBytes(count)))
      counts[Number(digit)] = (counts[Number(digit)] ?? 0) + 1;
  }
  const chiSquared = counts.reduce((sum, count) => sum + (count - 20_000) ** 2 / 20_000, 0);
  expect(chiSquared).toBeLessThan(45.1);
});

test("digests are the same only when they are equal", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (left, right) => {
      expect(sameDigest(left, right)).toBe(left === right);
      expect(sameDigest(left, left)).toBe(true);
    }),
  );
});
