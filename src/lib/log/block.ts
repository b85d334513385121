import type { Audience, Entry } from "../model/entry.ts";

/**
 * A block: all entries of one commit, of all streams, as one text. A store that writes one row per commit pays for it once, however many streams there are.
 * Form: a JSON array of numbers, a line feed, the events one after the other. The numbers are the commit's time (ms), then per stream
 * `id, position, first seq, count` and per entry `gen, at - time, attempt, audience, length`.
 */
export interface BlockWriter {
  readonly empty: boolean;
  /** Adds `entries[from…]` of a stream. */
  add(stream: number, position: number, entries: readonly Entry[], from: number): void;
  /** The block's text; the writer is empty afterwards. */
  take(): string;
}

/** What one block says of one stream. */
export interface BlockRun {
  readonly stream: number;
  readonly position: number;
  /** Time of the commit, ms since the epoch. */
  readonly time: number;
  readonly entries: readonly Entry[];
}

const AUDIENCES: readonly Audience[] = ["public", "extension", "internal"];

/** Makes the writer of a store's blocks; `now` is its clock. */
export function createBlockWriter(now: () => number): BlockWriter {
  let numbers: number[] = [];
  let text = "";
  return {
    get empty() {
      return numbers.length === 0;
    },
    add(stream, position, entries, from) {
      if (numbers.length === 0) numbers.push(now());
      const time = numbers[0] as number;
      numbers.push(stream, position, (entries[from] as Entry).seq, entries.length - from);
      for (let i = from; i < entries.length; i += 1) {
        const { gen, at, attempt, audience, event } = entries[i] as Entry;
        numbers.push(gen, at - time, attempt, audience === "public" ? 0 : audience === "extension" ? 1 : 2, event.length);
        text += event;
      }
    },
    take() {
      const block = `${JSON.stringify(numbers)}\n${text}`;
      numbers = [];
      text = "";
      return block;
    },
  };
}

/** Reads a block back. */
export function parseBlock(block: string): BlockRun[] {
  const line = block.indexOf("\n");
  const numbers = JSON.parse(block.slice(0, line)) as number[];
  const take = (place: number): number => numbers[place] as number;
  const time = take(0);
  const runs: BlockRun[] = [];
  let start = line + 1;
  for (let place = 1; place < numbers.length;) {
    const first = take(place + 2);
    const count = take(place + 3);
    const entries: Entry[] = [];
    const run = { stream: take(place), position: take(place + 1), time, entries };
    place += 4;
    for (let i = 0; i < count; i += 1, place += 5) {
      const end = start + take(place + 4);
      const audience = AUDIENCES[take(place + 3)] ?? "internal";
      entries.push({ seq: first + i, gen: take(place), at: time + take(place + 1), attempt: take(place + 2), audience, event: block.slice(start, end) });
      start = end;
    }
    runs.push(run);
  }
  return runs;
}
