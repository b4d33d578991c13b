/** Seeded chance: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform whole number in [0, below). */
  int(below: number): number;
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** An index, drawn with the given weights. */
  weighted(weights: readonly number[]): number;
  /** A string of that many decimal digits. */
  digits(count: number): string;
  exponential(mean: number): number;
  gauss(): number;
  /** @param sigma standard deviation of the logarithm */
  lognormal(median: number, sigma: number): number;
  /** A stream of its own, so that what one part draws never shifts another part's sequence. */
  fork(name: string): Random;
}

/**
 * sfc32 (Chris Doty-Humphrey's PractRand), started from an FNV-1a hash of the seed.
 *
 * @param seed any text; forks append their name to it
 */
export function seededRandom(seed: string): Random {
  const next = sfc32(fnv1a(seed, 1), fnv1a(seed, 2), fnv1a(seed, 3));
  const int = (below: number): number => Math.floor(next() * below);
  const exponential = (mean: number): number => -mean * Math.log(1 - next());
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    next,
    int,
    between: (from, to) => from + (to - from) * next(),
    chance: (probability) => next() < probability,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new RangeError("nothing to pick from");
      return list[int(list.length)] as T;
    },
    weighted(weights) {
      let left = next() * weights.reduce((sum, weight) => sum + weight, 0);
      for (const [index, weight] of weights.entries()) {
        left -= weight;
        if (left < 0) return index;
      }
      return weights.length - 1;
    },
    digits(count) {
      let text = "";
      for (let at = 0; at < count; at++) text += int(10);
      return text;
    },
    exponential,
    gauss,
    lognormal: (median, sigma) => median * Math.exp(sigma * gauss()),
    fork: (name) => seededRandom(`${seed}/${name}`),
  };
}

function fnv1a(text: string, salt: number): number {
  let hash = 0x811c9dc5 ^ salt;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function sfc32(a: number, b: number, c: number): () => number {
  let counter = 1;
  const step = (): number => {
    const out = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + out;
    return (out >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) step();
  return step;
}
