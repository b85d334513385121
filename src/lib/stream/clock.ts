import { setTimeout as wait } from "node:timers/promises";

/** The time and waiting for it, injected where timer logic is to be tested. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts: never throws. It does not keep the process alive. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) => wait(Math.min(ms, MAX_TIMER_MS), undefined, { signal, ref: false }).catch(() => undefined),
};

/** A longer timer of Node's fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
