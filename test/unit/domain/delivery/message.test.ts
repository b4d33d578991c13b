import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countSegments } from "../../../../src/domain/delivery/gsm7.ts";
import { lookUpLocale } from "../../../../src/domain/delivery/locale.ts";
import { type MessagePolicy, messagePolicy } from "../../../../src/domain/delivery/message.policy.ts";
import { composeMessage, type MessageParameters } from "../../../../src/domain/delivery/message.ts";
import { messageFaults } from "../../../../src/domain/delivery/message-faults.ts";
import { SHIPPED_TEXTS } from "../../../../src/domain/delivery/shipped-texts.ts";

const POLICY = messagePolicy.parse({ brand: "Tollgate", origin_host: "app.example.com" });
const CODE = { length: 6, ttl_seconds: 180, session_seconds: 600 };
const APP_HASH = "FA+9qCX9VSu";
const LOCALES = Object.keys(SHIPPED_TEXTS);
const FLOWS = ["default", "signup", "login", "recovery", "payment"];

const say = (over: Partial<MessageParameters> = {}, policy: Partial<MessagePolicy> = {}) =>
  composeMessage(
    {
      code: "491827",
      channel: "sms",
      country: "US",
      flow: "default",
      locale: null,
      ttlSeconds: 180,
      ...over,
    },
    { ...POLICY, ...policy },
  );

/** Reads a message as the WICG document says: the last line, and what follows the code is ignored. */
const originBound = (body: string) => /^@(\S+) #(\S+)(?: |$)/.exec(body.split("\n").at(-1) ?? "")?.slice(1);

/** Chromium's expression (`content/browser/sms/sms_parser.cc`), over the whole text. */
const CHROMIUM = /(?:^|\s)@([a-zA-Z0-9.-]+) #([^#\s]+)(?: @([a-zA-Z0-9.-]+))?/;

describe("a message", () => {
  test("says the code, who asks, and ends with the line for browsers", () => {
    expect(say()).toEqual({
      body: "491827 is your Tollgate code. Never share it.\n\n@app.example.com #491827",
      spoken: "Your Tollgate code is: 4, 9, 1, 8, 2, 7.",
      locale: "en",
      encoding: "gsm7",
      segments: 1,
      dlt: null,
    });
  });

  test.for(LOCALES)("in %s it fits one segment in every flow, and has the code as it is", (locale) => {
    for (const flow of FLOWS) {
      const { body, segments, encoding } = say({ locale, flow });
      expect(segments).toBe(1);
      expect(encoding).toBe(["hi", "ar"].includes(locale) ? "ucs2" : "gsm7");
      expect(body.split("\n")[0]).toMatch(/(?<!\d)491827(?!\d)/);
      expect(body.split("\n")[0]).toContain("Tollgate");
      expect(originBound(body)).toEqual(["app.example.com", "491827"]);
    }
  });

  test("flows with a text of their own differ from the others in every language", () => {
    for (const locale of LOCALES) {
      const bodies = FLOWS.map((flow) => say({ locale, flow }).body);
      expect(new Set(bodies).size).toBe(4);
      expect(say({ locale, flow: "signup" }).body).toBe(say({ locale }).body);
    }
  });

  test("only an SMS has lines for machines; a host that is empty leaves its line out", () => {
    const app_hash = APP_HASH;
    for (const channel of ["voice", "whatsapp"] as const) {
      expect(say({ channel }, { app_hash }).body).toBe("491827 is your Tollgate code. Never share it.");
    }
    expect(say({}, { origin_host: "" }).body).toBe("491827 is your Tollgate code. Never share it.");
    expect(say({}, { origin_host: "", app_hash }).body).toMatch(/\n\nFA\+9qCX9VSu$/);
  });

  test("browser and Android app both find their part of the last line", () => {
    for (const locale of LOCALES) {
      const { body } = say({ locale }, { app_hash: APP_HASH });
      expect(originBound(body)).toEqual(["app.example.com", "491827"]);
      expect(CHROMIUM.exec(body)?.slice(1, 3)).toEqual(["app.example.com", "491827"]);
      expect(body.endsWith(` ${APP_HASH}`)).toBe(true);
    }
  });

  test("the line against callers stands before the last one, in every shipped language", () => {
    for (const locale of LOCALES) {
      const lines = say({ locale }, { warn_line: true }).body.split("\n");
      expect(lines[1]).toBe(SHIPPED_TEXTS[locale]?.warnLine);
      expect(lines.at(-1)).toBe("@app.example.com #491827");
      expect(say({ locale, channel: "voice" }, { warn_line: true }).body).not.toContain("\n");
    }
  });

  test("Arabic is right-to-left from its first letter, with no brand and no invisible character at the code", () => {
    for (const flow of FLOWS) {
      const [line = ""] = say({ locale: "ar", flow }).body.split("\n");
      expect(/\p{L}/u.exec(line)?.[0]).toMatch(/\p{Script=Arabic}/u);
      expect(line).toMatch(/^491827 \p{Script=Arabic}/u);
      expect(line).not.toMatch(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
    }
  });

  test("a voice says the digits one by one, in order, and no number", () => {
    for (const locale of LOCALES) {
      const { spoken } = say({ locale, code: "004917" });
      expect(spoken.match(/\d+/g)).toEqual(["0", "0", "4", "9", "1", "7"]);
      expect(spoken).not.toContain("@");
    }
  });

  test("any code of any length stays what it is, leading zeros too", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{4,10}$/), fc.constantFrom(...LOCALES), (code, locale) => {
        const { body } = say({ code, locale });
        expect(body.split(code).length).toBeGreaterThanOrEqual(3);
        expect(originBound(body)?.[1]).toBe(code);
      }),
    );
  });
});

describe("an operator's own texts", () => {
  const templates = {
    default: {
      en: { text: "{brand}: {code}" },
      de: { text: "{code} ist Ihr Code, {minutes} Minuten gültig." },
    },
    login: {
      en: { text: "{brand} login: {code}", spoken: "Log in with {code}" },
      "pt-BR": { text: "{code} é seu." },
    },
  };

  test("go before the shipped ones of the language, also where only the default flow has one", () => {
    expect(say({ flow: "login" }, { templates }).body).toMatch(/^Tollgate login: 491827\n/);
    expect(say({ flow: "payment" }, { templates }).body).toMatch(/^Tollgate: 491827\n/);
    expect(say({ flow: "login" }, { templates }).spoken).toBe("Log in with 4, 9, 1, 8, 2, 7");
    expect(say({ flow: "payment" }, { templates }).spoken).toBe("Your Tollgate code is: 4, 9, 1, 8, 2, 7.");
  });

  test("add languages, whose voice says the digits alone", () => {
    expect(say({ locale: "de-AT" }, { templates })).toMatchObject({
      locale: "de",
      body: expect.stringMatching(/^491827 ist Ihr Code, 3 Minuten gültig\./),
      spoken: "4, 9, 1, 8, 2, 7",
    });
  });

  test("of a region take what they do not say from the language", () => {
    expect(say({ locale: "pt-BR", flow: "login" }, { templates })).toMatchObject({
      locale: "pt-BR",
      spoken: "O seu código Tollgate é: 4, 9, 1, 8, 2, 7.",
    });
    expect(say({ locale: "pt-BR", flow: "payment" }, { templates }).locale).toBe("pt");
  });

  test("may count minutes in words, and brackets are not markup", () => {
    const text = "{code} <b> {minutes, plural, one {# minute} other {# minutes}}";
    const own = { templates: { default: { en: { text } } } };
    expect(say({ ttlSeconds: 60 }, own).body).toMatch(/^491827 <b> 1 minute\n/);
    expect(say({ ttlSeconds: 61 }, own).body).toMatch(/^491827 <b> 2 minutes\n/);
  });

  test("a brand is never read as a template", () => {
    expect(say({}, { brand: "{code} '<b>" }).body).toMatch(/^491827 is your \{code\} '<b> code\./);
  });
});

describe("the language of a message", () => {
  test.for<[wanted: string | null, locale: string]>([
    ["es-419", "es"],
    ["pt-br", "pt"],
    ["in-ID", "id"],
    ["AR-eg-u-nu-arab", "ar"],
    ["hi-Latn-x-a", "hi"],
    ["zh-Hant-TW", "en"],
    ["e", "en"],
    ["", "en"],
    ["en_US", "en"],
    ["en_IN", "en"],
    ["pt_BR", "pt"],
    ["HI_in", "hi"],
    ["es_419", "es"],
    ["../../etc", "en"],
    [null, "en"],
  ])("%s is answered in %s", ([wanted, locale]) => {
    expect(say({ locale: wanted }).locale).toBe(locale);
  });

  test("people without a text get the policy's default", () => {
    expect(say({ locale: "zh" }, { default_locale: "id-ID" }).locale).toBe("id");
    expect(say({ locale: "fr" }, { default_locale: "id-ID" }).locale).toBe("fr");
  });

  test("a lookup loses subtags from the end, a single letter with what follows it", () => {
    expect(lookUpLocale(["zh-Hant-CN-x-private1"], ["zh-Hant-CN", "zh-Hant"])).toBe("zh-Hant-CN");
    expect(lookUpLocale(["zh-Hant-CN"], ["zh", "zh-Hant"])).toBe("zh-Hant");
    expect(lookUpLocale(["de-CH", "fr"], ["fr"])).toBe("fr");
    expect(lookUpLocale(["de"], ["de-CH"])).toBeNull();
  });

  test("no text that is no tag makes it throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (locale) => {
        expect(LOCALES).toContain(say({ locale }).locale);
      }),
    );
  });
});

describe("registration in India", () => {
  const ENTITY = "1101000000000000001";
  const [A, B, C] = ["1107000000000000001", "1107000000000000002", "1107000000000000003"];
  const dltOf = (template_ids: Record<string, Record<string, string>>, added_lines = false) => ({
    entity_id: ENTITY,
    template_ids,
    added_lines,
  });
  const dlt = dltOf({ default: { en: A, hi: B }, login: { en: C } });
  const toIndia = (over: Partial<MessageParameters> = {}, policy: Partial<MessagePolicy> = {}) =>
    say({ country: "IN", ...over }, { dlt, ...policy });
  const COUNTRYWIDE = FLOWS.map((name) => ({ name, servesIndia: true }));
  const faultsFor = (policy: Partial<MessagePolicy>, flows = COUNTRYWIDE) =>
    messageFaults({ ...POLICY, ...policy }, CODE, flows).faults;
  const templates = { default: { en: { text: "{code} is for {brand}." } } };

  test.for<[flow: string, locale: string | null, said: string, id: string | null]>([
    ["default", null, "491827 is your Tollgate code. Never share it.", A],
    ["default", "hi-IN", "491827 आपका Tollgate कोड है। किसी को न दें।", B],
    // Of the flow's own text, which is another than the default one.
    ["login", "en-IN", "491827 is your Tollgate login code. Never share it.", C],
    // Registered in English alone: that wins over the language asked for, and the default text's id does not go with it.
    ["login", "hi", "491827 is your Tollgate login code. Never share it.", C],
    ["login", "fr", "491827 is your Tollgate login code. Never share it.", C],
    // The flow has the default text, and its id.
    ["signup", "hi", "491827 आपका Tollgate कोड है। किसी को न दें।", B],
    ["signup", "ar", "491827 is your Tollgate code. Never share it.", A],
  ])("a text of the flow %s asked for in %s is one that is registered", ([flow, locale, body, id]) => {
    const message = toIndia({ flow, locale });
    expect(message.body).toBe(body);
    expect(message.dlt).toEqual({ entityId: ENTITY, templateId: id });
  });

  test("a text without a registration never gets another one's id, and goes as it would anywhere", () => {
    for (const locale of ["en", "hi", "fr"]) {
      expect(toIndia({ flow: "payment", locale })).toEqual(say({ flow: "payment", locale }));
      expect(toIndia({ flow: "payment", locale }).dlt).toBeNull();
    }
  });

  test("the operator's default text has its id in every flow that has no text of its own", () => {
    for (const flow of FLOWS) {
      expect(toIndia({ flow }, { templates, dlt: dltOf({ default: { en: A } }) })).toMatchObject({
        body: "491827 is for Tollgate.",
        dlt: { templateId: A },
      });
    }
  });

  test("lines that are not part of the registered text are left out, and stay where they are", () => {
    const lines = { warn_line: true, app_hash: APP_HASH };
    expect(toIndia({}, lines).body).toBe("491827 is your Tollgate code. Never share it.");
    const registered = toIndia({}, { ...lines, dlt: dltOf({ default: { en: A } }, true) });
    expect(registered.body).toBe(say({}, lines).body);
    expect(originBound(registered.body)).toEqual(["app.example.com", "491827"]);
    expect(registered.dlt?.templateId).toBe(A);
  });

  test("is for texts to India: elsewhere, and by other channels, nothing of it holds", () => {
    for (const over of [{ country: "GB" }, { country: "LK" }]) {
      expect(toIndia({ ...over, locale: "fr" })).toEqual(say({ ...over, locale: "fr" }));
    }
    for (const channel of ["whatsapp", "voice", "telegram"] as const) {
      expect(toIndia({ channel, locale: "fr" })).toEqual(say({ channel, locale: "fr" }));
    }
  });

  test("whatever is asked for, a text to India has no id or the id of its very words", () => {
    const ids = new Map([
      [A, "default en"],
      [B, "default hi"],
      [C, "login en"],
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom(...FLOWS),
        fc.constantFrom(...LOCALES, "de", "en-IN", "hi_IN"),
        (flow, locale) => {
          const { body, dlt: registration } = toIndia({ flow, locale });
          if (registration === null) return;
          const [registeredFlow = "", registeredLocale = ""] =
            ids.get(registration.templateId)?.split(" ") ?? [];
          const own = say({ flow: registeredFlow, locale: registeredLocale }, { origin_host: "" });
          expect(body).toBe(own.body);
        },
      ),
    );
  });

  test("what cannot match is a fault at start that names it", () => {
    const at = "POLICY.message.dlt.template_ids";
    const own = (flow: string) =>
      `${at}: flow ${flow} has a text of its own, registered in no language; register it under ${flow}, or give the flow a registered text`;
    expect(faultsFor({ dlt })).toEqual([own("recovery"), own("payment")]);
    expect(faultsFor({ dlt: dltOf({ default: { en: A } }) })).toEqual(
      ["login", "recovery", "payment"].map(own),
    );
    expect(faultsFor({ templates, dlt: dltOf({ default: { en: A } }) })).toEqual([]);
    expect(faultsFor({ templates, dlt: dltOf({ default: { en: A, de: B } }) })).toEqual([
      `${at}.default.de: has no text in this locale`,
    ]);
    expect(faultsFor({ templates, dlt: dltOf({ default: { en: A, hi: A } }) })).toEqual([
      `${at}.default.hi: has the id of default.en, and another text`,
    ]);
    expect(faultsFor({ templates, dlt: dltOf({ default: { en: A }, login: { en: A } }) })).toEqual([]);
    const abroad = FLOWS.map((name) => ({ name, servesIndia: name === "default" }));
    expect(faultsFor({ dlt: dltOf({ default: { en: A } }) }, abroad)).toEqual([]);
  });
});

describe("segments", () => {
  test.for<[text: string, encoding: string, units: number, segments: number]>([
    ["", "gsm7", 0, 1],
    ["a".repeat(160), "gsm7", 160, 1],
    ["a".repeat(161), "gsm7", 161, 2],
    ["a".repeat(306), "gsm7", 306, 2],
    ["a".repeat(307), "gsm7", 307, 3],
    ["€".repeat(80), "gsm7", 160, 1],
    [`${"€".repeat(80)}a`, "gsm7", 161, 2],
    // 153 has no room for half an escape: 76 to a part.
    ["€".repeat(152), "gsm7", 304, 2],
    ["€".repeat(153), "gsm7", 306, 3],
    ["ñüàéèùìòÇ[]{}~^|\\\n\r\f", "gsm7", 29, 1],
    ["ç", "ucs2", 1, 1],
    ["á", "ucs2", 1, 1],
    ["`", "ucs2", 1, 1],
    ["क".repeat(70), "ucs2", 70, 1],
    ["क".repeat(71), "ucs2", 71, 2],
    ["क".repeat(134), "ucs2", 134, 2],
    ["क".repeat(135), "ucs2", 135, 3],
    ["😀".repeat(35), "ucs2", 70, 1],
    // 67 has no room for half a pair: 33 to a part.
    ["😀".repeat(66), "ucs2", 132, 2],
    ["😀".repeat(67), "ucs2", 134, 3],
  ])("%# of %s", ([text, encoding, units, segments]) => {
    expect(countSegments(text)).toEqual({ encoding, units, segments });
  });

  test("the default alphabet has 128 places: 127 characters and the escape", () => {
    const all = Array.from({ length: 0x2100 }, (_, point) => String.fromCodePoint(point));
    const gsm = all.filter((character) => countSegments(character).encoding === "gsm7");
    expect(gsm.filter((character) => countSegments(character).units === 1)).toHaveLength(127);
    expect(gsm.filter((character) => countSegments(character).units === 2)).toHaveLength(10);
  });
});

describe("faults at the start", () => {
  const withText = (text: string, locale = "en") => ({
    ...POLICY,
    templates: { login: { [locale]: { text } } },
  });

  test("the shipped texts have none, with a usual host", () => {
    expect(messageFaults(POLICY, CODE)).toEqual({ faults: [], warnings: [] });
  });

  test.for<[text: string, fault: string]>([
    ["Your code is {cod}", "names a placeholder other than {code}, {brand} and {minutes}"],
    ["Welcome to {brand}", "does not show {code} as it is"],
    ["{code, number}", "does not show {code} as it is"],
    ["Your code is {code", "is not an ICU message"],
    ["{minutes, plural, one {{code}}}", "is not an ICU message"],
    ["", "does not show {code} as it is"],
  ])("%s", ([text, fault]) => {
    expect(messageFaults(withText(text), CODE).faults).toEqual([
      `POLICY.message.templates.login.en.text: ${fault}`,
    ]);
  });

  test.for<[kind: "text" | "spoken", text: string, fault: string | null]>([
    ["text", "{code} is your code. {code}", "shows {code} twice"],
    ["text", "{code}{code}", "shows {code} twice"],
    ["text", "{code} {minutes}", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "{minutes}{code}", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "Your code: 1-{code}", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "+91 {code}", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "Call 123456. {code}", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "{code}.00", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "{code}:30", "has a number that can be taken for {code}, or for a part of it"],
    ["text", "{code} expires in {minutes} minutes", null],
    ["text", "In {minutes} min ends {code}", null],
    ["text", "{code} ({minutes} min)", null],
    ["text", "{brand} 24/7: {code}. Help: 1800 200 300", null],
    ["text", "G-{code} is your {brand} code.", null],
    ["spoken", "{code}. Again: {code}.", null],
    ["spoken", "{code}. {minutes} minutes", "has a number beside {code}"],
    ["spoken", "Press 1, {code}", "has a number beside {code}"],
    ["spoken", "{code} für {minutes} Minuten", null],
    ["spoken", "{code} \u0926\u094b \u092e\u093f\u0928\u091f {minutes}", null],
  ])("of a template for %s: %s", ([kind, template, fault]) => {
    const policy = { ...POLICY, templates: { login: { en: { [kind]: template } } } };
    const faults = fault === null ? [] : [`POLICY.message.templates.login.en.${kind}: ${fault}`];
    expect(messageFaults(policy, CODE).faults).toEqual(faults);
  });

  test("a brand with a number in it stands nowhere beside {code}", () => {
    const policy = { ...withText("{brand} {code}"), brand: "Studio 54" };
    expect(messageFaults(policy, CODE).faults).toEqual([
      "POLICY.message.templates.login.en.text: has a number that can be taken for {code}, or for a part of it",
    ]);
    expect(messageFaults({ ...withText("{brand}: {code}"), brand: "Studio 54" }, CODE).faults).toEqual([]);
  });

  test("a locale that is none, or not as it should be written, is named", () => {
    for (const locale of ["english", "pt-br", "pt_BR", "in"]) {
      const { faults } = messageFaults(withText("{code}", locale), CODE);
      expect(faults).toEqual(
        locale === "english"
          ? []
          : [`POLICY.message.templates.login.${locale}: is not a canonical BCP 47 tag`],
      );
    }
  });

  test("a default language without a text and a registration without a text are named", () => {
    const template_ids = { default: { de: "1107000000000000001" } };
    const policy = {
      ...POLICY,
      default_locale: "de",
      dlt: { entity_id: "1101000000000000001", template_ids, added_lines: false },
    };
    expect(messageFaults(policy, CODE).faults).toEqual([
      "POLICY.message.default_locale: there is no text in de",
      "POLICY.message.dlt.template_ids.default.de: has no text in this locale",
    ]);
  });

  test("two segments are a warning with their size, once per language, and a loss for apps", () => {
    const hashed = messageFaults({ ...POLICY, app_hash: APP_HASH }, CODE);
    expect(hashed.faults).toEqual([]);
    expect(hashed.warnings).toHaveLength(2);
    expect(hashed.warnings[0]).toBe(
      "POLICY.message: hi (flow default) needs 2 segments, 81 UCS-2 characters, and no app can read it: " +
        "Android wants 140 bytes at most",
    );
    const long = messageFaults({ ...POLICY, brand: "A brand with a very long name indeed" }, CODE);
    expect(long.warnings.map((warning) => warning.slice(16, 18))).toEqual(["hi", "ar"]);
    expect(long.warnings.join()).not.toContain("Android");
  });

  test("a brand outside GSM-7 makes every text UCS-2, and that is said where it costs", () => {
    const { warnings } = messageFaults({ ...POLICY, brand: "Café ✓" }, CODE);
    expect(warnings.join("\n")).toContain("en (flow recovery) needs 2 segments, 86 UCS-2 characters");
  });
});
