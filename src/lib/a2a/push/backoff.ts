import { DEFAULT_LIMITS } from "../../model/limits.ts";

/** When a webhook that fails is tried again, and when no more (SEMANTICS 20). */
export interface Backoff {
  /** Wait after the first failure, ms; doubled with each further one. */
  readonly firstMs: number;
  /** Longest wait of our own choice, ms. */
  readonly maxMs: number;
  /** Longest wait that a receiver's `Retry-After` gets, ms. */
  readonly maxRetryAfterMs: number;
  readonly giveUpAfterMs: number;
  readonly giveUpAfterFailures: number;
}

/** 1 s, doubled up to 5 min, for as long and as often as the limits of webhooks say. */
export const DEFAULT_BACKOFF: Backoff = {
  firstMs: 1000,
  maxMs: 5 * 60_000,
  maxRetryAfterMs: 3_600_000,
  giveUpAfterMs: DEFAULT_LIMITS.pushGiveUpMs,
  giveUpAfterFailures: DEFAULT_LIMITS.pushGiveUpFailures,
};

/**
 * ms to wait after `failures` failures in a row (from 1). `random` in [0, 1) spreads it over the upper half, so that what failed together
 * does not come back together; what the receiver asked for is the least.
 */
export function nextDelay(backoff: Backoff, failures: number, retryAfterMs: number | undefined, random: number): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(failures - 1, 40));
  return Math.round(Math.max(full * (0.5 + random / 2), Math.min(retryAfterMs ?? 0, backoff.maxRetryAfterMs)));
}

/** Whether enough has been tried: `since` is the first failure of the row. */
export function isHopeless(backoff: Backoff, failures: number, since: number, now: number): boolean {
  return failures >= backoff.giveUpAfterFailures || now - since >= backoff.giveUpAfterMs;
}
