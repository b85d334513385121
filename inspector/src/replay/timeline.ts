import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { firstIndex } from "../../../src/lib/stream/first-index.ts";

/**
 * When each entry of a stream counts as having come: its `at`, but never before its predecessor, as writers on different machines may let it. Reads on as entries
 * come, each once.
 */
export interface Timeline {
  /** The first and the last moment; 0 without entries. */
  readonly from: number;
  readonly to: number;
  /** How many entries it has read. */
  readonly length: number;
  /** Reads on; begins anew where `entries` became fewer, or `generation` another. */
  sync(entries: readonly StreamEntry[], generation: number): void;
  /** How many entries have come at `time`. */
  countAt(time: number): number;
  /** How many entries there are up to `seq`. */
  countOf(seq: number): number;
  /** When the entry at a place came; the nearest one's moment beyond both ends. */
  timeAt(place: number): number;
}

/** A timeline without entries. */
export function createTimeline(): Timeline {
  let times: number[] = [];
  let seqs: number[] = [];
  let generation: number | undefined;

  return {
    get from() {
      return times[0] ?? 0;
    },
    get to() {
      return times.at(-1) ?? 0;
    },
    get length() {
      return times.length;
    },
    sync(entries, given) {
      if (generation !== given || entries.length < times.length) {
        times = [];
        seqs = [];
        generation = given;
      }
      for (let place = times.length; place < entries.length; place += 1) {
        const entry = entries[place];
        if (entry === undefined) break;
        times.push(Math.max(times.at(-1) ?? Number.NEGATIVE_INFINITY, entry.at));
        seqs.push(entry.seq);
      }
    },
    countAt: (time) => countUpTo(times, time),
    countOf: (seq) => countUpTo(seqs, seq),
    timeAt: (place) => times[Math.min(times.length - 1, Math.max(0, place))] ?? 0,
  };
}

/** How many of `sorted` are not above `most`. */
function countUpTo(sorted: readonly number[], most: number): number {
  return firstIndex(sorted.length, (index) => (sorted[index] ?? 0) > most);
}
