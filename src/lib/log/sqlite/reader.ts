import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { createDoorbells, iterateChanges } from "../doorbells.ts";
import type { EventLog } from "../log.ts";
import type { Store } from "../store.ts";
import { DEFAULT_PAGE_BYTES, followTail, wakeFollowers } from "../tail.ts";
import { createOlderChanges } from "./changes.ts";
import { toStoreError } from "./errors.ts";
import { createGuard } from "./guard.ts";
import { createRecordReader } from "./record-reader.ts";
import { replayBlocks } from "./recovery.ts";
import { openDatabase } from "./schema.ts";
import type { SqliteStream } from "./stream.ts";
import { createStreams, toPage, type Streams } from "./streams.ts";
import { createSqliteIndex } from "./task-index.ts";

/** What a reader beside the owner process takes. */
export interface ReaderOptions {
  readonly folder: string;
  readonly now: () => number;
  readonly durability: "process" | "host";
}

/** How often a reader that follows looks for commits of the owner, in ms. */
const POLL_MS = 50;

/**
 * Opens a data folder for reading only, beside its owner or without one. Reads are as of now; followers and changes come within `POLL_MS`.
 * Every writing call answers IasError `forbidden`.
 * @throws IasError `not-found` if there is no log in the folder.
 */
export function openReader({ folder, now, durability }: ReaderOptions): Store {
  const path = join(folder, "log.db");
  if (!existsSync(path)) throw new IasError("not-found", `There is no log in ${folder}; a server makes it when it first starts with this data folder.`);
  const database = openDatabase(path, { readOnly: true });
  const streams = createStreams(database, 4096);
  const bells = createDoorbells<SqliteStream>();
  const view = createView(database);
  const closing = new AbortController();
  const guard = createGuard(() => {
    if (closing.signal.aborted) throw new IasError("unavailable", "The store is closed.");
    refresh();
  });
  let timer: NodeJS.Timeout | undefined;

  /** Brings everything in memory up to the owner's last commit. */
  function refresh(): void {
    refreshAnd(() => undefined);
  }

  /** What `read` finds is of the same commit: a truncation or a merge in between would show a gap. */
  function refreshAnd<T>(read: () => T): T {
    let found: () => T = read;
    const changed = view.update(streams, () => {
      found = attempt(read);
    });
    for (const stream of changed) {
      if (stream.gone) streams.forget(stream);
      else bells.ring(stream, stream.changed);
    }
    for (const stream of changed) wakeFollowers(stream);
    return found();
  }

  function poll(): void {
    timer ??= setInterval(() => {
      try {
        refresh();
      } catch {
        // The next read says what is wrong.
      }
    }, POLL_MS);
  }

  refresh();
  const index = createSqliteIndex(database, streams, undefined, undefined, now);
  const records = createRecordReader(database, now);
  const older = createOlderChanges({ database, streams, bells, start: view.start });
  const log: EventLog = {
    id: String(database.prepare("SELECT value FROM facts WHERE name = 'log_id'").get()?.["value"]),
    durability,
    open: refuse,
    append: refuse,
    read: guard(async (key, { after, maxBytes = DEFAULT_PAGE_BYTES }) =>
      refreshAnd(() => {
        const stream = streams.find(key);
        return stream === undefined || stream.gone ? undefined : toPage(streams, stream, after, maxBytes);
      }),
    ),
    follow(key, request) {
      poll();
      const { tenant, user, agent, task } = key;
      const find = (): SqliteStream | undefined => {
        if (closing.signal.aborted) return undefined;
        refresh();
        return streams.find({ tenant, user, agent, task });
      };
      return followTail(find, streams.load, request);
    },
    changes(request) {
      poll();
      return iterateChanges(bells, request, closing.signal, older);
    },
    position: guard(async () => Math.max(view.start, bells.newest)),
  };

  return {
    log,
    index: { get: guard(index.get), list: guard(index.list) },
    records: { get: guard(records.get), list: guard(records.list), put: refuse, delete: refuse },
    upkeep: { compact: refuse, truncate: refuse, remove: refuse },
    async [Symbol.asyncDispose]() {
      if (closing.signal.aborted) return;
      clearInterval(timer);
      closing.abort();
      for (const stream of streams.inUse()) {
        stream.gone = true;
        wakeFollowers(stream);
      }
      database.close();
    },
  };
}

/** Calls `read` now; what it gave or threw comes later. */
function attempt<T>(read: () => T): () => T {
  try {
    const value = read();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function refuse(): Promise<never> {
  throw new IasError("forbidden", "The data folder was opened read-only; only its owner process writes.", { reason: "READ_ONLY" });
}

/** What a reader has seen of the owner's commits. */
interface View {
  /** Changes up to here are found in rows, later ones are told by `update`. */
  readonly start: number;
  /** Gives the streams that changed since the last call, in the order of their changes. `then` is called in the same snapshot of the database; it does not throw. */
  update(streams: Streams, then: () => void): readonly SqliteStream[];
}

function createView(database: DatabaseSync): View {
  const version = database.prepare("PRAGMA data_version");
  const changedRows = database.prepare("SELECT id FROM streams WHERE changed > ?");
  let seenVersion = -1;
  let lastBlock = 0;
  let position = -1;
  let start = 0;

  const read = (streams: Streams): SqliteStream[] => {
    const changed = new Set<SqliteStream>();
    for (const stream of streams.inUse()) {
      streams.refresh(stream);
      if (stream.gone) changed.add(stream);
    }
    const replayed = replayBlocks(database, streams, lastBlock);
    lastBlock = replayed.lastBlock;
    if (position < 0) {
      // Rows lag behind the blocks: what the blocks say is told, with all that changed since.
      const newest = Number(database.prepare("SELECT coalesce(max(changed), 0) AS newest FROM streams").get()?.["newest"]);
      start = Math.min(newest, ...[...replayed.streams].map((stream) => stream.changed - 1));
      position = start;
    }
    for (const stream of replayed.streams) changed.add(stream);
    for (const row of changedRows.all(position)) {
      const stream = streams.byId(Number(row["id"]));
      if (stream !== undefined) changed.add(stream);
    }
    const inOrder = [...changed].filter((stream) => stream.gone || stream.changed > position).toSorted((a, b) => a.changed - b.changed);
    position = Math.max(position, inOrder.at(-1)?.changed ?? 0);
    return inOrder;
  };

  return {
    get start() {
      return start;
    },
    update(streams, then) {
      database.exec("BEGIN");
      try {
        const now = Number(version.get()?.["data_version"]);
        const changed = now === seenVersion ? [] : read(streams);
        seenVersion = now;
        then();
        return changed;
      } catch (error) {
        throw toStoreError(error, "read the log");
      } finally {
        database.exec("COMMIT");
      }
    },
  };
}
