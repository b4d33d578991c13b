/** The columns and cells of the report's CSV files, and its summary for programs. */
import type { Cell } from "../kernel/csv.ts";
import { rfc3339 } from "../kernel/instant.ts";
import type { IncidentReport, TopSubjects } from "./facts.ts";
import type { MessageRow } from "./message-row.ts";
import { type MessageSums, ratioOf } from "./sums.ts";
import type { RankedSums } from "./sums-table.ts";

/** The columns of `messages.csv`. */
export const MESSAGE_COLUMNS = [
  "sent_at",
  "provider",
  "message_id",
  "number",
  "country",
  "range",
  "channel",
  "flow",
  "delivered",
  "verified",
  "message_micros",
  "dlt_micros",
  "currency",
  "ip",
  "network",
  "correlation_id",
] as const;

/** The cells of one message. A number or an address that is no longer kept is an empty cell. */
export const messageRowCells = (row: MessageRow, currency: string): Cell[] => [
  rfc3339(row.atMs),
  row.provider,
  row.messageId,
  row.number,
  row.country,
  row.range,
  row.channel,
  row.flow,
  row.delivered === null ? "unknown" : row.delivered ? "yes" : "no",
  row.verified ? "yes" : "no",
  row.messageMicros,
  row.dltMicros,
  currency,
  row.ip,
  row.asn === null ? null : `AS${row.asn}`,
  row.correlationId,
];

const SUM_COLUMNS = [
  "sent",
  "verified",
  "ratio",
  "delivered",
  "undelivered",
  "message_micros",
  "dlt_micros",
  "unanswered_micros",
  "currency",
  "first_at",
  "last_at",
] as const;

const sumCells = (sums: MessageSums, currency: string): Cell[] => [
  sums.sent,
  sums.verified,
  rounded(ratioOf(sums)),
  sums.delivered,
  sums.undelivered,
  sums.messageMicros,
  sums.dltMicros,
  sums.unansweredMicros,
  currency,
  rfc3339(sums.firstMs),
  rfc3339(sums.lastMs),
];

/** The columns of `ranges.csv`. */
export const RANGE_COLUMNS = ["range", "country", ...SUM_COLUMNS] as const;
/** The cells of one range. */
export const rangeCells = (row: RankedSums, currency: string): Cell[] => [
  row.subject,
  row.label,
  ...sumCells(row, currency),
];

/** The columns of `ips.csv`. */
export const ADDRESS_COLUMNS = ["ip", "network", ...SUM_COLUMNS] as const;

/** The report for programs: `summary.json`. */
export function reportSummary(report: IncidentReport): object {
  const { attack, usual, silent, currency } = report;
  const list = ({ top }: TopSubjects) => top.map((row) => ({ subject: row.subject, ...sumsToWire(row) }));
  return {
    environment: report.environment,
    from: rfc3339(report.fromMs),
    to: rfc3339(report.toMs),
    country: report.country,
    written_at: rfc3339(report.writtenAtMs),
    currency,
    total: { ...sumsToWire(report.sums.total), refused: report.refusedTotal },
    incident: attack && {
      start: rfc3339(attack.startMs),
      end: rfc3339(attack.endMs),
      ...sumsToWire(attack.sums),
    },
    ratio: rounded(report.ratio),
    usual: {
      from: rfc3339(usual.fromMs),
      to: rfc3339(usual.toMs),
      sent: usual.sent,
      verified: usual.verified,
      ratio: rounded(report.usualRatio),
    },
    ranges_without_verification: {
      count: silent.count,
      ...sumsToWire(silent.sums),
      top: list(silent),
    },
    ranges: list(report.ranges),
    addresses: list(report.addresses),
    networks: list(report.networks),
    countries: list(report.countries),
    providers: list(report.providers),
    flows: list(report.flows),
    refused: report.refused,
    incidents: report.incidents.map(({ openedAtMs, closedAtMs, ...rest }) => ({
      ...rest,
      opened: rfc3339(openedAtMs),
      closed: closedAtMs === null ? null : rfc3339(closedAtMs),
    })),
    done: report.actions.map(({ atMs, ...rest }) => ({ at: rfc3339(atMs), ...rest })),
    messages_on_no_list: report.sums.unlisted,
    faults: report.faults,
  };
}

const sumsToWire = (sums: MessageSums) => ({
  sent: sums.sent,
  verified: sums.verified,
  ratio: rounded(ratioOf(sums)),
  delivered: sums.delivered,
  undelivered: sums.undelivered,
  message_micros: sums.messageMicros,
  dlt_micros: sums.dltMicros,
  unanswered_micros: sums.unansweredMicros,
  first_at: sums.sent === 0 ? null : rfc3339(sums.firstMs),
  last_at: sums.sent === 0 ? null : rfc3339(sums.lastMs),
});

const rounded = (ratio: number | null): number | null =>
  ratio === null ? null : Math.round(ratio * 10_000) / 10_000;
