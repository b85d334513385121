import type { DatabaseSync } from "node:sqlite";
import { checkRecord, findBlocker } from "../admission.ts";
import type { Records, RecordWrite, StoredRecord } from "../records.ts";
import type { Group } from "./group.ts";
import { AFTER_ALL, createRecordReader } from "./record-reader.ts";

/** Records in SQLite, with what an append's transaction needs. */
export interface SqliteRecords extends Records {
  /** The record that stands in the way of one of `writes`, or undefined if all may be written. A later write sees the earlier ones of the same key. */
  blocker(writes: readonly RecordWrite[]): StoredRecord | undefined;
  /** Writes one record, whatever stands there; inside a transaction. Gives its version. */
  write(write: RecordWrite): number;
  /** Removes a folder; inside a transaction. */
  removeAll(prefix: string): void;
  /** All records of a folder. */
  all(prefix: string): readonly StoredRecord[];
  /** Removes up to `limit` records whose time is over; inside a transaction. Gives how many. */
  sweep(limit: number): number;
}

/** The records of one database. */
export function createSqliteRecords(database: DatabaseSync, group: Group, now: () => number): SqliteRecords {
  const { get, list, find, scan } = createRecordReader(database, now);
  const insert = database.prepare(
    "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, ends_at = excluded.ends_at",
  );
  const remove = database.prepare("DELETE FROM records WHERE key = ?");
  const removeRange = database.prepare("DELETE FROM records WHERE key >= ? AND key < ?");
  const ended = database.prepare("DELETE FROM records WHERE key IN (SELECT key FROM records WHERE ends_at IS NOT NULL AND ends_at <= ? LIMIT ?)");

  const write = ({ key, value, ttlMs }: RecordWrite): number => {
    const version = (find(key)?.version ?? 0) + 1;
    insert.run(key, value, version, ttlMs === undefined ? null : now() + ttlMs);
    return version;
  };

  return {
    get,
    list,
    async put(request) {
      checkRecord(request);
      const copy = { ...request };
      return group.submit(() => {
        const found = find(copy.key);
        if (copy.ifVersion !== undefined && copy.ifVersion !== (found?.version ?? 0)) return { ok: false, found: found };
        group.begin();
        return { ok: true, version: write(copy) };
      });
    },
    delete: (key, options) =>
      group.submit(() => {
        const found = find(key);
        if (found === undefined || (options?.ifVersion !== undefined && options.ifVersion !== found.version)) return false;
        group.begin();
        remove.run(key);
        return true;
      }),
    blocker: (writes) => findBlocker(writes, find),
    write,
    removeAll(prefix) {
      removeRange.run(prefix, prefix + AFTER_ALL);
    },
    all: (prefix) => scan(prefix, "", -1),
    sweep: (limit) => Number(ended.run(now(), limit).changes),
  };
}
