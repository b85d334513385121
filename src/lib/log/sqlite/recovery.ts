import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { keyText } from "../../model/key.ts";
import { parseBlock, type BlockRun } from "../block.ts";
import { LEASE_MS } from "../log.ts";
import { releaseRecent, type SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** What the blocks of a database say. */
export interface Replayed {
  /** Streams that have entries in blocks. */
  readonly streams: ReadonlySet<SqliteStream>;
  readonly firstBlock: number;
  readonly lastBlock: number;
  /** Length of all blocks, in UTF-16 units. */
  readonly length: number;
}

/**
 * Reads the blocks after `after` and brings the streams up to them: entries that are not in segments, heads, leases, changes.
 * @throws IasError `corrupt` if an entry is missing or a block cannot be read.
 */
export function replayBlocks(database: DatabaseSync, streams: Streams, after: number): Replayed {
  const seen = new Set<SqliteStream>();
  let firstBlock = 0;
  let lastBlock = after;
  let length = 0;
  for (const row of database.prepare("SELECT id, body FROM blocks WHERE id > ? ORDER BY id").iterate(after)) {
    const id = Number(row["id"]);
    const body = String(row["body"]);
    if (firstBlock === 0) firstBlock = id;
    lastBlock = id;
    length += body.length;
    for (const run of parse(id, body)) {
      // A removed stream has no row; its id is not given again.
      const stream = streams.byId(run.stream);
      if (stream === undefined) continue;
      apply(stream, run);
      seen.add(stream);
    }
  }
  for (const stream of seen) {
    const last = lastOf(stream);
    if (last !== stream.head) throw missing(stream, last + 1);
    releaseRecent(stream);
  }
  for (const row of database.prepare("SELECT id FROM streams WHERE head > flushed AND head > floor").all()) {
    const stream = streams.byId(Number(row["id"]));
    if (stream !== undefined && stream.recent.length === 0) throw missing(stream, Math.max(stream.flushed, stream.floor) + 1);
  }
  return { streams: seen, firstBlock, lastBlock, length };
}

function lastOf({ recent, flushed, floor }: SqliteStream): number {
  return recent.length > 0 ? recent.last : Math.max(flushed, floor);
}

function apply(stream: SqliteStream, run: BlockRun): void {
  for (const entry of run.entries) {
    const last = lastOf(stream);
    if (entry.seq <= last) continue;
    if (entry.seq !== last + 1) throw missing(stream, last + 1);
    stream.recent.push(entry);
    if (entry.seq <= stream.head) continue;
    stream.head = stream.written = entry.seq;
    stream.gen = entry.gen;
    stream.attempt = entry.attempt;
  }
  stream.leaseEndsAt = Math.max(stream.leaseEndsAt, run.time + LEASE_MS);
  stream.changed = Math.max(stream.changed, run.position);
}

function parse(id: number, body: string): BlockRun[] {
  try {
    return parseBlock(body);
  } catch (cause) {
    throw new IasError("corrupt", `Block ${id} of the log cannot be read; restore the data folder from a backup.`, { cause });
  }
}

function missing(stream: SqliteStream, seq: number): IasError {
  return new IasError("corrupt", `Entry ${seq} of the stream ${keyText(stream.key)} is missing from the log; restore the data folder from a backup.`);
}
