/** A share with its 95 % confidence interval. */
export interface Share {
  readonly passed: number;
  readonly of: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** The 97.5th percentile of the normal distribution. */
const Z = 1.959964;

/**
 * Wilson's score interval of a proportion: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n). It holds for shares near 0 and 1 and for few trials.
 * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212. It takes trials as independent.
 */
export function wilson(passed: number, of: number): Share {
  if (of === 0) return { passed, of, share: 0, low: 0, high: 1 };
  const p = passed / of;
  const middle = p + (Z * Z) / (2 * of);
  const reach = Z * Math.sqrt((p * (1 - p)) / of + (Z * Z) / (4 * of * of));
  const scale = 1 + (Z * Z) / of;
  return { passed, of, share: p, low: Math.max(0, (middle - reach) / scale), high: Math.min(1, (middle + reach) / scale) };
}

/** The outcome of a sign test. */
export interface SignTest {
  /** Pairs in which the second is better, worse, and equal. */
  readonly better: number;
  readonly worse: number;
  readonly equal: number;
  /** Two-sided; 1 where no pair differs. */
  readonly p: number;
}

/**
 * The exact two-sided sign test of pairs: of n = better + worse pairs that differ, p = min(1, 2 · Σ_{k ≤ min(better, worse)} C(n, k) / 2ⁿ). Equal pairs are
 * left out. With one yes or no a pair it is McNemar's exact test. W. J. Dixon, A. M. Mood, "The statistical sign test", JASA 41 (1946) 557-566.
 */
export function signTest(differences: Iterable<number>): SignTest {
  let [better, worse, equal] = [0, 0, 0];
  for (const difference of differences) {
    // Means of the same verdicts may differ in their last bit.
    if (Math.abs(difference) < 1e-9) equal += 1;
    else if (difference > 0) better += 1;
    else worse += 1;
  }
  const n = better + worse;
  // In logarithms: 2ⁿ of 10,000 pairs is no number.
  let term = -n * Math.LN2;
  let sum = Math.exp(term);
  for (let k = 1; k <= Math.min(better, worse); k += 1) {
    term += Math.log(n - k + 1) - Math.log(k);
    sum += Math.exp(term);
  }
  return { better, worse, equal, p: Math.min(1, 2 * sum) };
}

/** The value that the share `q` of sorted `values` does not pass (nearest rank); undefined of none. */
export function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)];
}
