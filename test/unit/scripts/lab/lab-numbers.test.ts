import { describe, expect, test } from "vitest";
import {
  countryOf,
  isMobile,
  numberInBlock,
  randomBlock,
  randomNumber,
} from "../../../../scripts/lab/world/numbers.ts";
import { seededRandom } from "../../../../scripts/lab/world/random.ts";

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("chance", () => {
  test("a seed gives the same sequence again, another seed another one", () => {
    const draw = (seed: string): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 20 }, () => random.next());
    };
    expect(draw("1")).toEqual(draw("1"));
    expect(draw("1")).not.toEqual(draw("2"));
  });

  test("a fork draws on its own", () => {
    const random = seededRandom("1");
    const before = random.fork("people").next();
    random.next();
    expect(random.fork("people").next()).toBe(before);
  });

  test("draws have the shape they promise", () => {
    const random = seededRandom("shapes");
    const many = <T>(draw: () => T): T[] => Array.from({ length: 20_000 }, draw);
    expect(average(many(() => random.next()))).toBeCloseTo(0.5, 1);
    expect(average(many(() => random.exponential(30)))).toBeCloseTo(30, -1);
    expect(average(many(() => random.gauss()))).toBeCloseTo(0, 1);
    const delays = many(() => random.lognormal(20, 0.8)).sort((a, b) => a - b);
    expect(delays[10_000]).toBeGreaterThan(19);
    expect(delays[10_000]).toBeLessThan(21);
    expect(many(() => random.weighted([1, 3])).filter((index) => index === 1).length / 20_000).toBeCloseTo(
      0.75,
      1,
    );
    expect(() => random.pick([])).toThrow(RangeError);
  });
});

describe("numbers", () => {
  const countries = ["IN", "US", "GB", "AE", "SG", "DE", "CA", "KE", "UZ", "BR", "NP", "MC", "AR", "ID"];

  test.each(countries)("are valid mobile numbers of %s, each of them", (country) => {
    const random = seededRandom(`numbers ${country}`);
    const numbers = Array.from({ length: 300 }, () => randomNumber(random, country));
    expect(numbers.filter((phone) => !isMobile(phone, country))).toEqual([]);
    expect(countryOf(numbers[0] as string)).toBe(country);
  });

  test("of strangers spread over many blocks, of a pump stay in one", () => {
    const random = seededRandom("blocks");
    const blockOf = (phone: string): string => phone.slice(0, -4);
    const strangers = Array.from({ length: 2000 }, () => blockOf(randomNumber(random, "IN")));
    expect(new Set(strangers).size).toBeGreaterThan(1800);
    const block = randomBlock(random, "IN");
    const pumped = Array.from({ length: 500 }, () => numberInBlock(random, block));
    expect(pumped.every((phone) => blockOf(phone) === block && isMobile(phone, "IN"))).toBe(true);
  });

  test("take a bounded number of draws each, so that worlds of tens of thousands stay cheap", () => {
    const random = seededRandom("draws");
    let draws = 0;
    const counting = {
      ...random,
      digits(count: number) {
        draws++;
        return random.digits(count);
      },
    };
    for (let at = 0; at < 4000; at++) randomNumber(counting, "IN");
    expect(draws).toBeGreaterThanOrEqual(4000);
    expect(draws / 4000).toBeLessThan(40);
  });
});
