import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import type { Records, StoredRecord } from "../records.ts";

/** The reading half of the records. */
export interface RecordReader extends Pick<Records, "get" | "list"> {
  find(key: string): StoredRecord | undefined;
  /** Records of a folder after key `after`, at most `limit` (-1: all). */
  scan(prefix: string, after: string, limit: number): StoredRecord[];
}

/** Sorts after any key: keys are ASCII (`joinKey`). `prefix + AFTER_ALL` ends the range of keys that start with `prefix`. */
export const AFTER_ALL = "\u{10ffff}";

/** The reader of one database's records; `now` is the clock of their times to live. */
export function createRecordReader(database: DatabaseSync, now: () => number): RecordReader {
  const select = database.prepare("SELECT key, value, version FROM records WHERE key = ? AND (ends_at IS NULL OR ends_at > ?)");
  const range = database.prepare(
    "SELECT key, value, version FROM records WHERE key > ? AND key >= ? AND key < ? AND (ends_at IS NULL OR ends_at > ?) ORDER BY key LIMIT ?",
  );

  const find = (key: string): StoredRecord | undefined => {
    const row = select.get(key, now());
    return row && toRecord(row);
  };
  const scan = (prefix: string, after: string, limit: number) => range.all(after, prefix, prefix + AFTER_ALL, now(), limit).map(toRecord);

  return {
    find,
    scan,
    get: async (key) => find(key),
    async list(prefix, { after = "", limit }) {
      if (!(limit >= 1 && limit <= 1000)) throw new IasError("invalid-request", `limit must be 1 to 1,000, not ${limit}.`);
      return scan(prefix, after, limit);
    },
  };
}

function toRecord(row: Record<string, unknown>): StoredRecord {
  return { key: String(row["key"]), value: String(row["value"]), version: Number(row["version"]) };
}
