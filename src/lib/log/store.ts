import type { StreamKey } from "../model/key.ts";
import type { TaskIndex } from "./task-index.ts";
import type { EventLog } from "./log.ts";
import type { Records } from "./records.ts";

/** What one adapter offers: the seams share one transaction, so they come together. Disposing releases files and locks. */
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
   * exactly the same entries; nothing is rewritten more than log n times (SEMANTICS 14). Works on what changed since the last call, for at most `budgetMs`.
   */
  compact(options: { readonly budgetMs: number }): Promise<{ readonly merged: number; readonly segments: number }>;
  /**
   * Replaces the entries up to `floor` by `snapshot` (the Task folded at `floor`, JSON). Never past a hold (a record under `joinKey("hold", keyText(key)) + "/"`
   * whose value is `{ "seq": n }`): then it stops there and says so by returning a lower floor without changing anything.
   */
  truncate(key: StreamKey, options: { readonly floor: number; readonly snapshot: string }): Promise<{ readonly floor: number }>;
  /** Removes a sealed stream, its index row and all records under `joinKey("task", keyText(key)) + "/"`; false while a hold stands. */
  remove(key: StreamKey): Promise<boolean>;
}
