/** The present by the clock of the entries' writers, as far as a page can know it. */
export interface EntryClock {
  /** An entry of time `at` came at `arrived` by the page's clock. */
  see(at: number, arrived: number): void;
  /** The writers' present at the page's `now`. */
  now(now: number): number;
}

/** Entries that took longer were not written just now, ms. */
export const LIVE_MS = 5000;

/**
 * A clock that assumes the quickest entry to have come without delay. Until one was quick the two clocks count as the same; a writer whose clock is ahead is
 * followed at once.
 */
export function clockOf(): EntryClock {
  let skew: number | undefined;
  return {
    see(at, arrived) {
      const late = arrived - at;
      if (late < LIVE_MS && (skew === undefined || late < skew)) skew = late;
    },
    now: (now) => now - (skew ?? 0),
  };
}
