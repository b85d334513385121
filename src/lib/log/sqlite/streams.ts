import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../../model/entry.ts";
import { IasError } from "../../model/errors.ts";
import { keyText, type StreamKey } from "../../model/key.ts";
import type { Page } from "../log.ts";
import { createRegistry } from "../registry.ts";
import { decodeSegment } from "../segment.ts";
import { pageOf } from "../tail.ts";
import { tellLong } from "./long-entries.ts";
import { fromRow, recentPage, STREAM_COLUMNS, type SqliteStream, type StreamRow } from "./stream.ts";

/** The streams of one database: those in use, and the others when asked for. */
export interface Streams {
  find(key: StreamKey): SqliteStream | undefined;
  byId(id: number): SqliteStream | undefined;
  /** Inserts a row and gives its stream; inside a transaction. */
  create(key: StreamKey): SqliteStream;
  /** Writes the stream's row; inside a transaction. */
  save(stream: SqliteStream): void;
  /** Brings a stream up to its row, for a store that another process writes; it is `gone` if there is no row. */
  refresh(stream: SqliteStream): void;
  /** Takes the stream out of memory. */
  forget(stream: SqliteStream): void;
  /** Forgets streams that nobody uses, while there are more than the limit. `now` is the log's time. */
  trim(now: number): void;
  load(stream: SqliteStream, after: number, maxBytes: number): readonly Entry[];
  snapshot(stream: SqliteStream): string | undefined;
  inUse(): Iterable<SqliteStream>;
}

/** Decoded segments kept for readers that go through one in several pages. */
const KEPT_SEGMENTS = 8;

interface Decoded {
  readonly seq: number;
  readonly body: string;
  readonly entries: readonly Entry[];
}

/** Makes the streams over `database`; at most about `maxIdle` that nobody uses are kept in memory. */
export function createStreams(database: DatabaseSync, maxIdle: number, onLongEntries?: (length: number) => void): Streams {
  const registry = createRegistry<SqliteStream>();
  const ids = new Map<number, SqliteStream>();
  const decoded = new Map<number, Decoded>();
  const prepare = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  const byKey = prepare(`SELECT ${STREAM_COLUMNS} FROM streams WHERE task = ? AND tenant = ? AND user = ? AND agent = ?`);
  const byNumber = prepare(`SELECT ${STREAM_COLUMNS} FROM streams WHERE id = ?`);
  const insert = database.prepare(
    "INSERT INTO streams (tenant, user, agent, task, epoch, owner, lease_ends_at, head, gen, attempt, floor, flushed, compacted, changed, sealed) VALUES (?, ?, ?, ?, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0)",
  );
  const update = database.prepare(
    "UPDATE streams SET epoch = ?, owner = ?, lease_ends_at = ?, head = ?, gen = ?, attempt = ?, floor = ?, flushed = ?, compacted = ?, changed = ?, sealed = ? WHERE id = ?",
  );
  const segmentsAfter = prepare("SELECT id, seq, body FROM segments WHERE stream = ? AND seq > ? ORDER BY seq LIMIT 1");
  const snapshotOf = prepare("SELECT snapshot FROM snapshots WHERE stream = ?");

  const keep = (row: StreamRow | undefined): SqliteStream | undefined => {
    if (row === undefined) return undefined;
    const known = ids.get(row[0]);
    if (known !== undefined) return known;
    const stream = fromRow(row);
    registry.add(stream);
    ids.set(stream.id, stream);
    return stream;
  };

  const segment = (stream: SqliteStream, after: number): readonly Entry[] => {
    const row = segmentsAfter.get(stream.id, after) as unknown as [number, number, string] | undefined;
    if (row === undefined) return [];
    const [id, seq, body] = row;
    const known = decoded.get(id);
    // SQLite gives the id of a deleted segment again, to any stream: only the text says that it is the same. To compare costs less than to read the row.
    if (known !== undefined && known.seq === seq && known.body === body) return known.entries;
    const entries = decode(stream, seq, body);
    if (onLongEntries !== undefined) tellLong(entries, onLongEntries);
    const oldest = decoded.keys().next();
    if (decoded.size >= KEPT_SEGMENTS && oldest.done !== true) decoded.delete(oldest.value);
    decoded.set(id, { seq, body, entries });
    return entries;
  };

  return {
    find: (key) => registry.get(key) ?? keep(byKey.get(key.task, key.tenant, key.user, key.agent) as StreamRow | undefined),
    byId: (id) => ids.get(id) ?? keep(byNumber.get(id) as StreamRow | undefined),
    create(key) {
      const { tenant, user, agent, task } = key;
      const id = Number(insert.run(tenant, user, agent, task).lastInsertRowid);
      const stream = fromRow([id, tenant, user, agent, task, 0, "", 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      registry.add(stream);
      ids.set(id, stream);
      return stream;
    },
    save(stream) {
      const { epoch, owner, leaseEndsAt, written, gen, attempt, floor, flushed, compacted, changed, ended, id } = stream;
      update.run(epoch, owner, leaseEndsAt, written, gen, attempt, floor, flushed, compacted, changed, ended ? 1 : 0, id);
      stream.leaseSaved = leaseEndsAt;
    },
    refresh(stream) {
      const row = byNumber.get(stream.id) as StreamRow | undefined;
      if (row === undefined) stream.gone = true;
      else {
        const { epoch, owner, leaseEndsAt, head, gen, attempt, floor, flushed, compacted, changed, sealed } = fromRow(row);
        Object.assign(stream, { epoch, owner, leaseEndsAt: Math.max(leaseEndsAt, stream.leaseEndsAt), floor, flushed, compacted, sealed, ended: sealed });
        stream.changed = Math.max(changed, stream.changed);
        if (head > stream.head) Object.assign(stream, { head, written: head, gen, attempt });
        stream.recent.dropThrough(Math.max(flushed, floor));
        stream.page = undefined;
      }
    },
    forget(stream) {
      registry.remove(stream);
      ids.delete(stream.id);
    },
    trim(now) {
      if (ids.size <= maxIdle) return;
      for (const stream of ids.values()) {
        if (stream.users > 0 || !isInRow(stream) || stream.parking !== undefined || (stream.leaseEndsAt > now && !stream.sealed)) continue;
        registry.remove(stream);
        ids.delete(stream.id);
      }
    },
    load(stream, after, maxBytes) {
      const start = Math.max(after, stream.floor);
      if (start >= stream.flushed || stream.recent.has(start + 1)) return recentPage(stream, start, maxBytes);
      const entries = segment(stream, start);
      const first = entries[0]?.seq ?? 0;
      return pageOf(entries, Math.max(0, start + 1 - first), maxBytes, stream.head + 1 - first);
    },
    snapshot: (stream) => (snapshotOf.get(stream.id) as unknown as [string] | undefined)?.[0],
    inUse: () => ids.values(),
  };
}

/** Whether the stream's row says all but its lease: nothing of it is on its way to the disk, or in blocks only. */
export function isInRow(stream: SqliteStream): boolean {
  return stream.head === stream.written && stream.sealed === stream.ended && stream.recent.length === 0;
}

const NONE: readonly Entry[] = [];

/** The answer of `EventLog.read`. */
export function toPage(streams: Streams, stream: SqliteStream, after: number, maxBytes: number): Page {
  const { head, floor, sealed, epoch, owner, leaseEndsAt } = stream;
  const entries = maxBytes > 0 && Math.max(after, floor) < head ? streams.load(stream, after, maxBytes) : NONE;
  const snapshot = floor > 0 ? streams.snapshot(stream) : undefined;
  return { entries, head, floor, sealed, epoch, owner, leaseEndsAt, ...(snapshot !== undefined && { snapshot }) };
}

function decode(stream: SqliteStream, seq: number, body: string): readonly Entry[] {
  try {
    return decodeSegment(seq, body);
  } catch (cause) {
    throw new IasError("corrupt", `The segment up to entry ${seq} of ${keyText(stream.key)} cannot be read; restore the data folder from a backup.`, { cause });
  }
}
