import type { StreamKey } from "../model/key.ts";
import type { TaskIndex } from "./task-index.ts";
import type { EventLog } from "./log.ts";
import type { Records } from "./records.ts";

/**
 * What one adapter offers: the seams share one transaction, so they come together. Disposing commits what waits, ends followers and changes, and releases
 * files and locks; calls after it throw `unavailable`.
 */
export interface Store extends AsyncDisposable {
  readonly log: EventLog;
  readonly index: TaskIndex;
  readonly records: Records;
  readonly upkeep: Upkeep;
}

/** Keeps a store small. Called by one scheduler (`runtime/upkeep.ts`), never concurrently with itself. */
export interface Upkeep {
  /**
   * Merges runs of appends to one artifact into segments of at most 64 KiB that keep each entry's size and time, so that reads return
   * exactly the same entries; nothing is rewritten more than log n times (SEMANTICS 14). Works on what changed since the last call, for about `budgetMs`,
   * in steps of a few ms. Gives how many entries were rewritten, and into how many segments; `merged: 0` when there is nothing left to do.
   */
  compact(options: { readonly budgetMs: number }): Promise<{ readonly merged: number; readonly segments: number }>;
  /**
   * Replaces the entries up to `floor` by `snapshot` (what the stream amounts to at `floor`; JSON, opaque here). Never past a hold (a record under `joinKey("hold", keyText(key)) + "/"`
   * whose value is `{ "seq": n }`): then it says so by returning the floor that is allowed, without changing anything. A floor that is
   * there already is returned as it is. Throws `not-found` without a stream, `invalid-request` above its head.
   */
  truncate(key: StreamKey, options: { readonly floor: number; readonly snapshot: string }): Promise<{ readonly floor: number }>;
  /**
   * Removes a sealed stream, its index row and all records under `joinKey("task", keyText(key)) + "/"`. False, and nothing is changed, while a hold stands,
   * while the stream is not sealed, and when there is none. The same key may be created again.
   */
  remove(key: StreamKey): Promise<boolean>;
}
