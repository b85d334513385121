/**
 * Small versioned documents in the log's own store: push configurations, cursors, idempotency records, holds, quotas.
 * Keys are made with `joinKey`, so that a prefix that ends in `/` is a folder. A record whose time is over does not exist.
 */
export interface Records {
  get(key: string): Promise<StoredRecord | undefined>;
  /** Writes if `ifVersion` holds; else returns the record that stands there (`ok: false`; undefined if there is none). */
  put(write: RecordWrite): Promise<{ readonly ok: true; readonly version: number } | { readonly ok: false; readonly found: StoredRecord | undefined }>;
  /** Removes the record; true if there was one (of `ifVersion`, if given). */
  delete(key: string, options?: { readonly ifVersion?: number }): Promise<boolean>;
  /** Records whose key starts with `prefix`, in key order, after key `after`, at most `limit` (1 to 1,000). */
  list(prefix: string, options: { readonly after?: string; readonly limit: number }): Promise<readonly StoredRecord[]>;
}

/** One record to write. */
export interface RecordWrite {
  readonly key: string;
  /** JSON text, at most 256 KiB. */
  readonly value: string;
  /** Only if the present version is this; 0: only if there is none. Absent: always. */
  readonly ifVersion?: number;
  /** Gone after this many ms; absent: kept. */
  readonly ttlMs?: number;
}

/** A record as it stands. */
export interface StoredRecord {
  readonly key: string;
  readonly value: string;
  /** From 1, plus 1 at each write. */
  readonly version: number;
}
