/** How long to wait before try `failures + 1`, ms: doubled each time up to 10 s, a quarter more or less, so that pages do not come back together. */
export function retryDelay(failures: number, random: () => number = Math.random): number {
  return Math.min(10_000, 250 * 2 ** Math.min(failures, 8)) * (0.75 + random() / 2);
}
