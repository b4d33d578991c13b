/** The report for people: one HTML file that loads nothing. */
import { durationText, instantText } from "../kernel/instant.ts";
import { countText, exactMoneyText, shareText } from "../kernel/text.ts";
import type { IncidentReport, TopSubjects } from "./facts.ts";
import { escapeHtml } from "./markup.ts";
import { messagesPlot } from "./plot.ts";
import { REPORT_STYLE } from "./style.ts";
import { ratioOf } from "./sums.ts";
import type { RankedSums } from "./sums-table.ts";

/** The most rows of a list on the page; the CSV files have all. */
const SHOWN = 25;

/** The whole page as text. */
export function writeReportPage(report: IncidentReport): string {
  const { fromMs, toMs, country, environment, brand, sums } = report;
  const where = country === null ? "all countries" : country;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Incident report, ${escapeHtml(instantText(fromMs))}</title>
<style>${REPORT_STYLE}</style>
<main>
<h1>Incident report: ${escapeHtml(brand)}, ${escapeHtml(environment)}</h1>
<p class="soft">${escapeHtml(instantText(fromMs))} to ${escapeHtml(instantText(toMs))}, ${escapeHtml(where)}. Written ${escapeHtml(instantText(report.writtenAtMs))}.</p>
${story(report)}
${report.faults.map((fault) => `<p class="fault">Cannot be read: ${escapeHtml(fault)}</p>`).join("\n")}
${sums.total.sent === 0 ? "" : figures(report)}
${sums.total.sent === 0 ? "" : plot(report)}
${done(report)}
${lists(report)}
${reading(report)}
</main>
</html>
`;
}

/** The course of the incident, in sentences. */
function story({
  sums,
  attack,
  ratio,
  usual,
  usualRatio,
  currency,
  silent,
  refusedTotal,
}: IncidentReport): string {
  const { total } = sums;
  if (total.sent === 0) {
    return `<p class="lead">No message left in this time. ${countText(refusedTotal)} requests were refused.</p>`;
  }
  const compared =
    usualRatio === null
      ? "There is no earlier traffic to compare with."
      : `Usually ${shareText(usualRatio)} are answered (${countText(usual.sent)} messages, ${escapeHtml(instantText(usual.fromMs))} to ${escapeHtml(instantText(usual.toMs))}).`;
  const when =
    attack === null
      ? "No stretch of it misses enough verifications to be called an attack."
      : `The attack began at <strong>${escapeHtml(instantText(attack.startMs))}</strong> and ended at <strong>${escapeHtml(instantText(attack.endMs))}</strong> (${escapeHtml(durationText(attack.endMs - attack.startMs))}): its first and last message to a range that never answered. In its minutes ${countText(attack.sums.sent)} messages left and ${countText(attack.sums.verified)} were answered.`;
  return `<p class="lead">${when}</p>
<p>In the whole window ${countText(total.sent)} messages left, ${countText(total.verified)} were answered: ${shareText(ratio)}. ${compared}
${countText(silent.count)} ranges got ${countText(silent.sums.sent)} messages and answered none; they cost ${escapeHtml(exactMoneyText(silent.sums.messageMicros, currency))} and ${escapeHtml(exactMoneyText(silent.sums.dltMicros, currency))} in DLT fees. ${countText(refusedTotal)} requests were refused, and cost nothing.</p>`;
}

function figures({
  sums: { total },
  currency,
  ratio,
  usualRatio,
  attack,
  refusedTotal,
}: IncidentReport): string {
  const figure = (title: string, value: string, more = "") =>
    `<div><dt>${escapeHtml(title)}</dt><dd>${escapeHtml(value)}${more === "" ? "" : `<small>${escapeHtml(more)}</small>`}</dd></div>`;
  return `<dl class="figures">
${figure("Messages", countText(total.sent), `${countText(total.delivered)} delivered, ${countText(total.undelivered)} not`)}
${figure("Answered", shareText(ratio), `usually ${shareText(usualRatio)}`)}
${figure("Message charges", exactMoneyText(total.messageMicros, currency))}
${figure("DLT fees", exactMoneyText(total.dltMicros, currency), "stated apart: they go to a registry")}
${figure("On unanswered messages", exactMoneyText(total.unansweredMicros, currency), "charges and fees")}
${figure("Incident alone", attack === null ? "-" : exactMoneyText(attack.sums.unansweredMicros, currency), "unanswered, charges and fees")}
${figure("Refused", countText(refusedTotal), "requests that sent nothing")}
</dl>`;
}

const plot = (report: IncidentReport): string => `<h2>Messages over time</h2>
<div class="card">${messagesPlot(report)}
<p class="key soft"><span class="answered"></span>answered<span class="unanswered"></span>unanswered<span class="stretch"></span>the incident</p></div>`;

function done({ actions, incidents }: IncidentReport): string {
  const found = incidents.map(
    ({ id, severity, posture, openedAtMs, closedAtMs, findings }) =>
      `<p><strong>${escapeHtml(id)}</strong>: ${escapeHtml(severity)}, posture up to ${escapeHtml(posture)}, opened ${escapeHtml(instantText(openedAtMs))}, ${closedAtMs === null ? "still open" : `closed ${escapeHtml(instantText(closedAtMs))}`}.</p>
${findings.length === 0 ? "" : `<ul>${findings.map((finding) => `<li>${escapeHtml(finding)}</li>`).join("")}</ul>`}`,
  );
  const rows = actions.map(({ atMs, by, what, why }) => [
    instantText(atMs),
    by === "cron" ? "Tollgate" : by,
    why === null ? what : `${what}: ${why}`,
  ]);
  return `<h2>What was found and done</h2>
${found.length === 0 ? "<p>No incident was open in this time.</p>" : found.join("\n")}
${rows.length === 0 ? "<p>Nothing was done in this time, by the watch or by people.</p>" : table(["When", "Who", "What"], rows)}`;
}

function lists(report: IncidentReport): string {
  const { currency, silent, ranges, addresses, networks, countries, providers, flows, refused } = report;
  const sumHeads = ["Messages", "Answered", "Charges", "DLT fees", "First", "Last"];
  const cells = (row: RankedSums) => [
    countText(row.sent),
    shareText(ratioOf(row)),
    exactMoneyText(row.messageMicros, currency),
    exactMoneyText(row.dltMicros, currency),
    instantText(row.firstMs),
    instantText(row.lastMs),
  ];
  const list = (title: string, head: string[], { top, count }: TopSubjects) => {
    if (count === 0) return "";
    const rows = top.slice(0, SHOWN);
    const own = ({ subject, label }: RankedSums) => (head.length === 1 ? [subject] : [subject, label ?? "-"]);
    return `<h2>${escapeHtml(title)}</h2>
${table(
  [...head, ...sumHeads],
  rows.map((row) => [...own(row), ...cells(row)]),
  head.length,
)}
${count > rows.length ? `<p class="soft">and ${countText(count - rows.length)} more</p>` : ""}`;
  };
  const refusals = refused
    .toSorted((a, b) => b.count - a.count)
    .map(({ code, count }) => [code, countText(count)]);
  return [
    list("Ranges without one verification", ["Range", "Country"], silent),
    list("All ranges", ["Range", "Country"], ranges),
    list("Addresses", ["Address", "Network"], addresses),
    list("Networks", ["Network"], networks),
    list("Countries", ["Country"], countries),
    list("Providers", ["Provider"], providers),
    list("Flows", ["Flow"], flows),
    refusals.length === 0 ? "" : `<h2>Refused requests</h2>\n${table(["Why", "Requests"], refusals, 1)}`,
  ].join("\n");
}

/** The definitions of the figures, for those who must rely on them. */
function reading({ sums: { unlisted } }: IncidentReport): string {
  const missing =
    unlisted.ranges + unlisted.addresses === 0
      ? ""
      : `<p class="fault">${countText(unlisted.ranges)} messages are in the totals and on no list of ranges, ${countText(unlisted.addresses)} on no list of addresses: there are too many different ones.</p>`;
  return `<h2>How to read this</h2>
${missing}
<p class="soft">Times are UTC. A message is answered when a correct code came back for its verification. A range is a number without its last four digits. The incident is the stretch of minutes that misses the most verifications against half the usual ratio; a quiet of an hour ends it. Charges are those the provider stated, else those of the price table. Refusals are counted for all countries. In the CSV files a text that a spreadsheet could take for a formula, like a number with its plus sign, has an apostrophe in front: strip one leading apostrophe to have it as it was.</p>`;
}

/** @param texts how many columns from the left are text; the others are figures */
function table(heads: readonly string[], rows: readonly (readonly string[])[], texts = heads.length): string {
  const kind = (at: number) => (at < texts ? (at === 0 ? ' class="nowrap"' : "") : ' class="right"');
  const head = heads.map((title, at) => `<th scope="col"${kind(at)}>${escapeHtml(title)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell, at) => `<td${kind(at)}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  return `<div class="card"><table><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}
