import type { Attempt } from "./attempt.ts";
import type { AdaptiveTimeout } from "./campaign.ts";

/** Past durations of each item, the newest few: memory is bounded by the items. */
export interface Durations {
  add(item: string, ms: number): void;
  /** The time-out of an item at its retry number `retry` (0: the first try), ms, and by which member of `timeout` it came about. */
  timeout(item: string, retry: number): { readonly ms: number; readonly why: string };
}

/** Whether an attempt shows how long its item takes: it was asked, and came to its end. */
export function tellsDuration({ outcome, answerOf }: Pick<Attempt, "outcome" | "answerOf">): boolean {
  return outcome?.kind === "judged" && answerOf === undefined;
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
      const known = `${options.factor} × the p95 of ${list.length} past ${list.length === 1 ? "duration" : "durations"}`;
      const { base, from } =
        p95 === undefined
          ? { base: options.initialMs, from: "timeout.initialMs: no duration of this item is known yet" }
          : options.factor * p95 >= options.minMs
            ? { base: options.factor * p95, from: `timeout.factor: ${known}` }
            : { base: options.minMs, from: `timeout.minMs, which is more than ${known}` };
      const wished = base * options.backoff ** retry;
      const backedOff = retry === 0 ? from : `${from}; backed off ${retry === 1 ? "once" : `${retry} times`}`;
      return wished > options.maxMs
        ? { ms: options.maxMs, why: `timeout.maxMs, which is less than asked for by ${backedOff}` }
        : { ms: wished, why: backedOff };
    },
  };
}
