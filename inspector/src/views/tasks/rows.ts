import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Task, TaskState } from "../../../../src/lib/model/a2a.ts";
import type { FeedFrame, StreamEntry, TaskSummary, TaskSummaryPage } from "../../../../src/lib/model/api.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { followAll, type FollowOptions } from "../../state/feed.ts";
import { onFrame, onTick, pause } from "../../state/frame.ts";

/** A line of the list: what it is stays, how it stands follows the feed. */
export interface TaskRow {
  readonly summary: TaskSummary;
  readonly state: ReadonlySignal<TaskState>;
  readonly statusAt: ReadonlySignal<number>;
  /** The stream's last seq. */
  readonly head: ReadonlySignal<number>;
}

/** What is asked for. */
export interface TaskFilter {
  readonly agent?: string | undefined;
  readonly context?: string | undefined;
  readonly state?: string | undefined;
  /** A page of the list, for the rest of the question, too. */
  readonly list: (pageToken: string, signal: AbortSignal) => Promise<TaskSummaryPage>;
}

/**
 * A list of tasks that is told by the feed how its tasks stand. A row keeps its place as long as it is shown; new tasks come on top, and wait while somebody
 * points at the list or reads further down. Whoever made it closes it.
 */
export interface TaskRows {
  readonly rows: ReadonlySignal<readonly TaskRow[] | undefined>;
  /** How many new ones wait to be shown. */
  readonly waiting: ReadonlySignal<number>;
  readonly total: ReadonlySignal<number>;
  readonly hasMore: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Asks something else; what is shown stays until the answer. */
  ask(filter: TaskFilter): Promise<void>;
  /** Older ones, below. */
  showMore(): Promise<void>;
  showWaiting(): void;
  hold(isHeld: boolean): void;
  close(): void;
}

/** Between two looks at what is new, ms. */
const NEWS_MS = 1000;
/** Tasks that are not shown, of which it is known how they stand. */
const MOST_OTHERS = 2000;

interface Row extends TaskRow {
  readonly state: Signal<TaskState>;
  readonly statusAt: Signal<number>;
  readonly head: Signal<number>;
  /** What has come and is not shown yet. */
  next: { readonly state: TaskState; readonly statusAt: number; readonly head: number };
}

/** Makes a list that asks nothing yet. `isAway`: the list's beginning is out of sight. */
export function followRows({ isAway = () => false, ...options }: { readonly isAway?: () => boolean } & Partial<Pick<FollowOptions, "source">> = {}): TaskRows {
  const rows = signal<readonly Row[] | undefined>(undefined);
  const fresh = signal<readonly Row[]>([]);
  const total = signal(0);
  const token = signal("");
  const unlisted = signal<string | undefined>(undefined);
  const over = new AbortController();
  const known = new Map<string, Row>();
  const others = new Map<string, TaskState>();
  const dirty = new Set<Row>();
  let filter: TaskFilter | undefined;
  let asking = new AbortController();
  let isHeld = false;
  /** What is shown may be of a log that is gone. */
  let isVoid = false;

  const toRow = (summary: TaskSummary): Row => {
    const { state, statusAt, head } = summary;
    const row = { summary, state: signal(state), statusAt: signal(statusAt), head: signal(head), next: { state, statusAt, head } };
    known.set(nameOf(summary), row);
    return row;
  };
  const flush = (): void => {
    for (const { next, state, statusAt, head } of dirty) [state.value, statusAt.value, head.value] = [next.state, next.statusAt, next.head];
    dirty.clear();
  };
  const settle = (): void => {
    if (fresh.peek().length === 0 || isHeld || isAway()) return;
    rows.value = [...fresh.peek(), ...(rows.peek() ?? [])];
    fresh.value = [];
  };
  /** Rows of those that are not in the list yet; of the others what is newer. */
  const unknownOf = (tasks: readonly TaskSummary[]): readonly Row[] =>
    tasks.flatMap((summary) => {
      const row = known.get(nameOf(summary));
      if (row === undefined) return [toRow(summary)];
      if (summary.head >= row.next.head) {
        row.next = summary;
        dirty.add(row);
      }
      return [];
    });
  const attempt = async (work: (filter: TaskFilter, signal: AbortSignal) => Promise<void>): Promise<void> => {
    const { signal } = asking;
    if (filter === undefined) return;
    try {
      await work(filter, signal);
      if (!signal.aborted) unlisted.value = undefined;
    } catch (error) {
      if (!signal.aborted) unlisted.value = messageOf(error);
    }
  };
  const begin = (): Promise<void> =>
    attempt(async ({ list }, signal) => {
      const page = await list("", signal);
      if (signal.aborted) return;
      isVoid = false;
      known.clear();
      fresh.value = [];
      rows.value = page.tasks.map(toRow);
      total.value = page.total;
      token.value = page.nextPageToken;
    });

  let looking = false;
  let again = false;
  /** Asks what is new, at most once a second. */
  const look = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    while (again && !over.signal.aborted) {
      again = false;
      if (rows.peek() === undefined || isVoid) await begin();
      else
        await attempt(async ({ list }, signal) => {
          const page = await list("", signal);
          if (signal.aborted) return;
          fresh.value = [...unknownOf(page.tasks), ...fresh.peek()];
          total.value = page.total;
          flush();
          settle();
        });
      await pause(NEWS_MS, over.signal);
    }
    looking = false;
  };

  const take = (frame: FeedFrame): void => {
    const { agent, context, snapshot, floor = 0, entries } = frame;
    const name = nameOf(frame);
    const row = known.get(name);
    const past = snapshot as unknown as Task | undefined;
    if (row === undefined) {
      const last = entries.findLast((entry) => stateIn(entry) !== undefined);
      const now = last === undefined ? past?.status.state : stateIn(last);
      if (now === undefined || others.get(name) === now) return;
      others.delete(name);
      others.set(name, now);
      for (const oldest of others.keys()) {
        if (others.size <= MOST_OTHERS) break;
        others.delete(oldest);
      }
      if ((filter?.agent ?? agent) === agent && (filter?.context ?? context) === context && (filter?.state ?? now) === now) void look();
      return;
    }
    const before = row.next;
    if (past !== undefined && floor > before.head) row.next = { ...before, state: past.status.state, head: floor };
    for (const entry of entries) {
      if (entry.seq <= row.next.head) continue;
      const state = stateIn(entry) ?? row.next.state;
      row.next = { state, statusAt: state === row.next.state ? row.next.statusAt : entry.at, head: entry.seq };
    }
    dirty.add(row);
    if (row.next.state !== before.state) onFrame(flush);
  };
  const feed = followAll(
    {
      take,
      restart() {
        others.clear();
        isVoid = rows.peek() !== undefined;
      },
      ready: () => void look(),
    },
    { tail: 0, ...options },
  );
  // Numbers that grow with each token are read, not watched.
  const untick = onTick(() => {
    flush();
    settle();
  });

  return {
    rows,
    waiting: computed(() => fresh.value.length),
    total,
    hasMore: computed(() => token.value !== ""),
    problem: computed(() => unlisted.value ?? feed.trouble.value),
    async ask(next) {
      filter = next;
      asking.abort();
      asking = new AbortController();
      others.clear();
      await begin();
    },
    showMore: () =>
      attempt(async ({ list }, signal) => {
        const page = await list(token.peek(), signal);
        if (signal.aborted) return;
        rows.value = [...(rows.peek() ?? []), ...unknownOf(page.tasks)];
        token.value = page.nextPageToken;
      }),
    showWaiting() {
      rows.value = [...fresh.peek(), ...(rows.peek() ?? [])];
      fresh.value = [];
    },
    hold(next) {
      isHeld = next;
      settle();
    },
    close() {
      over.abort();
      asking.abort();
      feed.close();
      untick();
    },
  };
}

function nameOf({ agent, task }: { readonly agent: string; readonly task: string }): string {
  return `${agent}\n${task}`;
}

function stateIn({ event }: StreamEntry): TaskState | undefined {
  if ("task" in event) return event.task.status.state;
  return "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
}
