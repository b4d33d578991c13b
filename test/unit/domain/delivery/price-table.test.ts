import { existsSync, readFileSync } from "node:fs";
import { isSupportedCountry } from "libphonenumber-js/max";
import { describe, expect, test } from "vitest";
import { messagePriceMicros } from "../../../../src/domain/delivery/money.ts";
import { parsePriceTable } from "../../../../src/domain/delivery/price-table.ts";

const HEADER = "country,provider,channel,message_micros,dlt_micros,source,date";
const DEFAULT = "*,twilio,sms,500000,0,list,2026-01-31";
const parse = (...lines: string[]) => parsePriceTable(lines.join("\n"), isSupportedCountry);
const faultsOf = (...lines: string[]) => {
  const table = parse(...lines);
  return table.ok ? [] : table.faults;
};

describe("a table without fault becomes price rows", () => {
  const row = { country: "IN", provider: "twilio", channel: "sms", message_micros: 2778, dlt_micros: 278 };
  const fallback = {
    country: "*",
    provider: "twilio",
    channel: "sms",
    message_micros: 500000,
    dlt_micros: 0,
  };

  test.each([
    ["plain", [HEADER, DEFAULT, "IN,twilio,sms,2778,278,page,2026-01-31"]],
    [
      "comments and empty lines",
      ["# prices", "", HEADER, "#", DEFAULT, "IN,twilio,sms,2778,278,page,2026-01-31", ""],
    ],
    ["spaces around fields", [HEADER, DEFAULT, " IN , twilio , sms , 2778 , 278 , page , 2026-01-31 "]],
    [
      "Windows line ends and a byte order mark",
      [`\uFEFF${HEADER}\r`, `${DEFAULT}\r`, "IN,twilio,sms,2778,278,page,2026-01-31\r"],
    ],
  ])("%s", (_, lines) => {
    expect(parse(...lines)).toEqual({ ok: true, currency: "USD", rows: [fallback, row] });
  });

  test("columns in another order", () => {
    const lines = [
      "date,source,dlt_micros,message_micros,channel,provider,country",
      "2026-01-31,page,278,2778,sms,twilio,*",
    ];
    expect(parse(...lines)).toEqual({ ok: true, currency: "USD", rows: [{ ...row, country: "*" }] });
  });
});

describe("every fault is named by line and column", () => {
  test.each([
    ["country is unknown", "XX,twilio,sms,1,0,list,2026-01-31"],
    ["country is unknown", "in,twilio,sms,1,0,list,2026-01-31"],
    ["country is unknown", ",twilio,sms,1,0,list,2026-01-31"],
    ["message_micros is negative", "IN,twilio,sms,-1,0,list,2026-01-31"],
    ["message_micros is not a whole number", "IN,twilio,sms,0.5,0,list,2026-01-31"],
    ["message_micros is not a whole number", "IN,twilio,sms,1e3,0,list,2026-01-31"],
    ["message_micros is not a whole number", "IN,twilio,sms,,0,list,2026-01-31"],
    ["message_micros is not a whole number", "IN,twilio,sms,9999999999999999,0,list,2026-01-31"],
    ["dlt_micros is negative", "IN,twilio,sms,1,-278,list,2026-01-31"],
    ["dlt_micros is not a whole number", "IN,twilio,sms,1,none,list,2026-01-31"],
    ["source is empty", "IN,twilio,sms,1,0,,2026-01-31"],
    ["date is not of the form 2026-01-31", "IN,twilio,sms,1,0,list,31.1.2026"],
    ["date is not of the form 2026-01-31", "IN,twilio,sms,1,0,list,2026-13-01"],
    ["has 6 fields instead of 7", "IN,twilio,sms,1,0,list"],
    ["has 8 fields instead of 7", "IN,twilio,sms,1,0,list, of 2026,2026-01-31"],
    ["has a quotation mark, and quoted fields are not read", 'IN,twilio,sms,1,0,"list",2026-01-31'],
    ["country, provider and channel are those of line 2", "*,twilio,sms,1,0,list,2026-01-31"],
    ["twilio voice has no row with country *", "IN,twilio,voice,1,0,list,2026-01-31"],
    ["vonage sms has no row with country *", "IN,vonage,sms,1,0,list,2026-01-31"],
  ])("%s: %s", (fault, line) => {
    expect(faultsOf(HEADER, DEFAULT, line)).toEqual([`line 3: ${fault}`]);
  });

  test.each([
    ["provider is not a name in lower case", "*,Twilio,sms,1,0,list,2026-01-31"],
    ["channel is none of sms, voice, whatsapp, telegram", "*,twilio,mms,1,0,list,2026-01-31"],
  ])("%s: %s", (fault, line) => {
    expect(faultsOf(HEADER, line)).toEqual([`line 2: ${fault}`]);
  });

  test.each([
    [["line 1: the header is missing"], ["# nothing", ""]],
    [["line 1: the table has no rows"], [HEADER]],
    [["line 2: column dlt_micros is missing"], ["# prices", HEADER.replace("dlt_micros,", ""), DEFAULT]],
    [["line 1: column note is unknown"], [`${HEADER},note`, DEFAULT]],
    [["line 1: column date is there twice"], [`${HEADER},date`, DEFAULT]],
    [
      [
        "line 1: column country is missing",
        "line 1: column source is missing",
        "line 1: column land is unknown",
      ],
      ["land,provider,channel,message_micros,dlt_micros,date", DEFAULT],
    ],
  ])("%j", (faults, lines) => {
    expect(faultsOf(...lines)).toEqual(faults);
  });

  test("all faults of a table come at once, and comments count as lines", () => {
    const lines = ["# prices", HEADER, "XX,twilio,sms,-1,x,,", "# more", "IN,twilio"];
    expect(faultsOf(...lines)).toEqual([
      "line 5: has 2 fields instead of 7",
      "line 3: country is unknown",
      "line 3: message_micros is negative",
      "line 3: dlt_micros is not a whole number",
      "line 3: source is empty",
      "line 3: date is not of the form 2026-01-31",
      "line 3: twilio sms has no row with country *",
    ]);
  });
});

describe("the shipped table", () => {
  const text = readFileSync("src/data/prices.csv", "utf8");
  const table = parsePriceTable(text, isSupportedCountry);
  const rows = table.ok ? table.rows : [];
  const smsOf = (provider: string) =>
    rows.filter((row) => row.provider === provider && row.channel === "sms" && row.country !== "*");

  test("parses without fault", () => {
    expect(table).toMatchObject({ ok: true });
  });

  test.each([
    ["twilio", ["sms", "voice", "whatsapp"]],
    ["vonage", ["sms", "voice", "whatsapp"]],
    ["msg91", ["sms", "voice", "whatsapp"]],
    ["webhook", ["sms", "voice", "whatsapp"]],
    ["sandbox", ["sms", "voice", "whatsapp"]],
    ["startmessaging", ["sms"]],
  ] as const)("%s has a default for %j", (provider, channels) => {
    for (const channel of channels)
      expect(messagePriceMicros(rows, "AQ", provider, channel)).toBeGreaterThan(0);
  });

  test.each(["twilio", "vonage"])(
    "%s has at least 60 countries, and its default is above nearly all",
    (provider) => {
      const prices = smsOf(provider);
      const fallback = messagePriceMicros(rows, "AQ", provider, "sms");
      expect(prices.length).toBeGreaterThanOrEqual(60);
      expect(prices.filter((row) => row.message_micros > fallback).map((row) => row.country)).toEqual(
        provider === "twilio" ? ["RU"] : [],
      );
    },
  );

  test.each([
    ["startmessaging", 0.25],
    ["msg91", 0.25],
  ])(
    "%s in India costs %d INR and the scrubbing fee of 0.025 INR, at 90 INR to the dollar",
    (provider, inr) => {
      const [row] = smsOf(provider);
      expect(row).toMatchObject({
        country: "IN",
        message_micros: Math.ceil((inr / 90) * 1e6),
        dlt_micros: Math.ceil((0.025 / 90) * 1e6),
      });
    },
  );

  test.each([
    ["IN", 3_000],
    ["GB", 7_500],
  ])("a sandbox message to %s costs %d micros, so that local experiments show money", (country, micros) => {
    expect(messagePriceMicros(rows, country, "sandbox", "sms")).toBe(micros);
  });

  const reference = "../shared/data/sms_list_prices_2019.json";
  test.skipIf(!existsSync(reference))(
    `no price is under the list price of 2019 (skipped without ${reference})`,
    () => {
      const { prices_usd: lows } = JSON.parse(readFileSync(reference, "utf8"));
      const priced = [...smsOf("twilio"), ...smsOf("vonage")];
      const compared = priced.filter((row) => row.country in lows);
      expect(compared.length).toBeGreaterThan(120);
      const under = compared.filter((row) => row.message_micros < Math.round(lows[row.country].low * 1e6));
      expect(under).toEqual([]);
    },
  );
});
