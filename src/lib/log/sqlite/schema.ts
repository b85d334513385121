import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { toStoreError } from "./errors.ts";

/**
 * The tables of one data folder's `log.db`, version by version; `PRAGMA user_version` counts them.
 *
 * - `blocks`: the entries of each commit that are not yet in segments, one row a commit (`block.ts`). Read only when the store opens.
 * - `segments`: all other entries (`segment.ts`); `seq` is that of the segment's last entry.
 * - `streams`: facts as of the last flush, opening, sealing or second of idle renewal; blocks complete them. `flushed` is the last seq in segments,
 *   `compacted` the last that compaction need not look at again, `changed` the position of the newest change.
 * - `states`, `snapshots`: the resume state and the folded Task at the floor, apart because they are large.
 * - `tasks`: the index. `records`: the small documents; `ends_at` is null for those that are kept.
 * - `facts`: `log_id`; `position` and `last_block`: positions and block ids up to them were given, though no row may show it.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  CREATE TABLE blocks (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE segments (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL);
  CREATE UNIQUE INDEX segments_by_seq ON segments (stream, seq);
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL, user TEXT NOT NULL, agent TEXT NOT NULL, task TEXT NOT NULL,
    epoch INTEGER NOT NULL, owner TEXT NOT NULL, lease_ends_at REAL NOT NULL,
    head INTEGER NOT NULL, gen INTEGER NOT NULL, attempt INTEGER NOT NULL,
    floor INTEGER NOT NULL, flushed INTEGER NOT NULL, compacted INTEGER NOT NULL,
    changed INTEGER NOT NULL, sealed INTEGER NOT NULL,
    UNIQUE (task, tenant, user, agent)
  );
  CREATE INDEX streams_by_change ON streams (changed);
  CREATE INDEX streams_in_blocks ON streams (id) WHERE head > flushed AND head > floor;
  CREATE TABLE states (stream INTEGER PRIMARY KEY, version TEXT NOT NULL, data TEXT NOT NULL);
  CREATE TABLE snapshots (stream INTEGER PRIMARY KEY, snapshot TEXT NOT NULL);
  CREATE TABLE tasks (
    stream INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL, user TEXT NOT NULL, agent TEXT NOT NULL, task TEXT NOT NULL,
    context TEXT NOT NULL, state TEXT NOT NULL, status_at REAL NOT NULL, created_at REAL NOT NULL
  );
  CREATE INDEX tasks_newest ON tasks (status_at, task);
  CREATE INDEX tasks_oldest ON tasks (created_at, task);
  CREATE INDEX tasks_newest_of_user ON tasks (tenant, user, status_at, task);
  CREATE INDEX tasks_of_context ON tasks (context, tenant, user, agent, state);
  CREATE INDEX tasks_in_state ON tasks (state, tenant, user, agent);
  CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, ends_at REAL);
  CREATE INDEX records_by_end ON records (ends_at) WHERE ends_at IS NOT NULL;
  `,
];

/** SQLite's default page size. */
export const PAGE_BYTES = 4096;

/** How `log.db` is opened; `maxBytes` bounds its file. */
export interface OpenDatabaseOptions {
  readonly readOnly: boolean;
  readonly maxBytes?: number;
}

/**
 * Opens `log.db` and brings its schema up to date. WAL; checkpoints are the checkpointer's.
 * @throws IasError `configuration` if it was made by a newer version or cannot be opened, `corrupt` if it is no database.
 */
export function openDatabase(path: string, { readOnly, maxBytes }: OpenDatabaseOptions): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly, timeout: 5000 });
    database.exec("PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF;");
    if (readOnly) checkVersion(database, path);
    else {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;");
      migrate(database, path);
      if (maxBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)}`);
    }
    return database;
  } catch (error) {
    database?.close();
    throw toStoreError(error, `open ${path}`);
  }
}

function migrate(database: DatabaseSync, path: string): void {
  const version = readVersion(database);
  if (version > MIGRATIONS.length) throw newer(path, version);
  for (let step = version; step < MIGRATIONS.length; step += 1) {
    database.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[step] ?? ""}; PRAGMA user_version = ${step + 1}; COMMIT;`);
  }
  database.prepare("INSERT INTO facts VALUES ('log_id', ?), ('position', 0), ('last_block', 0) ON CONFLICT DO NOTHING").run(randomBytes(8).toString("hex"));
}

function checkVersion(database: DatabaseSync, path: string): void {
  const version = readVersion(database);
  if (version > MIGRATIONS.length) throw newer(path, version);
  if (version < MIGRATIONS.length)
    throw new IasError(
      "configuration",
      `${path} has version ${version}; start a server on it once, which brings it to version ${MIGRATIONS.length}, then read it.`,
    );
}

function readVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function newer(path: string, version: number): IasError {
  return new IasError(
    "configuration",
    `${path} was made by a newer version of Infinite Agent Streams (schema ${version}, this one knows ${MIGRATIONS.length}). Update, or use another data folder.`,
  );
}
