/**
 * Turns a CSV of a service's own sends into a trace. The first line names the columns, in any order:
 *
 *   time          RFC 3339, or seconds since 1970 (needed)
 *   phone         E.164 (needed)
 *   verified_at   like time, empty when the code never came back
 *   ip, asn, ip_country, device, user, flow, label
 *
 * Rows may come in any order. A row of the same number within ten minutes of an unanswered one becomes its retry. What a
 * log cannot know is drawn: 97 of 100 pass a CAPTCHA, 60 of 100 have another factor; the same file, the same trace.
 */
import { readFileSync } from "node:fs";
import { PATIENCE_SECONDS } from "./play/askings.ts";
import { formatEvent, TraceError, type TraceEvent } from "./trace.ts";
import { roundSeconds } from "./world/honest.ts";
import { HONEST_DEFAULTS } from "./world/people.ts";
import { seededRandom } from "./world/random.ts";

const COLUMNS = [
  "time",
  "phone",
  "verified_at",
  "ip",
  "asn",
  "ip_country",
  "device",
  "user",
  "flow",
  "label",
] as const;
type Column = (typeof COLUMNS)[number];
type Row = Record<Column, string> & { line: number; atSeconds: number };

/** The lines of the trace. */
export function readCsv(path: string): string[] {
  return csvToTrace(readFileSync(path, "utf8"), path).map(formatEvent);
}

/** @param name what errors call the source */
export function csvToTrace(text: string, name: string): TraceEvent[] {
  const rows = parseRows(text, name).sort((a, b) => a.atSeconds - b.atSeconds);
  const startSeconds = Math.floor(rows[0]?.atSeconds ?? 0);
  const random = seededRandom("csv");
  const open = new Map<string, { id: string; t: number }>();
  return rows.map((row, index) => {
    const t = roundSeconds(row.atSeconds - startSeconds);
    const id = `e${index + 1}`;
    const answeredAfter = row.verified_at === "" ? null : secondsOf(row, "verified_at", name) - row.atSeconds;
    const earlier = open.get(row.phone);
    if (answeredAfter === null) open.set(row.phone, { id, t });
    else open.delete(row.phone);
    return {
      t,
      id,
      label: row.label === "attack" ? "attack" : "honest",
      phone: row.phone,
      ip: row.ip || "192.0.2.1",
      asn: Number(row.asn) || 0,
      ip_country: row.ip_country || "XX",
      device: row.device || null,
      user: row.user || null,
      flow: row.flow || "signup",
      captcha: random.chance(HONEST_DEFAULTS.captchaPass) ? "pass" : "fail",
      step_up: random.chance(HONEST_DEFAULTS.stepUpPass) ? "pass" : "fail",
      verify_after: answeredAfter === null ? null : roundSeconds(Math.max(0, answeredAfter)),
      wrong_first: 0,
      retry_of: earlier && t - earlier.t <= PATIENCE_SECONDS ? earlier.id : null,
    };
  });
}

function parseRows(text: string, name: string): Row[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const header = splitCells(lines[0] ?? "").map((cell) => cell.trim().toLowerCase());
  for (const needed of ["time", "phone"]) {
    if (!header.includes(needed)) throw new TraceError(`${name}:1: no column named ${needed}`);
  }
  return lines.slice(1).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const cells = splitCells(line);
    const cell = (column: Column): string => cells[header.indexOf(column)]?.trim() ?? "";
    const row = Object.fromEntries(COLUMNS.map((column) => [column, cell(column)])) as Record<Column, string>;
    const numbered = { ...row, line: index + 2, atSeconds: 0 };
    if (!/^\+\d{4,15}$/.test(row.phone))
      throw new TraceError(`${name}:${numbered.line}: phone is not E.164: ${row.phone}`);
    return [{ ...numbered, atSeconds: secondsOf(numbered, "time", name) }];
  });
}

/** Cells of one line; quoted ones may hold commas and doubled quotes, but no line breaks. */
function splitCells(line: string): string[] {
  const cells: string[] = [];
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
  }
  return cells;
}

function secondsOf(row: Pick<Row, Column | "line">, column: "time" | "verified_at", name: string): number {
  const text = row[column];
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
  if (!Number.isFinite(seconds))
    throw new TraceError(`${name}:${row.line}: ${column} is not a time: ${text}`);
  return seconds;
}
