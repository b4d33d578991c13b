/** The trade-off of a scenario as a picture: what leaks against who is lost, one point a rule. */
import { lostPercent } from "../play/goals.ts";
import type { RuleReport } from "../play/report.ts";
import { OURS } from "../rules.ts";
import type { Goal } from "../world/build.ts";

const WIDTH = 460;
const HEIGHT = 250;
const EDGE = { left: 62, right: 96, top: 14, bottom: 36 };
const LOST_TICKS = [0, 0.1, 1, 10, 100];

interface Point {
  name: string;
  ours: boolean;
  swept: boolean;
  x: number;
  y: number;
}

/**
 * An SVG: honest people lost to the right, attack messages left upwards, both on logarithmic scales that begin at 0. The
 * points of a sweep are joined in the order they were asked for: the curve along which one setting moves. Empty where
 * nobody attacks.
 */
export function tradeOff(reports: readonly RuleReport[], goal: Goal | null): string {
  const mostAsked = Math.max(...reports.map(({ attack }) => attack.requests));
  if (mostAsked === 0) return "";
  const decades = Math.ceil(Math.log10(mostAsked + 1));
  const x = (lost: number): number =>
    along(Math.log10(lost * 10 + 1) / Math.log10(1001), EDGE.left, WIDTH - EDGE.right);
  const y = (left: number): number => along(Math.log10(left + 1) / decades, HEIGHT - EDGE.bottom, EDGE.top);
  const points = reports.map((report) =>
    pointOf(report, x(lostPercent(goal, report)), y(report.attack.left)),
  );
  const curve = points.filter(({ swept }) => swept).map(({ x, y }) => `${x},${y}`);

  const parts = [...axes(x, y, decades), goalBox(goal, x, y)];
  parts.push(`<polyline points="${curve.join(" ")}" fill="none" stroke="var(--rule-0)" stroke-width="1.5"/>`);
  for (const { x, y, ours } of points) {
    parts.push(`<circle cx="${x}" cy="${y}" r="5" fill="var(${ours ? "--rule-0" : "--soft"})"/>`);
  }
  for (const { x, y, name } of labels(points)) parts.push(text(x + 9, y + 4, name, "start"));
  const box = goal?.left == null ? "" : " The green box is the goal.";
  return `<div class="plot"><h3>The trade</h3><p class="note">Messages left upwards; down and to the left is better.${box}</p>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" style="height:auto" role="img" aria-label="trade-off">${parts.join("")}</svg></div>`;
}

const along = (share: number, from: number, to: number): number =>
  Math.round((from + share * (to - from)) * 10) / 10;

function pointOf({ rule }: RuleReport, x: number, y: number): Point {
  const swept = rule.startsWith(`${OURS} `);
  const name = swept ? rule.slice(rule.indexOf("=") + 1) : rule;
  return { name, swept, ours: swept || rule === OURS, x, y };
}

function axes(x: (lost: number) => number, y: (left: number) => number, decades: number): string[] {
  const lefts = [0, ...Array.from({ length: decades }, (_, at) => 10 ** (at + 1))];
  return [
    ...lefts.map((left) => {
      const line = `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${y(left)}" y2="${y(left)}" stroke="var(--line)"/>`;
      return line + text(EDGE.left - 6, y(left) + 4, String(left), "end");
    }),
    ...LOST_TICKS.map((lost) => text(x(lost), HEIGHT - 20, `${lost} %`, "middle")),
    text((EDGE.left + WIDTH - EDGE.right) / 2, HEIGHT - 4, "honest people lost", "middle"),
  ];
}

function goalBox(goal: Goal | null, x: (lost: number) => number, y: (left: number) => number): string {
  if (goal?.left === undefined || goal.left === null) return "";
  const width = Math.max(4, x(goal.honestLostPercent) - EDGE.left);
  const box = `x="${EDGE.left}" y="${y(goal.left)}" width="${width}" height="${y(0) - y(goal.left)}"`;
  return `<rect ${box} fill="var(--good-wash)" stroke="var(--good)" stroke-dasharray="3 3"/>`;
}

/** Points that lie on one another share a label. */
function labels(points: readonly Point[]): { x: number; y: number; name: string }[] {
  const placed: { x: number; y: number; name: string }[] = [];
  for (const { x, y, name } of points) {
    const near = placed.find((one) => Math.abs(one.y - y) < 11 && Math.abs(one.x - x) < 60);
    if (near) near.name += `, ${name}`;
    else placed.push({ x, y, name });
  }
  return placed;
}

const text = (x: number, y: number, words: string, anchor: "start" | "middle" | "end"): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${words}</text>`;
