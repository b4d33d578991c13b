import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Channel } from "../../../../src/domain/kernel/channel.ts";
import { numberPolicy } from "../../../../src/domain/kernel/phone.policy.ts";
import { parsePhoneFor, refuseNumber } from "../../../../src/domain/kernel/phone.ts";

const ROWS = readFileSync("test/unit/domain/kernel/numbers.csv", "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [typed, region, channel, result, type, form] = line.split("|");
    return {
      typed: JSON.parse(`"${typed}"`) as string,
      region: region || undefined,
      channel: channel as Channel,
      result,
      type,
      form,
    };
  });

/** What a send makes of a number as it was typed, before it asks anybody. */
function read({ typed, region, channel }: (typeof ROWS)[number]) {
  const phone = parsePhoneFor(channel, typed, region);
  if ("kind" in phone) return phone;
  return refuseNumber(phone, channel, numberPolicy.parse({}), { allow: ["*"], deny: [] }) ?? phone;
}

test("the table has at least 300 rows, of at least 60 countries, each row once", () => {
  const countries = ROWS.map((row) => read(row)).map((phone) =>
    "country" in phone ? phone.country : "none",
  );
  expect(ROWS.length).toBeGreaterThanOrEqual(300);
  expect(new Set(countries).size).toBeGreaterThan(60);
  expect(new Set(ROWS.map((row) => JSON.stringify(row))).size).toBe(ROWS.length);
});

describe("a number is read as its country writes it", () => {
  test.each(ROWS)("$typed in $region by $channel is $result ($form)", (row) => {
    const { result, type } = row;
    const phone = read(row);
    if (result === "number_invalid") expect(phone).toEqual({ kind: result });
    else if (result === "number_type_refused") expect(phone).toEqual({ kind: result, numberType: type });
    else expect(phone).toMatchObject({ e164: result, type });
  });
});

test("a number in E.164 is read as itself, by the channel it was read for", () => {
  for (const row of ROWS.filter(({ result }) => result?.startsWith("+"))) {
    expect(parsePhoneFor(row.channel, row.result ?? "", undefined)).toMatchObject({ e164: row.result });
  }
});
