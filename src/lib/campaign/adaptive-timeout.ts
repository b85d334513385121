import type { AdaptiveTimeout } from "./campaign.ts";

/** Past durations of each item, the newest few: memory is bounded by the items. */
export interface Durations {
  add(item: string, ms: number): void;
  /** The time-out of an item at its retry number `retry` (0: the first try), ms, and how it came about. */
  timeout(item: string, retry: number): { readonly ms: number; readonly why: string };
}

/** Durations that are remembered of an item. */
const KEPT = 20;

/** `max(minMs, factor × p95 of past durations)`, the first `initialMs`; times `backoff` for each retry; at most `maxMs`. */
export function createDurations(options: AdaptiveTimeout): Durations {
  const past = new Map<string, number[]>();
  return {
    add(item, ms) {
      const list = past.get(item) ?? [];
      past.set(item, [...list.slice(1 - KEPT), ms]);
    },
    timeout(item, retry) {
      const list = past.get(item)?.toSorted((a, b) => a - b) ?? [];
      const p95 = list[Math.ceil(list.length * 0.95) - 1];
      const base = p95 === undefined ? options.initialMs : Math.max(options.minMs, options.factor * p95);
      const ms = Math.min(options.maxMs, base * options.backoff ** retry);
      const from = p95 === undefined ? "no duration of this item is known yet" : `${options.factor} × the p95 of ${list.length} past durations`;
      return { ms, why: retry === 0 ? from : `${from}, backed off ${retry} times` };
    },
  };
}
