import type { TaskState } from "../model/a2a.ts";
import type { StreamKey } from "../model/key.ts";

/** One task in the index. It changes only together with a public status entry (SEMANTICS 11). */
export interface IndexRow {
  readonly key: StreamKey;
  readonly context: string;
  readonly state: TaskState;
  /** The public status' timestamp, ms since the epoch. */
  readonly statusAt: number;
  /** When the task was created, ms since the epoch. */
  readonly createdAt: number;
}

/** A row as the index returns it, with facts of its stream. */
export interface ListedTask extends IndexRow {
  readonly head: number;
  readonly epoch: number;
  readonly leaseEndsAt: number;
}

/**
 * Finds tasks. Order is (statusAt, task) descending (SEMANTICS 21), or (createdAt, task) ascending for queues.
 * Counting costs no scan of the matching rows where the filter is only tenant, user, agent or state; the tasks of one context may be counted one by one.
 */
export interface TaskIndex {
  get(key: StreamKey): Promise<ListedTask | undefined>;
  list(query: TaskQuery): Promise<TaskPage>;
}

/** Every given field must match. */
export interface TaskQuery {
  readonly tenant?: string;
  readonly user?: string;
  readonly agent?: string;
  readonly context?: string;
  readonly states?: readonly TaskState[];
  /** statusAt at or after, ms since the epoch. */
  readonly statusAfter?: number;
  /** statusAt at or before, ms since the epoch: the time bound of a paged listing. */
  readonly statusUntil?: number;
  /** Only tasks whose writer's lease has ended by the log's clock. */
  readonly leaseEnded?: boolean;
  /** `newest` (default): statusAt descending. `oldest`: createdAt ascending, for queues. */
  readonly order?: "newest" | "oldest";
  /** The last row of the page before. */
  readonly after?: { readonly time: number; readonly task: string };
  /** 1 to 1,000. */
  readonly limit: number;
}

/** One page of a listing. */
export interface TaskPage {
  readonly tasks: readonly ListedTask[];
  /** All that match the query without `after` and `statusUntil`. */
  readonly total: number;
  readonly more: boolean;
}
