import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { firstIndex } from "../../../src/lib/stream/first-index.ts";
import { type FrameQuery, isEmpty, matches } from "./filter.ts";

/** The entries that a query lets through, found some at a time. */
export interface Listing {
  /** How many rows there are so far. */
  readonly length: number;
  /** Whether all that there is was looked through. */
  readonly isDone: boolean;
  /** The place among the entries of row `row`. */
  placeOf(row: number): number;
  /** The row of the entry with this seq, or of the next one after it. */
  rowOf(seq: number, entries: readonly StreamEntry[]): number;
  /** Looks on through the first `ready` entries, until `now()` has passed `until`. */
  advance(entries: readonly StreamEntry[], ready: number, until: number, now: () => number): void;
}

/** A listing of what `query` asks; without a question it is all there is. `isBad` is asked of judged entries only. */
export function createListing(query: FrameQuery, isBad: (entry: StreamEntry) => boolean): Listing {
  const all = isEmpty(query);
  const places: number[] = [];
  let scanned = 0;
  let isDone = false;
  const count = (): number => (all ? scanned : places.length);
  const placeOf = (row: number): number => (all ? row : (places[row] ?? 0));

  return {
    get length() {
      return count();
    },
    get isDone() {
      return isDone;
    },
    placeOf,
    rowOf: (seq, entries) => firstIndex(count(), (row) => (entries[placeOf(row)]?.seq ?? 0) >= seq),
    advance(entries, ready, until, now) {
      const end = query.onlyBad ? Math.min(ready, entries.length) : entries.length;
      if (all) scanned = end;
      while (scanned < end) {
        const entry = entries[scanned];
        if (entry !== undefined && matches(entry, query, isBad)) places.push(scanned);
        scanned += 1;
        if (scanned % 64 === 0 && now() >= until) break;
      }
      isDone = scanned >= entries.length;
    },
  };
}
