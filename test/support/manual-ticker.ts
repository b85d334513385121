import { createTicker, type Ticker } from "../../src/lib/liveness/ticker.ts";

/** A ticker whose clock moves only when told. */
export interface ManualTicker extends Ticker {
  /** Moves the clock by `ms` in steps of the wheel, each of which ticks. */
  advance(ms: number): void;
  /** Moves the clock by `ms` at once, as a blocked event loop does, and then ticks all. */
  block(ms: number): void;
}

/** Ticks each member every 50 ms, a slot every 10. */
export function createManualTicker(): ManualTicker {
  let time = 0;
  let beat: (() => void) | undefined;
  const ticker = createTicker({
    tickMs: 50,
    now: () => time,
    every: (_ms, call) => {
      beat = call;
      return () => (beat = undefined);
    },
  });
  const advance = (ms: number): void => {
    for (let left = ms; left > 0; left -= 10) {
      time += Math.min(10, left);
      beat?.();
    }
  };
  return {
    now: ticker.now,
    add: ticker.add,
    get size() {
      return ticker.size;
    },
    [Symbol.dispose]: () => ticker[Symbol.dispose](),
    advance,
    block(ms) {
      time += ms;
      beat?.();
      advance(50);
    },
  };
}
