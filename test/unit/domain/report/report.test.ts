import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvCell, csvLine } from "../../../../src/domain/kernel/csv.ts";
import { rfc3339 } from "../../../../src/domain/kernel/instant.ts";
import { findAttackWindow } from "../../../../src/domain/report/attack-window.ts";
import { concludeReport, type ReportFacts } from "../../../../src/domain/report/facts.ts";
import { reportFiles } from "../../../../src/domain/report/files.ts";
import { escapeHtml } from "../../../../src/domain/report/markup.ts";
import type { MessageRow } from "../../../../src/domain/report/message-row.ts";
import { writeReportPage } from "../../../../src/domain/report/page.ts";
import { messageBars } from "../../../../src/domain/report/plot.ts";
import { countReportMessage, newReportSums } from "../../../../src/domain/report/report-sums.ts";
import { MESSAGE_COLUMNS, messageRowCells, reportSummary } from "../../../../src/domain/report/tables.ts";
import { message, START } from "../../../support/support-report.ts";

const MINUTE = 60_000;

function facts(rows: readonly MessageRow[], over: Partial<ReportFacts> = {}): ReportFacts {
  const sums = newReportSums();
  for (const row of rows) countReportMessage(sums, row);
  return {
    environment: "production",
    brand: "Example",
    currency: "USD",
    fromMs: START - 60 * MINUTE,
    toMs: START + 120 * MINUTE,
    country: null,
    writtenAtMs: START + 200 * MINUTE,
    sums,
    usual: { fromMs: START - 8 * 86_400_000, toMs: START - 60 * MINUTE, sent: 1000, verified: 800 },
    refused: [{ code: "too_many_requests", count: 4000 }],
    incidents: [],
    actions: [],
    faults: [],
    ...over,
  };
}

/** A quiet hour in which four of five answer, an attack of half an hour that nobody answers, and quiet again. */
function attackedEvening(): MessageRow[] {
  const honest = Array.from({ length: 150 }, (_, i) =>
    message({
      id: `h${i}`,
      atMs: START - 55 * MINUTE + i * MINUTE,
      verified: i % 5 !== 0,
      range: "+91900000",
      asn: 64501,
      ip: `203.0.113.${i}`,
    }),
  );
  const attack = Array.from({ length: 600 }, (_, i) =>
    message({
      id: `a${i}`,
      atMs: START + 12_345 + i * 3000,
      range: `+9198765${i % 10}`,
      ip: `198.51.100.${i % 50}`,
      provider: i % 2 === 0 ? "twilio" : "vonage_sms",
    }),
  );
  return [...honest, ...attack].sort((a, b) => a.atMs - b.atMs);
}

test("an attack's start and end are its first and last message, to the second, whatever honest people left unanswered beside it", () => {
  const { attack } = concludeReport(facts(attackedEvening()));
  expect(rfc3339(attack?.startMs ?? 0)).toBe("2026-11-20T22:00:12Z");
  expect(rfc3339(attack?.endMs ?? 0)).toBe("2026-11-20T22:30:09Z");
  expect(attack?.sums.sent).toBeGreaterThanOrEqual(600);
});

test("a report's files do not depend on the pages its messages come in, empty ones among them", async () => {
  const rows = attackedEvening();
  const read = async (pages: readonly (readonly MessageRow[])[]) => {
    const texts: Record<string, string> = {};
    const files = reportFiles(
      facts([]),
      (async function* () {
        yield* pages;
      })(),
    );
    for await (const { name, text } of files) {
      texts[name] = "";
      for await (const piece of text) texts[name] += piece;
    }
    return texts;
  };
  const whole = await read([rows]);
  expect(whole["messages.csv"]?.split("\r\n")).toHaveLength(rows.length + 2);
  expect(JSON.parse(whole["summary.json"] ?? "").total.sent).toBe(rows.length);
  expect(await read([[], ...rows.map((row) => [row]), []])).toEqual(whole);
});

test("an honest evening has no attack in it", () => {
  const honest = attackedEvening().filter(({ id }) => id.startsWith("h"));
  expect(concludeReport(facts(honest)).attack).toBeNull();
  expect(findAttackWindow(new Map(), { sent: 100, verified: 80 })).toBeNull();
});

describe("where a pump tried its numbers in the week before, and nobody answered", () => {
  const usual = { fromMs: START - 8 * 86_400_000, toMs: START - 60 * MINUTE, sent: 4, verified: 0 };

  test("the attack is an attack all the same", () => {
    const pumped = Array.from({ length: 900 }, (_, i) => message({ atMs: START + i * 1000 }));
    const { attack } = concludeReport(facts(pumped, { usual }));
    expect(attack).toMatchObject({ startMs: START, endMs: START + 899_000, sums: { sent: 900 } });
  });

  test("an empty window is a report without one, and every file of it can be written", async () => {
    const names: string[] = [];
    const empty = (async function* () {
      yield [];
    })();
    for await (const { name, text } of reportFiles(facts([], { usual }), empty)) {
      for await (const _ of text);
      names.push(name);
    }
    expect(names).toHaveLength(6);
    expect(concludeReport(facts([], { usual })).attack).toBeNull();
  });
});

test("of two attacks far apart the larger one is named", () => {
  const burst = (atMs: number, count: number) =>
    Array.from({ length: count }, (_, i) => message({ atMs: atMs + i * 1000 }));
  const { attack } = concludeReport(facts([...burst(START, 40), ...burst(START + 600 * MINUTE, 200)]));
  expect(attack?.startMs).toBe(START + 600 * MINUTE);
});

test("costs stand apart from DLT fees, and unanswered ones hold both", () => {
  const report = concludeReport(facts([message(), message({ verified: true })]));
  expect(report.sums.total).toMatchObject({
    sent: 2,
    verified: 1,
    messageMicros: 60_000,
    dltMicros: 5_000,
    unansweredMicros: 32_500,
  });
});

test("ranges that answered once are not among the silent ones, and each provider has its part of those", () => {
  const report = concludeReport(
    facts([...attackedEvening(), message({ range: "+91987650", verified: true })]),
  );
  expect(report.silent.top.map(({ subject }) => subject)).not.toContain("+91987650");
  expect(report.silent.count).toBe(9);
  const parts = [...report.silentParts.values()].reduce((sum, { sent }) => sum + sent, 0);
  expect(parts).toBe(report.silent.sums.sent);
  expect(report.silentParts.get("vonage_sms")?.sent).toBe(300);
});

test("what comes after the most subjects is in the totals and said to be on no list", () => {
  const sums = newReportSums();
  for (let i = 0; i < 5; i++)
    countReportMessage(sums, message({ range: `+9190000${i}`, ip: `192.0.2.${i}` }), 3);
  expect(sums.total.sent).toBe(5);
  expect([sums.ranges.places.size, sums.addresses.places.size, sums.unlisted]).toEqual([
    3,
    3,
    { ranges: 2, addresses: 2 },
  ]);
});

test("the bars of the plot hold every message once", () => {
  const report = concludeReport(facts(attackedEvening()));
  const total = messageBars(report).bars.reduce(
    (sum, { answered, unanswered }) => sum + answered + unanswered,
    0,
  );
  expect(total).toBe(report.sums.total.sent);
});

/** A reader of RFC 4180 that knows nothing of the writer. */
function readCsvLine(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (cell.lastIndex < line.length) {
    const [, quoted, bare, end] = cell.exec(line) ?? ["", "", "", ""];
    cells.push(quoted === undefined ? (bare ?? "") : quoted.replaceAll('""', '"'));
    if (end === "\r\n") break;
  }
  return cells;
}

const strip = (text: string) => (text.startsWith("'") ? text.slice(1) : text);

test("every text comes back as it was, one leading apostrophe stripped", () => {
  const hostile = fc.constantFrom(
    "=1+1",
    "+919876543210",
    "-2",
    "@SUM(A1)",
    "'",
    "\t=1",
    "\r\n=1",
    " =1",
    "＝1",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: "binary" }), hostile), { minLength: 1 }), (texts) => {
      expect(readCsvLine(csvLine(texts)).map(strip)).toEqual(texts);
    }),
  );
});

test("no cell of text begins with what a spreadsheet takes for a formula", () => {
  const lead = fc.constantFrom(
    "=",
    "+",
    "-",
    "@",
    "＝",
    "＋",
    "－",
    "＠",
    "\t",
    "\r",
    "\n",
    " ",
    "\u200b",
    "\u00a0",
  );
  fc.assert(
    fc.property(fc.array(lead, { minLength: 1, maxLength: 4 }), fc.string(), (leads, rest) => {
      const [read = ""] = readCsvLine(csvLine([leads.join("") + rest]));
      if (/[=+\-@＝＋－＠\t\r\n]/.test(leads.join(""))) expect(read.startsWith("'")).toBe(true);
    }),
  );
});

test("a phone number keeps its plus behind an apostrophe, and figures stand bare", () => {
  expect(csvCell("+919876543210")).toBe(`"'+919876543210"`);
  expect([csvCell(-5), csvCell(null), csvCell(true)]).toEqual(["-5", "", "true"]);
  const cells = messageRowCells(message({ number: null, ip: null }), "USD");
  expect(cells).toHaveLength(MESSAGE_COLUMNS.length);
  expect(cells[MESSAGE_COLUMNS.indexOf("number")]).toBeNull();
});

test("nothing that came from outside is markup in the page", () => {
  const nasty = `<script>alert("1")</script>`;
  const page = writeReportPage(
    concludeReport(
      facts([message({ range: nasty, ip: nasty, provider: nasty, flow: nasty, country: nasty })], {
        brand: nasty,
        actions: [{ atMs: START, by: nasty, what: nasty, why: nasty }],
        incidents: [
          {
            id: nasty,
            openedAtMs: START,
            closedAtMs: null,
            severity: nasty,
            posture: nasty,
            findings: [nasty],
          },
        ],
        refused: [{ code: nasty, count: 1 }],
        faults: [nasty],
      }),
    ),
  );
  expect(page).not.toContain("<script");
  expect(page).toContain(escapeHtml(nasty));
});

test("no number is in the page or the summary", () => {
  const report = concludeReport(facts([message()]));
  expect(writeReportPage(report) + JSON.stringify(reportSummary(report))).not.toContain("9876543210");
});

test("the page tells when it began, what it cost, who did what, and asks nobody for anything", () => {
  const page = writeReportPage(
    concludeReport(
      facts(attackedEvening(), {
        actions: [{ atMs: START, by: "ada", what: "posture set", why: "stop it" }],
      }),
    ),
  );
  expect(page).toContain("2026-11-20 22:00:12 UTC");
  expect(page).toContain("posture set: stop it");
  expect(page).toContain("DLT fees");
  expect(page).not.toMatch(/(src|href)=/);
  expect(page).toContain("prefers-color-scheme:dark");
  expect(page).toContain("@media print");
});

test("an empty window is a report too", () => {
  const report = concludeReport(facts([], { refused: [] }));
  expect(writeReportPage(report)).toContain("No message left in this time");
  expect(JSON.parse(JSON.stringify(reportSummary(report)))).toMatchObject({
    incident: null,
    ratio: null,
    total: { sent: 0, first_at: null },
  });
});
