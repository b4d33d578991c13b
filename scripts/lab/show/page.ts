/** The HTML page: a summary to show around, and every scenario over time. One file, no requests. */
import { readFileSync } from "node:fs";
import { judge, lostPercent } from "../play/goals.ts";
import type { TraceSource } from "../play/job.ts";
import { type LabReport, percent, type RuleReport } from "../play/report.ts";
import type { Series } from "../play/series.ts";
import { CURRENCY } from "../prices.ts";
import { OURS } from "../rules.ts";
import type { Goal } from "../world/build.ts";
import { notesAbout } from "./notes.ts";
import { money, sinceAttack } from "./table.ts";
import { tradeOff } from "./trade-off.ts";

/** One scenario's results; `series` go with `report.rules`. */
export interface Chapter {
  source: TraceSource;
  goal: Goal | null;
  report: LabReport;
  series: Series[];
}

/** The whole page as text. */
export function writePage(chapters: readonly Chapter[]): string {
  const data = chapters.map(({ report, series }) => ({ report, series }));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Attack lab</title>
<style>${asset("palette.css")}${asset("style.css")}</style>
<main>
<h1>What leaks, and who is wrongly stopped</h1>
<p class="lead">Honest and hostile traffic, played through the decision code on a virtual clock, beside other published
rules. The days before the counted one are learning. A person is lost who got neither a message nor another way in within
10 minutes of first asking.</p>
${headline(chapters)}
<h2>All scenarios</h2>
<p class="note">Each cell: attack messages that left, and honest people lost. Bars: leak on a logarithmic scale, loss up to
10 %.</p>
${matrix(chapters)}
<h2>One by one</h2>
<p class="note">Choose a rule to see its day. Point at a plot to read it.</p>
${chapters.map(section).join("\n")}
<footer>Written by <code>npm run lab -- --out</code>. The same seed gives the same figures.</footer>
</main>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>
<script>${asset("plots.js")}</script>
<script>${asset("view.js")}</script>
</html>
`;
}

const asset = (name: string): string => readFileSync(new URL(`./${name}`, import.meta.url), "utf8");

/** Four figures about our rule, over all scenarios; nothing where it was not played. */
function headline(chapters: readonly Chapter[]): string {
  const ours = chapters.flatMap(({ report, goal }) => {
    const mine = report.rules.find(({ rule }) => rule === OURS);
    return mine ? [{ mine, goal, unguarded: report.rules.find(({ rule }) => rule === "none") }] : [];
  });
  if (ours.length === 0) return "";
  const total = (read: (one: (typeof ours)[number]) => number): number =>
    ours.reduce((sum, one) => sum + read(one), 0);
  const asked = total(({ mine }) => mine.attack.requests);
  const left = total(({ mine }) => mine.attack.left);
  const people = total(({ mine }) => mine.honest.people);
  const lost = total(({ mine }) => mine.honest.lost);
  const spent = total(({ mine }) => mine.attack.cost_micros);
  const unguarded = total((one) => one.unguarded?.attack.cost_micros ?? 0);
  const goals = ours.filter(({ goal }) => goal !== null);
  const met = goals.filter(({ goal, mine }) => goal && judge(goal, mine).met).length;
  const figure = (value: string, text: string): string =>
    `<div class="figure"><b>${value}</b><span>${text}</span></div>`;
  return `<div class="figures">
${figure(group(left), `attack messages left, of ${group(asked)} asked for`)}
${figure(`${CURRENCY} ${money(spent)}`, unguarded > 0 ? `paid to attackers; without a guard ${money(unguarded)}` : "paid to attackers")}
${figure(`${percent(lost, people)} %`, `of ${group(people)} honest people lost`)}
${figure(`${met} of ${goals.length}`, "scenarios within their goal")}
</div>`;
}

function matrix(chapters: readonly Chapter[]): string {
  const all = new Set(chapters.flatMap(({ report }) => report.rules.map(({ rule }) => rule)));
  const rules = [...all].filter((rule) => !rule.includes("="));
  const heads = rules.map((rule) => `<th scope="col"${ours(rule)}>${escapeHtml(rule)}</th>`).join("");
  const rows = chapters.map(({ source, goal, report }, index) => {
    const wanted = goal ? `<small>goal: ${goalText(goal)}</small>` : "";
    const cells = rules.map((rule) => {
      const found = report.rules.find((one) => one.rule === rule);
      return found ? matrixCell(found, goal) : "<td></td>";
    });
    const name = `<a href="#s-${index}">${escapeHtml(source.title)}</a>`;
    return `<tr><th scope="row">${name}${wanted}</th>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table class="matrix"><thead><tr><th></th>${heads}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div>`;
}

function matrixCell(report: RuleReport, goal: Goal | null): string {
  const { attack, rule } = report;
  const lost = lostPercent(goal, report);
  const leakWidth =
    attack.left === 0 ? 0 : (Math.log10(attack.left + 1) / Math.log10(attack.requests + 1)) * 100;
  const leak =
    attack.requests === 0
      ? ""
      : `${group(attack.left)} left<i class="bar leak" style="width:${leakWidth.toFixed(0)}%"></i>`;
  const loss = `${lost} % lost<i class="bar lost" style="width:${Math.min(100, lost * 10).toFixed(1)}%"></i>`;
  return `<td${ours(rule)}>${leak}${loss}${rule === OURS ? verdictMark(report, goal) : ""}</td>`;
}

function verdictMark(report: RuleReport, goal: Goal | null): string {
  if (!goal) return "";
  const { met } = judge(goal, report);
  return met ? '<small class="met">within its goal</small>' : '<small class="missed">misses its goal</small>';
}

function section({ source, goal, report }: Chapter, index: number): string {
  const rows = report.rules.map((one) => detailRow(one, goal)).join("\n");
  const heads = [
    "",
    "requests",
    "left",
    "leaked",
    "people",
    "lost",
    "challenged",
    "other way in",
    "known lost",
    "first alert",
  ];
  const headCells = [...heads, "emergency", "left before"]
    .map((head) => `<th scope="col">${head}</th>`)
    .join("");
  return `<details id="s-${index}"${index === 0 ? " open" : ""}>
<summary>${escapeHtml(source.title)}<small>${escapeHtml(source.id)}</small></summary>
<div class="scroll"><table><thead><tr>${headCells}</tr></thead><tbody>${rows}</tbody></table></div>
${verdict(report, goal)}${notesAbout(report)
  .map((note) => `<p class="note aside">${escapeHtml(note)}</p>`)
  .join("")}
<div class="plots across">${tradeOff(report.rules, goal)}<div class="plot"></div></div>
<div class="tabs" role="group" aria-label="rule"></div>
<div class="plots day"></div>
</details>`;
}

function detailRow(report: RuleReport, goal: Goal | null): string {
  const { attack, honest, detection } = report;
  const cells = [
    group(attack.requests),
    group(attack.left),
    money(attack.cost_micros),
    group(honest.people),
    `${lostPercent(goal, report)} %`,
    `${percent(honest.challenged, honest.people)} %`,
    `${percent(honest.stepped_up, honest.people)} %`,
    group(honest.known_lost),
    sinceAttack(detection.first_alert_seconds, attack.started_seconds),
    sinceAttack(detection.emergency_seconds, attack.started_seconds),
    detection.left_before_emergency === null ? "–" : group(detection.left_before_emergency),
  ];
  const row = cells.map((cell) => `<td>${cell}</td>`).join("");
  return `<tr${ours(report.rule)}><th scope="row">${escapeHtml(report.rule)}</th>${row}</tr>`;
}

function verdict(report: LabReport, goal: Goal | null): string {
  const mine = report.rules.find(({ rule }) => rule === OURS);
  if (!goal || !mine) return "";
  const { met, missed } = judge(goal, mine);
  const text = met
    ? `Within its goal: ${goalText(goal)}.`
    : `Misses its goal (${goalText(goal)}): ${missed.join("; ")}.`;
  return `<p class="note aside ${met ? "met" : "missed"}">${text}</p>`;
}

function goalText({ left, honestLostPercent, country }: Goal): string {
  const whom = country === undefined ? "" : ` of ${country}`;
  return `${left === null ? "" : `${left} left, `}${honestLostPercent} % lost${whom}`;
}

const ours = (rule: string): string => (rule === OURS ? ' class="ours"' : "");

/** 12345 as 12,345. */
const group = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
