/** Probabilities of the binomial distribution: how likely a count is by chance alone. */

/** ln(n!), by Stirling's series above 20 (error under 1e-9). */
function lnFactorial(n: number): number {
  if (n < 20) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3);
}

/**
 * The chance of `k` or more out of `n` when each comes with chance `p`: P(X >= k), X ~ Bin(n, p). Up to the mean, where
 * nothing is remarkable, it returns 1.
 */
export function probabilityAtLeast(k: number, n: number, p: number): number {
  if (k <= n * p) return 1;
  if (k > n || p <= 0) return 0;
  let term = Math.exp(
    lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k) + k * Math.log(p) + (n - k) * Math.log1p(-p),
  );
  let sum = 0;
  for (let i = k; i <= n && term > sum * 1e-12; i++) {
    sum += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return Math.min(1, sum);
}

/** The chance of `k` or fewer out of `n`; 1 from the mean on. */
export const probabilityAtMost = (k: number, n: number, p: number): number =>
  probabilityAtLeast(n - k, n, 1 - p);
