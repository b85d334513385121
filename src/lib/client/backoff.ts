/** How long to wait between tries. All times are ms. */
export interface BackoffOptions {
  /** Before the second try; 250. */
  readonly baseMs: number;
  /** The longest; 15 s. */
  readonly maxMs: number;
}

/** The wait before try `attempt` + 1 (`attempt` from 1): doubling, with half of it random, so that clients of a restarted server do not come at once. `random` is in [0, 1). */
export function backoffMs(attempt: number, options: BackoffOptions, random: number): number {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
