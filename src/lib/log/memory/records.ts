import { IasError } from "../../model/errors.ts";
import { checkRecord, findBlocker } from "../admission.ts";
import type { Records, RecordWrite, StoredRecord } from "../records.ts";
import { createSorted } from "./sorted.ts";

/** Records in memory, with the two halves that an append's transaction needs. */
export interface MemoryRecords extends Records {
  /** The record that stands in the way of one of `writes`, or undefined if all may be written. A later write sees the earlier ones of the same key. */
  blocker(writes: readonly RecordWrite[]): StoredRecord | undefined;
  /** Writes one record, whatever stands there. */
  write(write: RecordWrite): StoredRecord;
  removeAll(prefix: string): void;
  /** Whether a record stands under `prefix`. */
  all(prefix: string): readonly StoredRecord[];
}

interface Kept extends StoredRecord {
  readonly endsAt: number;
}

/** Makes the records of one memory store; `now` is its clock, in ms. */
export function createMemoryRecords(now: () => number): MemoryRecords {
  const kept = new Map<string, Kept>();
  const keys = createSorted<string>((a, b) => (a < b ? -1 : a > b ? 1 : 0));

  const find = (key: string): Kept | undefined => {
    const record = kept.get(key);
    if (record === undefined || record.endsAt > now()) return record;
    drop(key);
    return undefined;
  };
  const drop = (key: string) => {
    kept.delete(key);
    keys.remove(key);
  };
  const write = ({ key, value, ttlMs }: RecordWrite): StoredRecord => {
    const old = find(key);
    if (old === undefined) keys.insert(key);
    const record = { key, value, version: (old?.version ?? 0) + 1, endsAt: ttlMs === undefined ? Infinity : now() + ttlMs };
    kept.set(key, record);
    return record;
  };
  const scan = (prefix: string, after: string | undefined, limit: number): StoredRecord[] => {
    const found: StoredRecord[] = [];
    const dead: string[] = [];
    const start = keys.search((key) => key < prefix || (after !== undefined && key <= after));
    for (let i = start; i < keys.items.length && found.length < limit; i += 1) {
      const key = keys.items[i] ?? "";
      if (!key.startsWith(prefix)) break;
      const record = kept.get(key);
      if (record !== undefined && record.endsAt > now()) found.push(expose(record));
      else dead.push(key);
    }
    for (const key of dead) drop(key);
    return found;
  };

  return {
    get: async (key) => expose(find(key)),
    put: async (request) => {
      checkRecord(request);
      const found = find(request.key);
      if (request.ifVersion !== undefined && request.ifVersion !== (found?.version ?? 0)) return { ok: false, found: expose(found) };
      return { ok: true, version: write(request).version };
    },
    delete: async (key, options) => {
      const found = find(key);
      if (found === undefined || (options?.ifVersion !== undefined && options.ifVersion !== found.version)) return false;
      drop(key);
      return true;
    },
    list: async (prefix, { after, limit }) => {
      if (!(limit >= 1 && limit <= 1000)) throw new IasError("invalid-request", `limit must be 1 to 1,000, not ${limit}.`);
      return scan(prefix, after, limit);
    },
    blocker: (writes) => findBlocker(writes, (key) => expose(find(key))),
    write,
    removeAll(prefix) {
      for (const record of scan(prefix, undefined, Infinity)) drop(record.key);
    },
    all: (prefix) => scan(prefix, undefined, Infinity),
  };
}

function expose(record: Kept): StoredRecord;
function expose(record: Kept | undefined): StoredRecord | undefined;
function expose(record: Kept | undefined): StoredRecord | undefined {
  return record && { key: record.key, value: record.value, version: record.version };
}
