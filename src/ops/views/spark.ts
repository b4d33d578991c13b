/** A course of counts as a small picture: the path of an SVG, without any style of its own. */

export interface Spark {
  /** `d` of the line, in a box of {@link SPARK_WIDTH} by {@link SPARK_HEIGHT}. */
  line: string;
  /** `d` of what is under it. */
  area: string;
  /** In words, for who does not see it. */
  says: string;
}

export const SPARK_WIDTH = 96;
export const SPARK_HEIGHT = 20;

/** More points than this nobody sees. */
const POINTS = 48;

/** @param course counts, the oldest first @param count writes a number for people */
export function sparkOf(course: readonly number[], count: (value: number) => string): Spark {
  const points = thinned(course);
  const most = Math.max(1, ...points);
  const step = points.length > 1 ? SPARK_WIDTH / (points.length - 1) : 0;
  const at = points.map((value, i) => {
    const y = SPARK_HEIGHT - 1 - (value / most) * (SPARK_HEIGHT - 2);
    return `${round(i * step)} ${round(y)}`;
  });
  const line = at.length === 0 ? "" : `M${at.join("L")}`;
  const area =
    at.length === 0 ? "" : `${line}L${round((at.length - 1) * step)} ${SPARK_HEIGHT}L0 ${SPARK_HEIGHT}Z`;
  const peak = Math.max(0, ...course);
  const last = course.at(-1) ?? 0;
  return {
    line,
    area,
    says: `${count(course.reduce((sum, value) => sum + value, 0))} in all, at most ${count(peak)} at a time, ${count(last)} last`,
  };
}

/** Neighbours added up until there are few enough. */
function thinned(course: readonly number[]): number[] {
  const each = Math.ceil(course.length / POINTS);
  if (each < 2) return [...course];
  return Array.from({ length: Math.ceil(course.length / each) }, (_, i) =>
    course.slice(i * each, (i + 1) * each).reduce((sum, value) => sum + value, 0),
  );
}

const round = (value: number): number => Math.round(value * 10) / 10;
