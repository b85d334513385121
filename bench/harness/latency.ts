/** Latencies in steps of 10 µs up to 10 s; what is later counts as 10 s. */
export interface Latencies {
  add(micros: number): void;
  /** The value in ms below which the share `q` lies; undefined without values. */
  quantile(q: number): number | undefined;
  clear(): void;
}

const STEP = 10;
const STEPS = 1_000_000;

/** An empty histogram. */
export function createLatencies(): Latencies {
  const counts = new Uint32Array(STEPS + 1);
  let total = 0;
  return {
    add(micros) {
      const step = micros < 0 ? 0 : Math.floor(micros / STEP);
      counts[step < STEPS ? step : STEPS] = (counts[step < STEPS ? step : STEPS] ?? 0) + 1;
      total += 1;
    },
    quantile(q) {
      if (total === 0) return undefined;
      let left = Math.ceil(total * q);
      for (let step = 0; step <= STEPS; step += 1) {
        left -= counts[step] ?? 0;
        if (left <= 0) return ((step + 1) * STEP) / 1000;
      }
      return (STEPS * STEP) / 1000;
    },
    clear() {
      counts.fill(0);
      total = 0;
    },
  };
}
