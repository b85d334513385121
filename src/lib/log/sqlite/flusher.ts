import type { DatabaseSync } from "node:sqlite";
import { encodeSegments } from "../segment.ts";
import type { FailPoint, Group } from "./group.ts";
import type { Replayed } from "./recovery.ts";
import { dropRecent, type SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** Moves entries from blocks, and from memory, into segments. */
export interface Flusher {
  /** Told of each committed block. Begins to flush when the blocks are longer than the limit. */
  onCommit(block: number, length: number): void;
  /** Told of long entries before their commit, in UTF-16 units: a quarter of the limit of them is enough to begin. */
  onLongEntries(length: number): void;
  /** Moves all that is there now. */
  flushAll(): Promise<void>;
  /** Streams that got segments since the last call, by id. */
  takeFlushed(): number[];
}

/** What the flusher is made of. */
export interface FlusherParts {
  readonly database: DatabaseSync;
  readonly streams: Streams;
  readonly group: () => Group;
  readonly replayed: Replayed;
  readonly now: () => number;
  /** Length of blocks that are kept, in UTF-16 units; as much is in memory. */
  readonly maxBlockLength: number;
  readonly failPoint?: ((name: FailPoint) => void) | undefined;
}

/** The longest that one step of a flush may hold up the event loop, in ms, one stream's entries aside. */
const STEP_MS = 2;
/** Blocks deleted in one step. */
const DELETED_IN_STEP = 256;
/** Long entries are many bytes in few rows, so that moving them early costs little, and what waits is in memory with its copies. */
const LONG_SHARE = 1 / 4;

/** Makes the flusher of one database. */
export function createFlusher({ database, streams, group, replayed, now, maxBlockLength, failPoint }: FlusherParts): Flusher {
  const insert = database.prepare("INSERT INTO segments (stream, seq, body) VALUES (?, ?, ?)");
  const saveLast = database.prepare("UPDATE facts SET value = ? WHERE name = 'last_block'");
  const remove = database.prepare("DELETE FROM blocks WHERE id <= ?");
  let flushed = new Set<number>();
  let running: Promise<void> | undefined;
  let firstBlock = replayed.firstBlock;
  let lastBlock = replayed.lastBlock;
  let length = replayed.length;
  let longLength = 0;

  async function run(): Promise<void> {
    const target = lastBlock;
    const targetLength = length;
    longLength = 0;
    const queue = [...streams.inUse()].filter((stream) => stream.recent.length > 0);
    while (queue.length > 0) await group().submit(() => flushSome(queue));
    failPoint?.("during-flush");
    for (let upTo = firstBlock; upTo < target;) {
      upTo = Math.min(upTo + DELETED_IN_STEP, target);
      const limit = upTo;
      await group().submit(() => {
        group().begin();
        remove.run(limit);
        saveLast.run(limit);
      });
    }
    firstBlock = target;
    length -= targetLength;
    streams.trim(now());
  }

  function flushSome(queue: SqliteStream[]): void {
    const start = performance.now();
    group().begin();
    while (queue.length > 0 && performance.now() - start < STEP_MS) {
      const stream = queue.pop();
      if (stream !== undefined && !stream.gone && stream.recent.length > 0) flushStream(stream);
    }
  }

  function flushStream(stream: SqliteStream): void {
    const last = stream.written;
    // A truncation of the same group shortens `recent` only after the commit.
    const entries = stream.recent.page(Math.max(stream.floor, stream.flushed), Number.POSITIVE_INFINITY, last);
    if (entries.length > 0) for (const { seq, body } of encodeSegments(entries)) insert.run(stream.id, seq, body);
    // The row is written once, at the commit, after all that the group does to the stream: whoever saves it says what is in segments.
    group().touch(stream, "changed");
    group().saveLater(stream);
    stream.flushed = last;
    group().afterCommit(() => {
      dropRecent(stream, last);
      flushed.add(stream.id);
    });
  }

  function start(): Promise<void> {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    onCommit(block, added) {
      lastBlock = block;
      if (firstBlock === 0) firstBlock = block;
      length += added;
      // A flush that fails is tried again at the next commit; that the disk fails, the appends say.
      const isMuch = length > maxBlockLength || longLength > maxBlockLength * LONG_SHARE;
      if (isMuch && running === undefined) start().catch(() => undefined);
    },
    onLongEntries(added) {
      longLength += added;
    },
    async flushAll() {
      if (running !== undefined) await running;
      if (length > 0) await start();
    },
    takeFlushed() {
      const ids = [...flushed];
      flushed = new Set();
      return ids;
    },
  };
}
