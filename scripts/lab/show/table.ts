/** The table in the terminal: one block a scenario, one line a rule. */
import { judge, lostPercent } from "../play/goals.ts";
import type { TraceSource } from "../play/job.ts";
import { percent, type RuleReport } from "../play/report.ts";
import { OURS } from "../rules.ts";
import type { Goal } from "../world/build.ts";

/** Colours, or nothing where they would be noise. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** @param coloured false for files, pipes and NO_COLOR */
export function paint(coloured: boolean): Paint {
  const wrap = (code: string) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: wrap("1"), dim: wrap("2"), good: wrap("32"), bad: wrap("31") };
}

const HEADINGS = [
  "requests",
  "left",
  "leaked",
  "people",
  "lost",
  "challenged",
  "known lost",
  "first alert",
  "emergency",
];
const WIDTHS = [9, 8, 10, 7, 9, 10, 10, 11, 10];
const RULE_WIDTH = 17;

/** The lines of one scenario's block, without a final line break. */
export function scenarioBlock(
  source: TraceSource,
  goal: Goal | null,
  reports: readonly RuleReport[],
  colours: Paint,
): string {
  const { bold, dim } = colours;
  const width = Math.max(RULE_WIDTH, ...reports.map(({ rule }) => rule.length + 1));
  const wanted = goal ? dim(`  (at most ${describeGoal(goal)})`) : "";
  const head = dim("".padEnd(width) + HEADINGS.map((text, at) => text.padStart(WIDTHS[at] ?? 0)).join(" "));
  const lines = reports.map((report) => ruleLine(report, goal, width, colours));
  return [`${bold(source.id)}  ${source.title}${wanted}`, head, ...lines].join("\n");
}

function describeGoal({ left, honestLostPercent, country }: Goal): string {
  const whom = country === undefined ? "honest" : `of ${country}'s people`;
  const lost = `${honestLostPercent} % ${whom} lost`;
  return left === null ? lost : `${left} left, ${lost}`;
}

function ruleLine(report: RuleReport, goal: Goal | null, width: number, { bold, good, bad }: Paint): string {
  const { attack, honest, detection } = report;
  const noAttack = attack.started_seconds === null;
  const cells = [
    noAttack ? "-" : String(attack.requests),
    noAttack ? "-" : String(attack.left),
    noAttack ? "-" : money(attack.cost_micros),
    String(honest.people),
    `${lostPercent(goal, report).toFixed(2)} %`,
    `${percent(honest.challenged, honest.people).toFixed(1)} %`,
    String(honest.known_lost),
    sinceAttack(detection.first_alert_seconds, attack.started_seconds),
    sinceAttack(detection.emergency_seconds, attack.started_seconds),
  ];
  const ours = report.rule === OURS || report.rule.startsWith(`${OURS} `);
  const name = report.rule.padEnd(width);
  const line = (ours ? bold(name) : name) + cells.map((text, at) => text.padStart(WIDTHS[at] ?? 0)).join(" ");
  if (!ours || goal === null) return line;
  const { met, missed } = judge(goal, report);
  return met ? `${line}  ${good("ok")}` : `${line}  ${bad(`misses: ${missed.join("; ")}`)}`;
}

/** Micros as units of the currency. */
export const money = (micros: number): string => (micros / 1_000_000).toFixed(2);

/** How long after the attack's first request; in a trace without one, the time of day. */
export function sinceAttack(seconds: number | null, startedSeconds: number | null): string {
  if (seconds === null) return "-";
  if (startedSeconds === null) {
    const minutes = Math.floor((seconds % 86_400) / 60);
    const pad = (value: number): string => String(value).padStart(2, "0");
    return `at ${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  }
  const minutes = Math.ceil((seconds - startedSeconds) / 60);
  return minutes < 0 ? "before" : `+${minutes} min`;
}
