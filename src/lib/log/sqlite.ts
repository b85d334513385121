import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../model/errors.ts";
import { checkBatch, checkOpen, DEFAULT_WRITE_LIMITS, type WriteLimits } from "./admission.ts";
import { createCounters, type Counters } from "./counters.ts";
import { createDoorbells, iterateChanges } from "./doorbells.ts";
import type { EventLog } from "./log.ts";
import { createOlderChanges } from "./sqlite/changes.ts";
import { createCheckpoints } from "./sqlite/checkpoints.ts";
import { makeDataFolder, syncDataFolder } from "./sqlite/data-folder.ts";
import { toStoreError } from "./sqlite/errors.ts";
import { createFlusher } from "./sqlite/flusher.ts";
import { createGuard } from "./sqlite/guard.ts";
import { createGroup, type FailPoint } from "./sqlite/group.ts";
import { createHardener, createNoHardener } from "./sqlite/harden.ts";
import { lockFolder } from "./sqlite/lock.ts";
import { openReader } from "./sqlite/reader.ts";
import { createSqliteRecords } from "./sqlite/records.ts";
import { replayBlocks } from "./sqlite/recovery.ts";
import { openDatabase, PAGE_BYTES } from "./sqlite/schema.ts";
import { createStates } from "./sqlite/states.ts";
import type { SqliteStream } from "./sqlite/stream.ts";
import { createStreams, isInRow, toPage, type Streams } from "./sqlite/streams.ts";
import { createSqliteIndex } from "./sqlite/task-index.ts";
import { createSqliteUpkeep } from "./sqlite/upkeep.ts";
import { createSqliteWriter } from "./sqlite/writer.ts";
import type { Store } from "./store.ts";
import { DEFAULT_PAGE_BYTES, followTail, wakeFollowers, type Load } from "./tail.ts";

/** What a store in SQLite takes. */
export interface SqliteStoreOptions extends Partial<WriteLimits> {
  /** The data folder; it is made if there is none, for this system user alone. */
  readonly folder: string;
  /** Opens for reading only, beside the owner process or without one: nothing is made, locked or written, and writing calls are `forbidden`. */
  readonly readOnly?: boolean;
  /** `process` (default): commits survive a killed process. `host`: they survive a power loss, at the cost of a sync per commit, by another thread. */
  readonly durability?: "process" | "host";
  /** The log's clock for leases and times to live, in ms since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Length of entries kept in memory and in blocks before they go into segments, in UTF-16 units; a quarter of it for entries longer than 4,096. Default 2 Mi. */
  readonly maxBlockLength?: number;
  /** Streams kept in memory that nobody uses. Default 4,096. */
  readonly maxIdleStreams?: number;
  /** Bytes written between two checkpoints. Default 24 MiB. */
  readonly checkpointBytes?: number;
  /** The largest database file, in bytes; what does not fit is refused as on a full disk (`unavailable`, reason DISK_FULL). Default: as the disk allows. */
  readonly maxDatabaseBytes?: number;
  /** Told of entries longer than 4,096 that are written, or read from segments: their length together, in UTF-16 units. */
  readonly onLongEntries?: (length: number) => void;
  /** What whoever finds the folder in use can do, a sentence of the error. Default: "Stop it, or choose another folder." */
  readonly inUse?: string;
  /** For tests that kill the process: called at each named point. */
  readonly failPoint?: (name: FailPoint) => void;
}

/**
 * A store in one data folder, by `node:sqlite` in WAL mode, owned by this process alone until it is disposed.
 * The writes of one turn of the event loop are one transaction. How it works: `docs/decisions/`, "Blocks and segments".
 * @throws IasError `conflict` if another process has the folder, `configuration` or `corrupt` if it cannot be used.
 */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  const { folder, durability = "process", failPoint } = options;
  const now = options.now ?? Date.now;
  if (options.readOnly === true) return openReader({ folder, now, durability });
  const path = join(folder, "log.db");
  makeDataFolder(folder, { durability });
  const unlock = lockFolder(folder, options.inUse);
  let opened: DatabaseSync | undefined;
  try {
    const database = (opened = openDatabase(path, {
      readOnly: false,
      ...(options.maxDatabaseBytes !== undefined && { maxBytes: options.maxDatabaseBytes }),
    }));
    const maxIdle = options.maxIdleStreams ?? 4096;
    const streams = createStreams(database, maxIdle, options.onLongEntries);
    const replayed = replayBlocks(database, streams, 0);
    saveAll(database, streams, replayed.streams);
    const counters = loadCounters(database);
    const start = readPosition(database);
    const bells = createDoorbells({ mayForget: isInRow, keep: maxIdle });
    const checkpoints = createCheckpoints({
      path,
      pause: () => group.pause(),
      resume: () => group.resume(),
      failPoint,
      ...(options.checkpointBytes !== undefined && { everyBytes: options.checkpointBytes }),
    });
    syncDataFolder(folder, { durability });
    const hardener = durability === "host" ? createHardener(`${path}-wal`) : createNoHardener();
    const flusher = createFlusher({
      database,
      streams,
      group: () => group,
      replayed,
      now,
      maxBlockLength: options.maxBlockLength ?? 2 * 1024 * 1024,
      failPoint,
    });
    const group = createGroup({
      database,
      streams,
      bells,
      now,
      position: start,
      lastBlock: Math.max(replayed.lastBlock, readFact(database, "last_block")),
      failPoint,
      harden: hardener.harden,
      onCommit(block, length) {
        flusher.onCommit(block, length);
        checkpoints.onCommit(length + PAGE_BYTES * 2);
      },
    });
    const records = createSqliteRecords(database, group, now);
    const index = createSqliteIndex(database, streams, group, counters, now);
    const limits = { ...DEFAULT_WRITE_LIMITS, ...options };
    const writer = createSqliteWriter({
      streams,
      group,
      records,
      index,
      states: createStates(database),
      limits,
      now,
      onLongEntries(length) {
        flusher.onLongEntries(length);
        options.onLongEntries?.(length);
      },
    });
    const older = createOlderChanges({ database, streams, bells, start });
    const closing = new AbortController();

    const checkUsable = (): void => {
      if (closing.signal.aborted) throw new IasError("unavailable", "The store is closed.");
    };
    const guard = createGuard(checkUsable);
    const load: Load<SqliteStream> = (stream, after, maxBytes) => {
      try {
        return streams.load(stream, after, maxBytes);
      } catch (error) {
        throw toStoreError(error, "read the log");
      }
    };
    const log: EventLog = {
      id: String(database.prepare("SELECT value FROM facts WHERE name = 'log_id'").get()?.["value"]),
      durability,
      open: guard(async (key, request) => {
        checkOpen(request);
        return writer.open(key, request);
      }),
      async append(key, batch) {
        checkUsable();
        checkBatch(key, batch);
        return writer.append(key, batch);
      },
      read: guard(async (key, { after, maxBytes = DEFAULT_PAGE_BYTES }) => {
        const stream = streams.find(key);
        return stream && toPage(streams, stream, after, maxBytes);
      }),
      follow(key, request) {
        checkUsable();
        const { tenant, user, agent, task } = key;
        return followTail(() => (closing.signal.aborted ? undefined : streams.find({ tenant, user, agent, task })), load, request);
      },
      changes: (request) => iterateChanges(bells, request, closing.signal, older),
      position: guard(async () => Math.max(start, bells.newest)),
    };

    return {
      log,
      index: { get: guard(index.get), list: guard(index.list) },
      records: { get: guard(records.get), put: guard(records.put), delete: guard(records.delete), list: guard(records.list) },
      upkeep: createSqliteUpkeep({ database, streams, group, records, index, flusher, failPoint }),
      async [Symbol.asyncDispose]() {
        if (closing.signal.aborted) return;
        group.close();
        closing.abort();
        await hardener.close();
        trySaveAll(database, streams);
        for (const stream of streams.inUse()) {
          stream.gone = true;
          wakeFollowers(stream);
        }
        await checkpoints.close();
        database.close();
        unlock();
      },
    };
  } catch (error) {
    opened?.close();
    unlock();
    throw toStoreError(error, `open the log in ${folder}`);
  }
}

function saveAll(database: DatabaseSync, streams: Streams, changed: Iterable<SqliteStream>): void {
  database.exec("BEGIN IMMEDIATE");
  for (const stream of changed) streams.save(stream);
  database.exec("COMMIT");
}

/** At the end: what the rows lack for want of room is what they lack after a kill, and the blocks say it at the next start. */
function trySaveAll(database: DatabaseSync, streams: Streams): void {
  try {
    saveAll(database, streams, streams.inUse());
  } catch {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}

function readPosition(database: DatabaseSync): number {
  const row = database.prepare("SELECT coalesce(max(changed), 0) AS changed FROM streams").get();
  return Math.max(Number(row?.["changed"]), readFact(database, "position"));
}

function readFact(database: DatabaseSync, name: string): number {
  return Number(database.prepare("SELECT value FROM facts WHERE name = ?").get(name)?.["value"] ?? 0);
}

/** Counts the tasks once, so that no listing has to (about half a second for a million). */
function loadCounters(database: DatabaseSync): Counters {
  const counters = createCounters({ contexts: false });
  const rows = database.prepare("SELECT tenant, user, agent, state, count(*) AS count FROM tasks GROUP BY tenant, user, agent, state").all();
  for (const row of rows) counters.load(row as never);
  return counters;
}
