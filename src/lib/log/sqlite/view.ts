import type { DatabaseSync } from "node:sqlite";
import { toStoreError } from "./errors.ts";
import { replayBlocks } from "./recovery.ts";
import type { SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** What a reader has seen of the owner's commits. */
export interface View {
  /** Changes up to here are found in rows, later ones are told by `update`. */
  readonly start: number;
  /** Gives the streams that changed since the last call, in the order of their changes. `then` is called in the same snapshot of the database; it does not throw. */
  update(streams: Streams, then: () => void): readonly SqliteStream[];
}

/** Begins with nothing seen. */
export function createView(database: DatabaseSync): View {
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
