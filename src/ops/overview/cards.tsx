import type { Policy } from "../../domain/policy.ts";
import type { SpendState, WindowState } from "../../flows/operators/views/read-state.ts";
import type { SubjectRow } from "../../flows/operators/views/read-subjects.ts";
import type { WorstCaseBound } from "../../flows/operators/views/read-worst-case-bound.ts";
import { Badge, Bar, Card, EmptyNote, Time, type Tone } from "../parts.tsx";
import type { RecentAlert } from "../recent-alerts.ts";
import { DataTable, type TableColumn } from "../table.tsx";
import { DESTINATION_STATE_BADGES } from "../views/destinations.ts";
import type { PageFormats } from "../words.ts";

/** The usual share of verified messages of honest people is 60 to 80 %. */
const NORMAL_BAND = { from: 0.6, to: 0.8 };

/** The share of messages that were answered, between where it usually is and where it alarms. */
export function ConversionCard({
  window,
  policy,
  words,
}: {
  window: WindowState | null;
  policy: Policy;
  words: PageFormats;
}) {
  const { alarm_ratio, min_sends } = policy.monitor;
  if (window === null) return <Unread title="Answered" />;
  const { ratio, due, minutes, wrongCodes, delivered, undelivered } = window;
  const few = due < min_sends;
  const tone =
    ratio === null || few
      ? "quiet"
      : ratio < alarm_ratio
        ? "bad"
        : ratio < NORMAL_BAND.from
          ? "warn"
          : "good";
  const says =
    ratio === null
      ? "Nothing is due yet"
      : few
        ? `Too few to judge: ${words.count(Math.round(due))} due`
        : SAYS[tone];
  return (
    <Card title="Answered" aside={`last ${minutes} min`}>
      <p class={`big ${tone}`}>
        {words.share(ratio)} <small>{says}</small>
      </p>
      <RatioScale ratio={ratio} alarm={alarm_ratio} words={words} />
      <p class="faint">
        Alarm under {words.share(alarm_ratio)}, judged from {words.count(min_sends)} messages on. Normal is{" "}
        {words.share(NORMAL_BAND.from)} to {words.share(NORMAL_BAND.to)}.
      </p>
      <p class="faint">
        {words.count(delivered)} delivered, {words.count(undelivered)} not; {words.count(wrongCodes)} wrong
        codes.
      </p>
    </Card>
  );
}

const SAYS: Readonly<Record<Tone, string>> = {
  good: "as usual",
  warn: "lower than usual",
  bad: "under the alarm",
  quiet: "",
};

function RatioScale({ ratio, alarm, words }: { ratio: number | null; alarm: number; words: PageFormats }) {
  const at = (share: number) => (share * 200).toFixed(1);
  const label = `${words.share(ratio)} answered, alarm under ${words.share(alarm)}`;
  return (
    <svg class="scale" viewBox="0 0 200 14" role="img" aria-label={label}>
      <rect class="track" y="5" width="200" height="4" rx="2" />
      <rect class="alarm" y="5" width={at(alarm)} height="4" rx="2" />
      <rect
        class="normal"
        x={at(NORMAL_BAND.from)}
        y="5"
        width={at(NORMAL_BAND.to - NORMAL_BAND.from)}
        height="4"
      />
      {ratio === null ? null : (
        <rect class="needle" x={at(Math.min(0.985, ratio))} y="0" width="3" height="14" rx="1" />
      )}
    </svg>
  );
}

/** Money of this hour, day and month against what stops it, and the day against the plan. */
export function SpendCard({
  spend,
  window,
  policy,
  bound,
  words,
}: {
  spend: SpendState | null;
  window: WindowState | null;
  policy: Policy;
  /** null where it could not be read. */
  bound: WorstCaseBound | null;
  words: PageFormats;
}) {
  if (spend === null) return <Unread title="Spend" />;
  const { caps, plan_day_micros } = policy.money;
  const rows: [string, number, number, string][] = [
    ["This hour", spend.hourMicros, caps.hour_micros, "cap"],
    ["Today (UTC)", spend.dayMicros, caps.day_micros, "cap"],
    ["This month", spend.monthMicros, caps.month_micros, "cap"],
    ...(plan_day_micros === null
      ? []
      : [["Today's plan", spend.dayMicros, plan_day_micros, "plan"] as [string, number, number, string]]),
  ];
  return (
    <Card
      title="Spend"
      aside={window === null ? undefined : `${words.money(window.perHourMicros)} an hour now`}
    >
      <dl class="meters">
        {rows.map(([label, micros, most, kind]) => {
          const share = most === 0 ? 1 : micros / most;
          return (
            <div>
              <dt>{label}</dt>
              <dd>
                <span class="amount">{words.money(micros)}</span>{" "}
                <small>
                  of {words.money(most)} {kind}, {words.share(share)}
                </small>
                <Bar
                  share={share}
                  tone={toneOf(share)}
                  label={`${label}: ${words.share(share)} of the ${kind}`}
                />
              </dd>
            </div>
          );
        })}
      </dl>
      {bound === null ? null : (
        <p class="faint">
          An attack can cost at most {words.money(bound.mostMicros)} until midnight UTC, whatever it does.
        </p>
      )}
    </Card>
  );
}

const toneOf = (share: number): Tone => (share >= 1 ? "bad" : share >= 0.8 ? "warn" : "good");

/** The prefixes with the most unanswered messages. */
export function DestinationsCard({
  rows,
  minutes,
  words,
}: {
  /** null where they could not be read. */
  rows: readonly SubjectRow[] | null;
  minutes: number;
  words: PageFormats;
}) {
  if (rows === null) return <Unread title="Least answered" />;
  return (
    <Card title="Least answered" aside={`prefixes, last ${minutes} min`}>
      {rows.length === 0 ? (
        <EmptyNote>Nothing was sent.</EmptyNote>
      ) : (
        <DataTable columns={leastAnswered(words)} rows={rows} compact />
      )}
    </Card>
  );
}

const SEVERITY_TONE = { notice: "quiet", elevated: "warn", emergency: "bad" } as const;

/** Alerts of the last hour. */
export function RecentAlertsCard({
  title,
  alerts,
  empty,
}: {
  title: string;
  alerts: readonly RecentAlert[];
  empty: string;
}) {
  return (
    <Card title={title} aside={alerts.length === 0 ? undefined : String(alerts.length)}>
      {alerts.length === 0 ? (
        <EmptyNote>{empty}</EmptyNote>
      ) : (
        <ul class="told">
          {alerts.map(({ says, severity, atMs }) => (
            <li>
              <Badge tone={SEVERITY_TONE[severity]}>{severity}</Badge> <span>{says}</span>{" "}
              {atMs === null ? null : (
                <small>
                  since <Time ms={atMs} />
                </small>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Unread({ title }: { title: string }) {
  return (
    <Card title={title}>
      <EmptyNote>Cannot be read just now.</EmptyNote>
    </Card>
  );
}

const leastAnswered = (words: PageFormats): readonly TableColumn<SubjectRow>[] => [
  { title: "Prefix", cell: ({ subject }) => <span class="place">{subject}</span> },
  { title: "Sent", number: true, cell: ({ sent }) => words.count(sent) },
  { title: "Verified", number: true, cell: ({ verified }) => words.count(verified) },
  { title: "Spent", number: true, cell: ({ spentMicros }) => words.money(spentMicros) },
  {
    title: "State",
    cell: ({ state, untilMs }) => (
      <>
        {state === "open" ? (
          <small>open</small>
        ) : (
          <Badge tone={DESTINATION_STATE_BADGES[state].tone}>{DESTINATION_STATE_BADGES[state].text}</Badge>
        )}
        {untilMs === null ? null : (
          <small>
            {" "}
            until <Time ms={untilMs} />
          </small>
        )}
      </>
    ),
  },
];
