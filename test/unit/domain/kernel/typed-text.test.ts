import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asciiDigits, codeIn, typedCode, typedNumber } from "../../../../src/domain/kernel/typed-text.ts";

/** The zeros of the scripts whose digits phones and keyboards write, and of the styles that messages use for show. */
const ZEROS = {
  "Arabic-Indic": 0x0660,
  "Extended Arabic-Indic": 0x06f0,
  Devanagari: 0x0966,
  Bengali: 0x09e6,
  Gurmukhi: 0x0a66,
  Gujarati: 0x0ae6,
  Odia: 0x0b66,
  Tamil: 0x0be6,
  Telugu: 0x0c66,
  Kannada: 0x0ce6,
  Malayalam: 0x0d66,
  Sinhala: 0x0de6,
  Thai: 0x0e50,
  Lao: 0x0ed0,
  Tibetan: 0x0f20,
  Myanmar: 0x1040,
  Khmer: 0x17e0,
  Mongolian: 0x1810,
  "full-width": 0xff10,
  Adlam: 0x1e950,
  "mathematical bold": 0x1d7ce,
  "mathematical monospace": 0x1d7f6,
};

const INVISIBLE = {
  "left-to-right mark": "\u200e",
  "right-to-left mark": "\u200f",
  "Arabic letter mark": "\u061c",
  "left-to-right embedding": "\u202a",
  "left-to-right override": "\u202d",
  "pop directional formatting": "\u202c",
  "left-to-right isolate": "\u2066",
  "first strong isolate": "\u2068",
  "pop directional isolate": "\u2069",
  "zero-width space": "\u200b",
  "zero-width non-joiner": "\u200c",
  "zero-width joiner": "\u200d",
  "word joiner": "\u2060",
  "byte order mark": "\ufeff",
  "soft hyphen": "\u00ad",
  "combining grapheme joiner": "\u034f",
  "Mongolian vowel separator": "\u180e",
  "Hangul filler": "\u3164",
  "variation selector": "\ufe0f",
};

const SPACES = {
  tab: "\t",
  "no-break space": "\u00a0",
  "Ogham space": "\u1680",
  "en quad": "\u2000",
  "em space": "\u2003",
  "figure space": "\u2007",
  "thin space": "\u2009",
  "hair space": "\u200a",
  "narrow no-break space": "\u202f",
  "mathematical space": "\u205f",
  "ideographic space": "\u3000",
};

const DASHES = ["\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\uff0d", "\ufe63"];

/** A number or code in the digits of another script. */
const inDigits = (zero: number, ascii: string) =>
  ascii.replace(/[0-9]/g, (digit) => String.fromCodePoint(zero + Number(digit)));

describe("a number as it was typed", () => {
  test.each(Object.entries(ZEROS))("in %s digits is the number", (_, zero) => {
    expect(typedNumber(inDigits(zero, "+9876543210"))).toBe("+9876543210");
  });

  test.each(Object.entries(INVISIBLE))("with a %s anywhere is the number", (_, mark) => {
    expect(typedNumber(`${mark}+44${mark} 7976${mark}${mark} 399087${mark}`)).toBe("+44 7976 399087");
  });

  test.each(Object.entries(SPACES))("with a %s between its groups has ASCII spaces", (_, space) => {
    expect(typedNumber(`${space}06${space}12${space}34 ${space}`)).toBe("06 12 34");
  });

  test.each(DASHES)("with the dash %j has ASCII dashes", (dash) => {
    expect(typedNumber(`06${dash}12${dash}34`)).toBe("06-12-34");
  });

  test.each([
    ["\uff0b\uff14\uff14 7976 399087", "+44 7976 399087"],
    ["\ufe6244 7976 399087", "+44 7976 399087"],
    ["tel:+44-7976-399087", "+44-7976-399087"],
    ["TEL:+447976399087", "+447976399087"],
    ["tel://+447976399087", "+447976399087"],
    ["tel:%2B447976399087", "+447976399087"],
    ["tel:%2b447976399087", "+447976399087"],
    ["tel: 07976 399087", "07976 399087"],
    ["(+44) 7976 399087", "+44 7976 399087"],
    ["( +44 )7976 399087", "+447976 399087"],
    ["(020) 7946 0018", "(020) 7946 0018"],
    ["+44 (0)7976 399087", "+44 (0)7976 399087"],
    ["\n+447976399087\r\n", "+447976399087"],
    ["1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e3", "123"],
    ["", ""],
  ])("%j is %j", (text, number) => {
    expect(typedNumber(text)).toBe(number);
  });

  test.each([
    "+44 7976 399087 ext. 12",
    "+44 7976 399087 x12",
    "+44 7976 399087;ext=12",
    "+44 7976 399087,,12#",
    "+44 7976 399087 / +44 7976 399088",
    "+44 7976 399087\n+44 7976 399088",
    "1-800-FLOWERS",
    "+91\u2022\u2022\u2022\u2022\u2022\u2022\u2022\u202210",
  ])("%j keeps what makes it no single number", (text) => {
    expect(typedNumber(text)).toBe(text);
    expect(typedNumber(`tel:${text}`)).toBe(text);
  });

  test("is brought to a form that stays as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const once = typedNumber(text);
        fc.pre(!/^(tel:|\()/i.test(once));
        expect(typedNumber(once)).toBe(once);
      }),
    );
  });
});

describe("a code that stands alone", () => {
  test.each(Object.entries(ZEROS))("in %s digits is the code", (_, zero) => {
    expect(typedCode(inDigits(zero, "374914"))).toBe("374914");
  });

  test.each([...Object.entries(INVISIBLE), ...Object.entries(SPACES)])("with a %s is the code", (_, mark) => {
    expect(typedCode(`${mark}374${mark}914${mark}`)).toBe("374914");
  });

  test.each([
    ["374914", "374914"],
    ["374 914", "374914"],
    ["3 7 4 9 1 4", "374914"],
    ["374\u2011914", "374914"],
    ["374.914", "374914"],
    ["[374914]", "374914"],
    ["#374914", "374914"],
    ["374914.", "374914"],
    ["G-374914", "374914"],
    ["g 374914", "374914"],
    ["FB-37491", "37491"],
    ["Code: 374914", "374914"],
    ["रमज 374914", "374914"],
    ["004914", "004914"],
    ["374914\n", "374914"],
    ["3\ufe0f\u20e37\ufe0f\u20e34\ufe0f\u20e39\ufe0f\u20e3", "3749"],
    ["12", "12"],
    ["12345678901", "12345678901"],
  ])("%j is %j", (text, code) => {
    expect(typedCode(text)).toBe(code);
  });

  test.each([
    "",
    " ",
    "G-",
    "no digits",
    "374 914 is your code",
    "12a456",
    "3749l4",
    "0x1f4d",
    "1e5x",
    "your verification code is 374914",
  ])("%j is none", (text) => {
    expect(typedCode(text)).toBeNull();
  });
});

describe("a pasted code", () => {
  test.each([
    ["123456", "123456"],
    ["123 456", "123456"],
    [" 123-456\n", "123456"],
    ["12 34 56", "123456"],
    ["1 2 3 4 5 6", "123456"],
    ["Your code is 123 456. It expires in 3 minutes.", "123456"],
    ["Your code is 123456. 3 minutes are left.", "123456"],
    ["Tollgate 24/7: 123456 is your code", "123456"],
    ["2026-11-30 14:05 936211 is your code", "936211"],
    ["936211 is your code, 2026-11-30 14:05", "936211"],
    ["30-11-26 your code is 936 211", "936211"],
    ["30/11/26 936-211", "936211"],
    ["[30.11.2026, 14:05] Bank: 936211", "936211"],
    ["+44 7976 399087: 936211", "936211"],
    ["From 0800 123456. Your code: 936211", "936211"],
    ["Rs 123456.00 paid. OTP 936211", "936211"],
    ["Rs 1,234,567 paid. OTP 936211", "936211"],
    ["G-936211 is your code", "936211"],
    ["<#> 936211 is your code\nFA+9qCX9VSu", "936211"],
    ["Reference 482913: your code is 936211.\n\n@example.com #936211", "936211"],
    ["@example.com #936211 %frame.example", "936211"],
    ["您的验证码是936211。5分钟内有效", "936211"],
    ["رمزك هو ٩٣٦٢١١ صالح لمدة ٣ دقائق", "936211"],
    ["आपका कोड ९३६ २११ है", "936211"],
    ["१२३४५६", "123456"],
    ["１２３４５６", "123456"],
    ["\u20689 3 6\u2069 2 1 1", "936211"],
    ["936\u200b211", "936211"],
    ["12", "12"],
    ["1 2", "12"],
    ["G-12", "12"],
    ["1234567", "123456"],
    ["no digits", ""],
    ["Your parcel comes on 2026-11-30 at 14:05", ""],
    ["Call +44 7976 399087", ""],
    ["Your balance is 12 now", ""],
    ["Code of 8 digits: 12345678", ""],
  ])("%j is read as %j", (text, code) => {
    expect(codeIn(text, 6)).toBe(code);
  });

  test.each([
    ["1234 is your code, 2026", 4, "1234"],
    ["Your code is 12 34.", 4, "1234"],
    ["Your code is 1234 5678, good for 10 minutes", 8, "12345678"],
    ["Your code is 123 4567", 7, "1234567"],
    ["Your code is 12345 67890", 10, "1234567890"],
    ["1234567890", 10, "1234567890"],
  ])("%j with %d digits is read as %j", (text, length, code) => {
    expect(codeIn(text, length)).toBe(code);
  });

  test("is digits only and never longer than the code", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 4, max: 10 }), (text, length) => {
        expect(codeIn(text, length)).toMatch(new RegExp(`^[0-9]{0,${length}}$`));
      }),
    );
  });

  test("in plain words is found wherever it stands", () => {
    const words = fc.stringMatching(/^[a-z ]{0,20}$/);
    fc.assert(
      fc.property(words, fc.stringMatching(/^[0-9]{6}$/), words, (before, code, after) => {
        expect(codeIn(`${before} ${code} ${after}`, 6)).toBe(code);
      }),
    );
  });
});

test("digits of other scripts are digits, and nothing else changes", () => {
  expect(asciiDigits("+٩١ ९८ x")).toBe("+91 98 x");
});
