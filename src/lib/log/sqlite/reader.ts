import { existsSync } from "node:fs";
import { join } from "node:path";
import { IasError } from "../../model/errors.ts";
import { createDoorbells, iterateChanges } from "../doorbells.ts";
import type { EventLog } from "../log.ts";
import type { Store } from "../store.ts";
import { DEFAULT_PAGE_BYTES, followTail, wakeFollowers } from "../tail.ts";
import { createOlderChanges } from "./changes.ts";
import { createGuard } from "./guard.ts";
import { createRecordReader } from "./record-reader.ts";
import { openDatabase } from "./schema.ts";
import type { SqliteStream } from "./stream.ts";
import { createStreams, isInRow, toPage } from "./streams.ts";
import { createSqliteIndex } from "./task-index.ts";
import { createView } from "./view.ts";

/** What a reader beside the owner process takes. */
export interface ReaderOptions {
  readonly folder: string;
  readonly now: () => number;
  readonly durability: "process" | "host";
}

/** How often a reader that follows looks for commits of the owner, in ms. */
const POLL_MS = 50;

/** Streams kept in memory that nobody follows, and changes that are kept of such. */
const MAX_IDLE = 256;

/**
 * Opens a data folder for reading only, beside its owner or without one. Reads are as of now; followers and changes come within `POLL_MS`.
 * Every writing call answers IasError `forbidden`.
 * @throws IasError `not-found` if there is no log in the folder.
 */
export function openReader({ folder, now, durability }: ReaderOptions): Store {
  const path = join(folder, "log.db");
  if (!existsSync(path)) throw new IasError("not-found", `There is no log in ${folder}; a server makes it when it first starts with this data folder.`);
  const database = openDatabase(path, { readOnly: true });
  const streams = createStreams(database, MAX_IDLE);
  const bells = createDoorbells<SqliteStream>({ mayForget: isInRow, keep: MAX_IDLE });
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
    // Each that is kept is read again at every commit, so few are: the others' rows say all.
    streams.trim(now());
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
