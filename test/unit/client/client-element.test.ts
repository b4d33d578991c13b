import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { deadlineIn } from "../../../src/client/client.ts";
import { explain, type Trouble } from "../../../src/client/element/trouble.ts";
import { en } from "../../../src/client/element/words/en.ts";
import { formatDuration, languageOf } from "../../../src/client/element/words/words.ts";
import { readProblem } from "../../../src/client/outcomes.ts";
import { PROBLEM_CODES } from "../../../src/http/contract.ts";
import { bundleElement } from "../../browser/element-host.ts";

const LANGUAGES = ["en", "hi", "es", "pt", "fr", "ar", "id"];

describe("the form's words", () => {
  test.each(LANGUAGES)("in %s every sentence is there, with the same holes as in English", (tag) => {
    const { words } = languageOf([tag]);
    const holes = (sentence: string) => sentence.match(/\{\w+\}/g) ?? [];
    for (const [name, sentence] of Object.entries(en)) {
      const translated = words[name as keyof typeof en];
      expect([name, holes(translated)]).toEqual([name, holes(sentence)]);
      expect(/[.?]$/.test(sentence)).toBe(/[.?।؟]$/.test(translated));
      if (tag !== "en") expect([name, translated]).not.toEqual([name, sentence]);
    }
  });

  test("the first language that there are words for is taken, else English", () => {
    expect(languageOf(["de-DE", "pt-BR", "en"]).tag).toBe("pt-BR");
    expect(languageOf(["de", "EN-GB", "fr"])).toMatchObject({ words: en, direction: "ltr" });
    expect(languageOf(["constructor", ""]).words).toBe(en);
    expect(languageOf(["ar-EG"]).direction).toBe("rtl");
    expect(languageOf(["fr-"]).tag).toBe("fr");
  });

  test.each([
    [0, "0:00"],
    [42, "0:42"],
    [125, "2:05"],
    [3599, "59:59"],
    [3601, "2 hours"],
  ])("%d seconds are read as %s", (seconds, words) => {
    expect(formatDuration(seconds, "en")).toBe(words);
  });

  test.each(PROBLEM_CODES)("the problem %s is a sentence, and not the service's own", (code) => {
    const body = { code, title: "<b>SERVER</b>", attempts_left: 3, errors: [] };
    const { text } = explain(readProblem(400, body, 0), en);
    expect(text).toMatch(/^[A-Z].*\.$/);
    expect(text).not.toContain("SERVER");
  });

  test("problems of a newer service and strange answers are sentences too", () => {
    const unknown = readProblem(400, { code: "title" as never }, 0);
    const troubles: Trouble[] = [unknown, { kind: "unreadable", status: 502, retry: deadlineIn(0) }];
    for (const trouble of troubles) expect(explain(trouble, en).text).toBe(en.broken);
  });
});

describe("the element's bundle", () => {
  test("is under 45 kB gzipped, with its languages and the metadata of all countries", async () => {
    const script = await bundleElement();
    for (const tag of LANGUAGES) expect(script).toContain(languageOf([tag]).words.done);
    expect(script).toContain("country_calling_codes");
    expect(gzipSync(script, { level: 9 }).length).toBeLessThan(45_000);
  });

  test("can be imported where there are no elements, on a server that renders pages", async () => {
    expect(typeof HTMLElement).toBe("undefined");
    const script = Buffer.from(await bundleElement()).toString("base64");
    expect(await import(`data:text/javascript;base64,${script}`)).toHaveProperty("TollgateForm");
  });
});
