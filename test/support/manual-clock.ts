import type { Clock } from "../../src/lib/stream/clock.ts";

/** A clock that moves only when told. */
export interface ManualClock extends Clock {
  /** Moves the time and wakes whoever slept until then, in order. */
  advance(ms: number): void;
  /** Resolves once somebody sleeps who would wake at least `ms` from now. */
  sleeping(ms?: number): Promise<void>;
}

/** Starts on 2026-01-01 UTC. */
export function createManualClock(): ManualClock {
  let time = Date.UTC(2026, 0, 1);
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  let watchers: { readonly at: number; readonly tell: () => void }[] = [];

  const look = (): void => {
    const latest = Math.max(...sleepers.map(({ at }) => at), -1);
    const told = watchers.filter(({ at }) => at <= latest);
    watchers = watchers.filter(({ at }) => at > latest);
    for (const { tell } of told) tell();
  };

  return {
    now: () => time,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { at: time + ms, wake: resolve };
        const leave = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        };
        if (signal.aborted) return leave();
        signal.addEventListener("abort", leave, { once: true });
        sleepers.push(sleeper);
        look();
      }),
    advance(ms) {
      time += ms;
      const due = sleepers.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at);
      sleepers = sleepers.filter(({ at }) => at > time);
      for (const { wake } of due) wake();
    },
    sleeping: (ms = 0) =>
      new Promise((resolve) => {
        watchers.push({ at: time + ms, tell: resolve });
        look();
      }),
  };
}
