import { IasError } from "../model/errors.ts";

/** How often something may happen, by name. */
export interface RateLimitOptions {
  /** Of the limits, for the error: the rate and the burst. */
  readonly names: readonly [string, string];
  /** So many a second in the long run; `Infinity`: as often as one likes. */
  readonly perSecond: number;
  /** So many at once. */
  readonly burst: number;
  /** ms; only differences count. */
  readonly now: () => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets that are kept; past it those that are full again are forgotten, and then the oldest. */
const MAX_BUCKETS = 10_000;

/** Token buckets, one for each key (a caller, an address). Takes one of `key`'s, or throws `limit-reached` (reason RATE_LIMITED, retryable, with when). */
export function createRateLimit({ names, perSecond, burst, now }: RateLimitOptions): (key: string) => void {
  const buckets = new Map<string, Bucket>();

  function trim(time: number): void {
    for (const [key, { tokens, at }] of buckets) if (tokens + ((time - at) / 1000) * perSecond >= burst) buckets.delete(key);
    for (const key of buckets.keys()) {
      if (buckets.size <= MAX_BUCKETS / 2) return;
      buckets.delete(key);
    }
  }

  return (key) => {
    if (perSecond === Number.POSITIVE_INFINITY) return;
    const time = now();
    if (buckets.size > MAX_BUCKETS) trim(time);
    const bucket = buckets.get(key) ?? { tokens: burst, at: time };
    buckets.set(key, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, time - bucket.at) / 1000) * perSecond);
    bucket.at = time;
    if (bucket.tokens < 1) {
      throw new IasError("limit-reached", `Requests come too fast: ${perSecond} a second and ${burst} at once are taken (${names.join(", ")}).`, {
        reason: "RATE_LIMITED",
        retryable: true,
        retryAfterMs: Math.ceil(((1 - bucket.tokens) / perSecond) * 1000),
      });
    }
    bucket.tokens -= 1;
  };
}
