/** What the load agent is asked for: the JSON of the user message's first text part. */
export interface Plan {
  /** Chunks of the artifact `a1`. */
  readonly n: number;
  /** Chunks a second; 0: as fast as they go, with one turn of the event loop for each. */
  readonly rate: number;
}

/** Reads a plan. Throws for anything else. */
export function readPlan(text: string): Plan {
  const { n, rate } = JSON.parse(text) as Partial<Plan>;
  if (!Number.isSafeInteger(n) || typeof rate !== "number" || !(rate >= 0)) throw new Error(`Not a plan: ${text.slice(0, 100)}. Send {"n": 100, "rate": 0}.`);
  return { n: n ?? 0, rate };
}

// `performance.now` reads the same clock as `hrtime` and makes no object.
const BASE = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;

/** CLOCK_MONOTONIC in µs, the same in every process of a machine. */
export function monotonicMicros(): number {
  return Math.floor(BASE + performance.now() * 1000);
}

/**
 * The chunks of a plan, each stamped with the time at which it was made: `@<µs># token`. Paced chunks keep to their intended times without drift and carry
 * them where the pace is late, so that what a client measures includes being late; a late one still lets the event loop turn.
 */
export async function* chunks({ n, rate }: Plan): AsyncGenerator<string, void, undefined> {
  const start = monotonicMicros();
  for (let i = 0; i < n; i += 1) {
    let stamp: number;
    if (rate === 0) {
      await new Promise(setImmediate);
      stamp = monotonicMicros();
    } else {
      const intended = start + Math.round(((i + 1) * 1_000_000) / rate);
      const wait = (intended - monotonicMicros()) / 1000;
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      else await new Promise(setImmediate);
      stamp = Math.min(intended, monotonicMicros());
    }
    yield `@${stamp}# token`;
  }
}
