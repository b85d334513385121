/**
 * The distribution of a stream's gaps in buckets of a fixed width in the logarithm, so that memory is constant: a quantile is right within 9 %
 * (half a bucket) from 1 ms to 17 min; what is shorter or longer counts as the shortest or longest.
 */
export type Gaps = readonly number[];

/** Width of a bucket: 2^(1/4), about 19 %. */
const STEPS_PER_OCTAVE = 4;
const BUCKETS = 1 + STEPS_PER_OCTAVE * 20;

/** No gap yet. */
export const NO_GAPS: Gaps = Array.from({ length: BUCKETS }, () => 0);

/** `gaps` and one more of `ms`. */
export function addGap(gaps: Gaps, ms: number): Gaps {
  const bucket = ms <= 1 ? 0 : Math.min(BUCKETS - 1, 1 + Math.floor(Math.log2(ms) * STEPS_PER_OCTAVE));
  const next = gaps.slice();
  next[bucket] = (next[bucket] ?? 0) + 1;
  return next;
}

/** The gap, ms, that the share `q` (0 to 1) of all gaps does not pass; undefined without gaps. */
export function gapQuantile(gaps: Gaps, q: number): number | undefined {
  const total = gaps.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let left = Math.max(1, Math.ceil(total * q));
  for (const [bucket, count] of gaps.entries()) {
    left -= count;
    if (left <= 0) return bucket === 0 ? 1 : 2 ** ((bucket - 0.5) / STEPS_PER_OCTAVE);
  }
  return undefined;
}

/**
 * The same as people are told it: two significant digits, for no more is known, and within the shortest and the longest gap, which are known exactly. A steady stream's
 * quantiles so are its gap.
 */
export function gapFigure(gaps: Gaps, q: number, { leastMs, mostMs }: { readonly leastMs: number; readonly mostMs: number }): number | undefined {
  const found = gapQuantile(gaps, q);
  return found === undefined ? undefined : Math.min(mostMs, Math.max(leastMs, Number(found.toPrecision(2))));
}
