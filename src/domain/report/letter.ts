/**
 * The letters that ask providers for the money back: to each the messages it carried, in figures that its own records can
 * confirm. Facts we cannot know are in brackets, for a person to fill in. A letter holds no number and no address: those are in
 * the table that is sent with it.
 */

import { instantText } from "../kernel/instant.ts";
import { countText, exactMoneyText, shareText } from "../kernel/text.ts";
import type { IncidentReport } from "./facts.ts";
import { escapeMarkdown } from "./markup.ts";
import { NO_MESSAGE_SUMS } from "./sums.ts";
import type { RankedSums } from "./sums-table.ts";

/** The most ranges that a letter names; the table has all. */
const NAMED_RANGES = 25;

/** The letters as one Markdown text, to the provider with the most messages first. */
export function writeLetters(report: IncidentReport): string {
  const { providers, fromMs, toMs } = report;
  if (providers.count === 0) {
    return `# No claim\n\nNo message left between ${instantText(fromMs)} and ${instantText(toMs)}: there is nothing to ask back.\n`;
  }
  return providers.top.map((sums) => letter(report, sums)).join("\n---\n\n");
}

function letter(report: IncidentReport, sums: RankedSums): string {
  const provider = sums.subject;
  const silent = report.silentParts.get(provider) ?? NO_MESSAGE_SUMS;
  const { currency, attack, usual, usualRatio, brand, country } = report;
  const money = (micros: number) => escapeMarkdown(exactMoneyText(micros, currency));
  const where = country === null ? "" : ` of ${escapeMarkdown(country)}`;
  const began = attack?.startMs ?? report.fromMs;
  const ended = attack?.endMs ?? report.toMs;
  const ranges = report.silent.top.slice(0, NAMED_RANGES);
  const more = report.silent.count - ranges.length;
  return `# Artificially inflated traffic: request for credit

To: [${escapeMarkdown(provider)}: fraud or billing department, address]
From: [your company's legal name], account [account id at the provider]
Date: ${instantText(report.writtenAtMs).slice(0, 10)}
Reference: [ticket number, once you have one]

Dear fraud team,

between **${instantText(began)}** and **${instantText(ended)}** our service ${escapeMarkdown(brand)} was made to send
one-time codes to numbers${where} whose holders never asked for them. The pattern is that of artificially inflated traffic
(AIT, also called SMS pumping). We ask you to

1. **tag this traffic as AIT** in your records and tell us your case number;
2. **credit the messages** set out below, and the carrier fees that you were or will be charged for them;
3. tell us which **carriers and aggregators** terminated the ranges below, and **withhold their share** of the revenue;
4. **block the ranges** below for our account until we ask you to open them.

## What you carried for us between ${instantText(report.fromMs)} and ${instantText(report.toMs)}

| | messages | verified | message charges | DLT fees |
| --- | ---: | ---: | ---: | ---: |
| All${country === null ? "" : ` to numbers${where}`} | ${countText(sums.sent)} | ${countText(sums.verified)} | ${money(sums.messageMicros)} | ${money(sums.dltMicros)} |
| To ranges without one verification | ${countText(silent.sent)} | ${countText(silent.verified)} | ${money(silent.messageMicros)} | ${money(silent.dltMicros)} |

**Credit we ask for: ${money(silent.messageMicros)}** in message charges${
    silent.dltMicros > 0
      ? `, and as far as you bill them ${money(silent.dltMicros)} in DLT registry fees, which we state apart`
      : ""
  }. The amounts are from our price table [compare with the invoice: number, date] and before taxes.

## Why this was not our users

- Of ${countText(sums.sent)} messages ${countText(sums.verified)} were followed by a correct code: **${shareText(sums.sent === 0 ? null : sums.verified / sums.sent)}**. ${
    usualRatio === null
      ? "We have no earlier traffic of this kind to compare with: [state your usual ratio]."
      : `In the days before, from ${instantText(usual.fromMs)} to ${instantText(usual.toMs)}, it was **${shareText(usualRatio)}** of ${countText(usual.sent)}.`
  }
- ${countText(report.silent.count)} number ranges (ten thousand numbers each) got ${countText(report.silent.sums.sent)} messages in all and returned not one correct code.
- You reported ${countText(sums.delivered)} of your messages as delivered and ${countText(sums.undelivered)} as undelivered.
- Our service refused ${countText(report.refusedTotal)} further requests in this time; nothing was sent for them.

## Ranges

${
  ranges.length === 0
    ? "None: every range answered at least once."
    : `| first digits | country | messages | verified | message charges | first message | last message |
| --- | --- | ---: | ---: | ---: | --- | --- |
${ranges
  .map(
    (range) =>
      `| ${escapeMarkdown(range.subject)} | ${escapeMarkdown(range.label ?? "-")} | ${countText(range.sent)} | 0 | ${money(range.messageMicros)} | ${instantText(range.firstMs)} | ${instantText(range.lastMs)} |`,
  )
  .join("\n")}`
}
${more > 0 ? `\nand ${countText(more)} more in \`ranges.csv\`.\n` : ""}
The figures of this table are those of all our providers together; your own messages are named in \`messages.csv\` by your
message ids.

## What we did

${report.actions.length === 0 ? "[What you did, and when.]" : actionsText(report)}

## Enclosed

- \`messages.csv\`: every message with its time (UTC), your message id, the number as far as we still hold it, the receipt, and
  whether it was verified. Texts that begin with \`+\` have an apostrophe in front, which keeps spreadsheets from reading them
  as formulas; remove it to have the number.
- \`ranges.csv\`: the same by range.
- [Add: your invoice for the period, and your police report or CERT reference, where there is one.]

\`ips.csv\` is not meant for you: it holds addresses of our users. [Enclose it only where your lawyers agree.]

Please confirm receipt and your decision by [date].

[Name, role, telephone]
`;
}

/** The most actions that a letter names; the report has all. */
const NAMED_ACTIONS = 15;

function actionsText({ actions: all }: IncidentReport): string {
  const named = all.slice(0, NAMED_ACTIONS);
  const more = all.length - named.length;
  return [
    // Names of operators are for the report: a letter to another company names no employee.
    ...named.map(
      ({ atMs, by, what }) =>
        `- ${instantText(atMs)}: ${escapeMarkdown(what)} (${by === "cron" ? "automatic" : "by our staff"})`,
    ),
    ...(more > 0 ? [`- and ${countText(more)} more`] : []),
  ].join("\n");
}
