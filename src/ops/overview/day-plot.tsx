import type { DayPlotData } from "../day.ts";
import { Badge, Card, Time } from "../parts.tsx";
import { POSTURE_TONE } from "../shell.tsx";
import type { PageFormats } from "../words.ts";
import type { PostureMark } from "./posture-marks.ts";

const SERIES = [
  { name: "sent", label: "Sent", tone: "accent" },
  { name: "verified", label: "Verified", tone: "good" },
  { name: "refused", label: "Refused", tone: "bad" },
  { name: "challenged", label: "Challenged", tone: "warn" },
] as const;

const MARKS_SHOWN = 6;

/** The last 24 hours by the quarter of an hour, with the changes of the posture as upright lines. */
export function DayPlot({
  day,
  marks,
  words,
}: {
  day: DayPlotData;
  marks: readonly PostureMark[];
  words: PageFormats;
}) {
  const plot = {
    x: day.quarters.map(({ startMs }) => startMs / 1000),
    series: SERIES.map(({ name, label, tone }) => ({
      label,
      tone,
      values: day.quarters.map(({ point }) => point?.[name] ?? null),
    })),
    marks: marks.map(({ atMs, posture }) => ({
      at: atMs / 1000,
      label: posture,
      tone: POSTURE_TONE[posture],
    })),
  };
  const busiest = day.quarters.reduce<{ startMs: number; sent: number }>(
    (most, { startMs, point }) =>
      (point?.sent ?? 0) > most.sent ? { startMs, sent: point?.sent ?? 0 } : most,
    { startMs: 0, sent: 0 },
  );
  const says =
    busiest.sent === 0
      ? "Nothing was sent in the last 24 hours."
      : `Messages by quarter of an hour over the last 24 hours; at most ${words.count(busiest.sent)} sent in one.`;
  return (
    <Card
      title="Last 24 hours"
      aside={
        <ul class="legend">
          {SERIES.map(({ label, tone }) => (
            <li class={tone}>{label}</li>
          ))}
          {marks.length > 0 ? <li class="mark">Posture changed</li> : null}
        </ul>
      }
    >
      <div class="plot" role="img" aria-label={says} data-plot={JSON.stringify(plot)} />
      {day.gaps === 0 ? null : (
        <p class="faint">
          {day.gaps === 1 ? "One quarter of an hour is" : `${words.count(day.gaps)} quarters of an hour are`}{" "}
          not known: the watch did not run then, or has yet to read what they left.
        </p>
      )}
      {marks.length === 0 ? null : (
        <ul class="marks" aria-label="Changes of the posture, the latest first">
          {marks
            .toReversed()
            .slice(0, MARKS_SHOWN)
            .map(({ atMs, posture, by }) => (
              <li>
                <Time ms={atMs} /> <Badge tone={POSTURE_TONE[posture]}>{posture}</Badge>{" "}
                <small>by {by}</small>
              </li>
            ))}
        </ul>
      )}
    </Card>
  );
}
