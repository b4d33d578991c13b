/** Figures over several seeds: the middle, and how far they lie apart. */
export interface Spread {
  mean: number;
  least: number;
  most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sum = values.reduce((total, value) => total + value, 0);
  return {
    mean: values.length === 0 ? 0 : sum / values.length,
    least: values.length === 0 ? 0 : Math.min(...values),
    most: values.length === 0 ? 0 : Math.max(...values),
  };
}

/** `mean (least to most)`, or one figure where there is one. */
export function spreadText({ mean, least, most }: Spread, digits: number): string {
  const text = (value: number): string => value.toFixed(digits);
  return least === most ? text(mean) : `${text(mean)} (${text(least)}-${text(most)})`;
}
