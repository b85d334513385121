import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { checkRecord } from "../admission.ts";
import type { Records, RecordWrite, StoredRecord } from "../records.ts";
import type { Group } from "./group.ts";

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

/** The end of the range of keys that start with `prefix`: keys are ASCII (`joinKey`), this sorts after any. */
const AFTER_ALL = "\u{10ffff}";

/** The records of one database. */
export function createSqliteRecords(database: DatabaseSync, group: Group, now: () => number): SqliteRecords {
  const select = database.prepare("SELECT key, value, version FROM records WHERE key = ? AND (ends_at IS NULL OR ends_at > ?)");
  const insert = database.prepare(
    "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, ends_at = excluded.ends_at",
  );
  const remove = database.prepare("DELETE FROM records WHERE key = ?");
  const removeRange = database.prepare("DELETE FROM records WHERE key >= ? AND key < ?");
  const range = database.prepare(
    "SELECT key, value, version FROM records WHERE key > ? AND key >= ? AND key < ? AND (ends_at IS NULL OR ends_at > ?) ORDER BY key LIMIT ?",
  );
  const ended = database.prepare("DELETE FROM records WHERE key IN (SELECT key FROM records WHERE ends_at IS NOT NULL AND ends_at <= ? LIMIT ?)");

  const find = (key: string) => select.get(key, now()) as StoredRecord | undefined;
  const scan = (prefix: string, after: string, limit: number) =>
    (range.all(after, prefix, prefix + AFTER_ALL, now(), limit) as unknown as StoredRecord[]).map(({ key, value, version }) => ({ key, value, version }));
  const write = ({ key, value, ttlMs }: RecordWrite): number => {
    const version = (find(key)?.version ?? 0) + 1;
    insert.run(key, value, version, ttlMs === undefined ? null : now() + ttlMs);
    return version;
  };
  const expose = (record: StoredRecord | undefined): StoredRecord | undefined => record && { key: record.key, value: record.value, version: record.version };

  return {
    get: async (key) => expose(find(key)),
    async put(request) {
      checkRecord(request);
      const copy = { ...request };
      return group.submit(() => {
        const found = find(copy.key);
        if (copy.ifVersion !== undefined && copy.ifVersion !== (found?.version ?? 0)) return { ok: false, found: expose(found) };
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
    async list(prefix, { after = "", limit }) {
      if (!(limit >= 1 && limit <= 1000)) throw new IasError("invalid-request", `limit must be 1 to 1,000, not ${limit}.`);
      return scan(prefix, after, limit);
    },
    blocker(writes) {
      for (const [place, request] of writes.entries()) {
        if (request.ifVersion === undefined) continue;
        const found = find(request.key);
        const earlier = writes.slice(0, place).filter((other) => other.key === request.key).length;
        if (request.ifVersion !== (found?.version ?? 0) + earlier) return expose(found) ?? { key: request.key, value: "null", version: 0 };
      }
      return undefined;
    },
    write,
    removeAll(prefix) {
      removeRange.run(prefix, prefix + AFTER_ALL);
    },
    all: (prefix) => scan(prefix, "", -1),
    sweep: (limit) => Number(ended.run(now(), limit).changes),
  };
}
