import { type LaneLimits, TASK_LANE_LIMITS } from "./limits.ts";
import { firstIndex } from "../../../src/lib/stream/first-index.ts";

/** What a tick stands for. */
export type TickKind = "content" | "reasoning";

/** A tick: one entry that brought content. */
export interface Tick {
  /** Ms since the epoch. */
  readonly at: number;
  readonly seq: number;
  readonly kind: TickKind;
}

/** How many ticks fall into each pixel column; `reasoning` of them are reasoning. Parts of one where only a bucket wider than a column is known. */
export interface Columns {
  readonly counts: Float32Array;
  readonly reasoning: Float32Array;
  /** The largest count. */
  peak: number;
}

/**
 * The ticks of one lane, so kept that drawing costs what is on the screen and not what there is: the newest as they are, and all of them counted in buckets of
 * 16 ms, 64 ms … up to 4.4 min. Adding one costs O(levels). Memory is bounded: beyond `maxTicks` the oldest eighth of the single ticks goes (their counts stay), and
 * beyond `maxBuckets` that of a level's buckets (those of coarser ones stay, and are what is drawn there).
 */
export interface Ticks {
  /** All that were added, kept or not. */
  readonly length: number;
  /** What is kept of them takes so much memory. */
  readonly bytes: number;
  /** Adds one; a time before the last one counts as the last one's. */
  add(at: number, seq: number, kind: TickKind): void;
  /** Counts those in [from, from + counts.length × msPerColumn) into `out`, which is cleared first. Gives how many rows it read for that: some a column, however many ticks there are. */
  columns(from: number, msPerColumn: number, out: Columns): number;
  /** Ticks a second in the buckets of at least `leastMs` (and 1,024 ms) that touch [from, to) and have any, oldest first, with the bucket's width. */
  rates(from: number, to: number, leastMs: number, each: (at: number, perSecond: number, ms: number) => void): void;
  /** The kept tick nearest to `at`, at most `within` ms away. */
  nearest(at: number, within: number): Tick | undefined;
  /** The kept tick next to an entry, on or back, in the order of time and seq. */
  beside(from: { readonly at: number; readonly seq: number }, direction: 1 | -1): Tick | undefined;
}

const FINEST_MS = 16;
const STEP = 4;
const LEVELS = 8;
/** Most answers are short: a lane begins with so many rows of each kind. */
const FIRST_ROWS = 64;
/** Rates of shorter buckets would be noise. */
const RATE_MS = 1024;

/** Columns of `width` pixels, to be filled again and again. */
export function createColumns(width: number): Columns {
  return { counts: new Float32Array(width), reasoning: new Float32Array(width), peak: 0 };
}

/** No ticks yet. */
export function createTicks({ maxTicks, maxBuckets, reserves }: Pick<LaneLimits, "maxTicks" | "maxBuckets" | "reserves"> = TASK_LANE_LIMITS): Ticks {
  const raw = createRows(maxTicks);
  const levels = Array.from({ length: LEVELS }, (_, index) => ({ ms: FINEST_MS * STEP ** index, rows: createRows(maxBuckets) }));
  let length = 0;
  let last = Number.NEGATIVE_INFINITY;

  /** The rows to draw from: the coarsest that are fine enough, then, for what those have forgotten, each coarser level. */
  const rowsFor = (msPerColumn: number): readonly { readonly ms: number; readonly rows: Rows }[] => {
    // Two buckets a column at least: of one a column some columns would get two, and the picture a pattern of its own.
    const enough = levels.filter(({ ms }) => ms * 2 <= msPerColumn).length;
    return enough === 0 ? [{ ms: 0, rows: raw }, ...levels] : levels.slice(enough - 1);
  };

  const tickAt = (row: number): Tick => ({ at: raw.at(row), seq: raw.value(row), kind: raw.flag(row) === 1 ? "reasoning" : "content" });

  return {
    get length() {
      return length;
    },
    get bytes() {
      return levels.reduce((sum, { rows }) => sum + rows.bytes, raw.bytes);
    },
    add(given, seq, kind) {
      const at = Math.max(last, given);
      last = at;
      length += 1;
      if (reserves && length === FIRST_ROWS + 1) for (const rows of [raw, ...levels.map((level) => level.rows)]) rows.reserve();
      const isReasoning = kind === "reasoning" ? 1 : 0;
      raw.push(at, seq, isReasoning);
      for (const { ms, rows } of levels) {
        const bucket = Math.floor(at / ms) * ms;
        if (rows.length > 0 && rows.at(rows.length - 1) === bucket) rows.grow(isReasoning);
        else rows.push(bucket, 1, isReasoning);
      }
    },
    columns(from, msPerColumn, out) {
      out.counts.fill(0);
      out.reasoning.fill(0);
      out.peak = 0;
      let end = from + out.counts.length * msPerColumn;
      let read = 0;
      for (const { ms, rows } of rowsFor(msPerColumn)) {
        read += rows.count(ms, from, end, msPerColumn, out);
        if (!rows.hasDropped) break;
        end = Math.min(end, rows.at(0));
        if (end <= from) break;
      }
      return read;
    },
    rates(from, to, leastMs, each) {
      const coarse = levels.filter(({ ms }) => ms >= Math.max(RATE_MS, leastMs));
      // The finest that reaches back so far.
      const level = coarse.find(({ rows }) => !rows.hasDropped || rows.at(0) <= from) ?? levels.at(-1);
      if (level === undefined) return;
      const { ms, rows } = level;
      for (let row = rows.find(from - ms); row < rows.length && rows.at(row) < to; row += 1) each(rows.at(row), (rows.value(row) * 1000) / ms, ms);
    },
    nearest(at, within) {
      const after = raw.find(at);
      let best: Tick | undefined;
      for (const row of [after - 1, after]) {
        if (row < 0 || row >= raw.length) continue;
        const distance = Math.abs(raw.at(row) - at);
        if (distance > within || (best !== undefined && distance >= Math.abs(best.at - at))) continue;
        best = tickAt(row);
      }
      return best;
    },
    beside({ at, seq }, direction) {
      let row = raw.find(at);
      // Of those at the same moment the seq decides.
      while (row < raw.length && raw.at(row) === at && (direction > 0 ? raw.value(row) <= seq : raw.value(row) < seq)) row += 1;
      if (direction < 0) row -= 1;
      return row < 0 || row >= raw.length ? undefined : tickAt(row);
    },
  };
}

/** Rows of (time, value, flag), sorted by time, in typed arrays that grow up to `most` and then lose their oldest eighth. */
interface Rows {
  readonly length: number;
  readonly hasDropped: boolean;
  readonly bytes: number;
  push(at: number, value: number, flag: number): void;
  /** Adds one to the last row's value, and `flag` to its flag. */
  grow(flag: number): void;
  /** Takes all the memory that it may ever need. */
  reserve(): void;
  at(row: number): number;
  value(row: number): number;
  flag(row: number): number;
  /** The first row at or after `at`. */
  find(at: number): number;
  /** Counts those of [from, end) into `out`: each as one where `ms` is 0, else as the value of a bucket of so much, which is shared evenly where it is wider than a column. Gives how many it read. */
  count(ms: number, from: number, end: number, msPerColumn: number, out: Columns): number;
}

function createRows(most: number): Rows {
  const first = Math.min(most, FIRST_ROWS);
  let times = new Float64Array(first);
  let values = new Uint32Array(first);
  let flags = new Uint32Array(first);
  let length = 0;
  let hasDropped = false;

  const find = (at: number): number => firstIndex(length, (row) => (times[row] ?? 0) >= at);
  const resize = (size: number): void => {
    const [oldTimes, oldValues, oldFlags] = [times, values, flags];
    times = new Float64Array(size);
    values = new Uint32Array(size);
    flags = new Uint32Array(size);
    times.set(oldTimes);
    values.set(oldValues);
    flags.set(oldFlags);
  };
  const makeRoom = (): void => {
    if (length >= most) {
      const oldest = Math.max(1, length >> 3);
      for (const column of [times, values, flags]) column.copyWithin(0, oldest, length);
      length -= oldest;
      hasDropped = true;
      return;
    }
    resize(Math.min(most, length * 2));
  };

  return {
    get length() {
      return length;
    },
    get hasDropped() {
      return hasDropped;
    },
    get bytes() {
      return times.byteLength + values.byteLength + flags.byteLength;
    },
    push(at, value, flag) {
      if (length === times.length || length >= most) makeRoom();
      times[length] = at;
      values[length] = value;
      flags[length] = flag;
      length += 1;
    },
    grow(flag) {
      values[length - 1] = (values[length - 1] ?? 0) + 1;
      flags[length - 1] = (flags[length - 1] ?? 0) + flag;
    },
    reserve() {
      if (times.length < most) resize(most);
    },
    at: (row) => times[row] ?? Number.NaN,
    value: (row) => values[row] ?? 0,
    flag: (row) => flags[row] ?? 0,
    find,
    count(ms, from, end, msPerColumn, out) {
      const { counts, reasoning } = out;
      let { peak } = out;
      const isWide = ms > msPerColumn;
      const first = find(isWide ? from - ms : from);
      let row = first;
      for (; row < length; row += 1) {
        const at = times[row] ?? end;
        if (at >= end) break;
        const ticks = ms === 0 ? 1 : (values[row] ?? 0);
        const thoughts = flags[row] ?? 0;
        const to = Math.min(end, at + ms);
        let column = Math.max(0, Math.floor((at - from) / msPerColumn));
        do {
          const left = from + column * msPerColumn;
          const share = isWide ? (Math.min(to, left + msPerColumn) - Math.max(at, left)) / ms : 1;
          const sum = (counts[column] ?? 0) + ticks * share;
          counts[column] = sum;
          reasoning[column] = (reasoning[column] ?? 0) + thoughts * share;
          if (sum > peak) peak = sum;
          column += 1;
        } while (isWide && column < counts.length && from + column * msPerColumn < to);
      }
      out.peak = peak;
      return row - first;
    },
  };
}
