import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { joinKey, keyText } from "../../model/key.ts";
import { lowestHold } from "../holds.ts";
import type { Upkeep } from "../store.ts";
import { wakeFollowers } from "../tail.ts";
import type { Flusher } from "./flusher.ts";
import type { FailPoint, Group } from "./group.ts";
import { createMerger } from "./merger.ts";
import type { SqliteRecords } from "./records.ts";
import { dropRecent } from "./stream.ts";
import type { Streams } from "./streams.ts";
import type { SqliteIndex } from "./task-index.ts";

/** What upkeep is made of. */
export interface UpkeepParts {
  readonly database: DatabaseSync;
  readonly streams: Streams;
  readonly group: Group;
  readonly records: SqliteRecords;
  readonly index: SqliteIndex;
  readonly flusher: Flusher;
  readonly failPoint?: ((name: FailPoint) => void) | undefined;
}

/** Records whose time is over, removed in one call of `compact`. */
const SWEPT = 1000;

/** The upkeep of one database. */
export function createSqliteUpkeep(parts: UpkeepParts): Upkeep {
  const { database, streams, group, records, index, flusher } = parts;
  const dropSegments = database.prepare("DELETE FROM segments WHERE stream = ? AND seq <= ?");
  const putSnapshot = database.prepare("INSERT INTO snapshots VALUES (?, ?) ON CONFLICT DO UPDATE SET snapshot = excluded.snapshot");
  const dropSnapshot = database.prepare("DELETE FROM snapshots WHERE stream = ?");
  const dropState = database.prepare("DELETE FROM states WHERE stream = ?");
  const dropStream = database.prepare("DELETE FROM streams WHERE id = ?");
  const putPosition = database.prepare("UPDATE facts SET value = ? WHERE name = 'position'");
  const unfinished = database.prepare("SELECT id FROM streams WHERE flushed > compacted");
  const merger = createMerger(parts);
  let candidates: Set<number> | undefined;

  return {
    async compact({ budgetMs }) {
      const end = performance.now() + budgetMs;
      await flusher.flushAll();
      // What an earlier process left over is looked through once.
      candidates ??= new Set(unfinished.all().map((row) => Number(row["id"])));
      for (const id of flusher.takeFlushed()) candidates.add(id);
      let merged = 0;
      let segments = 0;
      for (const id of candidates) {
        for (;;) {
          if (performance.now() > end) return { merged, segments };
          const step = await group.submit(() => merger.step(id));
          merged += step.merged;
          segments += step.segments;
          if (step.merged === 0) break;
        }
        candidates.delete(id);
      }
      await group.submit(() => {
        group.begin();
        records.sweep(SWEPT);
      });
      return { merged, segments };
    },

    truncate: (key, { floor, snapshot }) =>
      group.submit(() => {
        const stream = streams.find(key);
        const name = keyText(key);
        if (stream === undefined || stream.gone) throw new IasError("not-found", `There is no stream ${name} to truncate.`);
        if (floor > stream.head) throw new IasError("invalid-request", `The floor ${floor} is above the head ${stream.head} of ${name}.`);
        const allowed = Math.max(stream.floor, Math.min(floor, lowestHold(records.all(`${joinKey("hold", name)}/`))));
        if (allowed !== floor || floor <= stream.floor) return { floor: allowed };
        group.begin();
        group.touch(stream, "changed");
        dropSegments.run(stream.id, floor);
        putSnapshot.run(stream.id, snapshot);
        stream.floor = floor;
        group.saveLater(stream);
        group.afterCommit(() => dropRecent(stream, floor));
        return { floor };
      }),

    remove: (key) =>
      group.submit(() => {
        const stream = streams.find(key);
        const name = keyText(key);
        if (stream === undefined || stream.gone || !stream.sealed || records.all(`${joinKey("hold", name)}/`).length > 0) return false;
        group.begin();
        records.removeAll(`${joinKey("task", name)}/`);
        index.set(stream, null);
        dropSegments.run(stream.id, stream.written);
        for (const statement of [dropSnapshot, dropState, dropStream]) statement.run(stream.id);
        // Its positions must not be given again.
        putPosition.run(group.position);
        // At once: a flush in the same group would write segments of a stream without a row.
        group.touch(stream, "changed");
        stream.gone = true;
        group.afterCommit(() => {
          streams.forget(stream);
          wakeFollowers(stream);
        });
        return true;
      }),
  };
}
