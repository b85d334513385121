import { firstIndex } from "../../../src/lib/stream/first-index.ts";

/** A value that changes from time to time, with its history: from each change on it is the new value. 0 before the first. */
export interface Steps {
  readonly length: number;
  /** From `at` on it is `value`. A time before the last change counts as of then; a change that lasted no time leaves no trace. */
  set(at: number, value: number): void;
  valueAt(at: number): number;
  /** Calls `each` for every stretch that touches [from, to), in order; the last one is open and is given until `to`. */
  between(from: number, to: number, each: (from: number, to: number, value: number) => void): void;
}

/** No change yet. Beyond `most` changes (20,000) the older half is forgotten. */
export function createSteps({ most = 20_000 }: { readonly most?: number } = {}): Steps {
  let times: number[] = [];
  let values: number[] = [];

  /** The last change at or before `at`, or -1. */
  const find = (at: number): number => firstIndex(times.length, (index) => (times[index] ?? 0) > at) - 1;

  return {
    get length() {
      return times.length;
    },
    set(given, value) {
      const last = times.length - 1;
      if (last >= 0 && values[last] === value) return;
      const at = Math.max(given, times[last] ?? given);
      if (last >= 0 && times[last] === at) {
        values[last] = value;
        if (last > 0 && values[last - 1] === value) {
          times.pop();
          values.pop();
        }
        return;
      }
      if (times.length >= most) {
        times = times.slice(most >> 1);
        values = values.slice(most >> 1);
      }
      times.push(at);
      values.push(value);
    },
    valueAt: (at) => values[find(at)] ?? 0,
    between(from, to, each) {
      for (let index = Math.max(0, find(from)); index < times.length; index += 1) {
        const start = times[index] ?? 0;
        if (start >= to) break;
        const end = times[index + 1] ?? to;
        if (end > from) each(Math.max(from, start), Math.min(to, end), values[index] ?? 0);
      }
    },
  };
}
