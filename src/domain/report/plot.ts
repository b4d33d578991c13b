/** Messages over time as an inline SVG: bars of answered and unanswered, and the incident behind them. */

import { dateTimeText } from "../kernel/instant.ts";
import { countText } from "../kernel/text.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { IncidentReport } from "./facts.ts";
import { escapeHtml } from "./markup.ts";

const MOST_BARS = 144;
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [960, 260, 46, 26, 14];

/** Minutes one bar may stand for. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];

interface Bar {
  fromMs: number;
  answered: number;
  unanswered: number;
}

/** The messages of the window in bars of equal length. */
export function messageBars({ sums, fromMs, toMs }: IncidentReport): { minutes: number; bars: Bar[] } {
  const length = (toMs - fromMs) / MINUTE_MS;
  const minutes = STEPS.find((step) => length / step <= MOST_BARS) ?? Math.ceil(length / MOST_BARS);
  const stepMs = minutes * MINUTE_MS;
  const count = Math.max(1, Math.ceil((toMs - fromMs) / stepMs));
  const bars = Array.from({ length: count }, (_, i) => ({
    fromMs: fromMs + i * stepMs,
    answered: 0,
    unanswered: 0,
  }));
  for (const [minute, { sent, verified }] of sums.minutes) {
    const bar = bars[Math.max(0, Math.floor((minute * MINUTE_MS - fromMs) / stepMs))];
    if (!bar) continue;
    bar.answered += verified;
    bar.unanswered += sent - verified;
  }
  return { minutes, bars };
}

/** The chart of messages over time, as SVG. */
export function messagesPlot(report: IncidentReport): string {
  const { bars, minutes } = messageBars(report);
  const { fromMs, toMs, attack } = report;
  const top = niceCeiling(Math.max(1, ...bars.map(({ answered, unanswered }) => answered + unanswered)));
  const [innerWidth, innerHeight] = [WIDTH - LEFT - 6, HEIGHT - BOTTOM - TOP];
  const x = (ms: number) => LEFT + ((ms - fromMs) / (toMs - fromMs)) * innerWidth;
  const y = (count: number) => TOP + innerHeight - (count / top) * innerHeight;
  const wide = Math.max(1, innerWidth / bars.length - 1);
  const drawn = bars.flatMap((bar) => {
    const { answered, unanswered } = bar;
    if (answered + unanswered === 0) return [];
    const says = `${dateTimeText(bar.fromMs)}, ${minutes} min: ${countText(answered)} answered, ${countText(unanswered)} not`;
    const rect = (kind: string, from: number, count: number) =>
      count === 0
        ? ""
        : `<rect class="${kind}" x="${n(x(bar.fromMs))}" y="${n(y(from + count))}" width="${n(wide)}" height="${n(y(from) - y(from + count))}"/>`;
    return [
      `<g><title>${escapeHtml(says)}</title>${rect("answered", 0, answered)}${rect("unanswered", answered, unanswered)}</g>`,
    ];
  });
  const shade =
    attack === null
      ? ""
      : `<rect class="stretch" x="${n(x(attack.startMs))}" y="${TOP}" width="${n(Math.max(2, x(attack.endMs) - x(attack.startMs)))}" height="${innerHeight}"/>`;
  const lines = [0, top / 2, top].map(
    (count) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - 6}" y1="${n(y(count))}" y2="${n(y(count))}"/><text x="${LEFT - 6}" y="${n(y(count) + 4)}" text-anchor="end">${countText(count)}</text>`,
  );
  const anchors = ["start", "middle", "middle", "middle", "end"] as const;
  const times = anchors.map((anchor, i) => {
    const at = fromMs + ((toMs - fromMs) * i) / (anchors.length - 1);
    return `<text x="${n(x(at))}" y="${HEIGHT - 8}" text-anchor="${anchor}">${escapeHtml(dateTimeText(at))}</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Messages over time in steps of ${minutes} min, answered and unanswered">
${shade}${lines.join("")}${drawn.join("\n")}${times.join("")}
</svg>`;
}

/** Coordinates to a tenth. */
const n = (value: number): string => String(Math.round(value * 10) / 10);

/** The next number of 2, 4, 10, 20, 40, 100, ... from a value on: its half is a whole number too. */
function niceCeiling(value: number): number {
  let unit = 1;
  while (unit * 10 < value) unit *= 10;
  return ([2, 4, 10].find((times) => times * unit >= value) ?? 10) * unit;
}
