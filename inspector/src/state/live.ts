import { type ReadonlySignal, signal } from "@preact/signals";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import type { TaskSummary, TaskSummaryPage } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { callApi } from "./call.ts";
import { pause } from "./frame.ts";

/** The newest tasks, asked for again and again while somebody looks. */
export interface LiveTasks {
  /** Those that run or wait for a person; undefined before the first answer. */
  readonly live: ReadonlySignal<readonly TaskSummary[] | undefined>;
  /** The newest others. */
  readonly recent: ReadonlySignal<readonly TaskSummary[] | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** How many tasks there are in all. */
  readonly total: ReadonlySignal<number | undefined>;
  close(): void;
}

const LIVE: readonly TaskState[] = ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING", "TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"];
const EVERY_MS = 2000;
const MOST_LIVE = 50;
const MOST_RECENT = 8;

/** Follows which tasks there are. Whoever made it closes it. */
export function followTasks(): LiveTasks {
  const live = signal<readonly TaskSummary[] | undefined>(undefined);
  const recent = signal<readonly TaskSummary[] | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const total = signal<number | undefined>(undefined);
  const over = new AbortController();

  const look = async (): Promise<void> => {
    const options = { signal: over.signal };
    const [running, newest] = await Promise.all([
      callApi<TaskSummaryPage>("/api/tasks", { ...options, query: { states: LIVE.join(","), pageSize: MOST_LIVE } }),
      callApi<TaskSummaryPage>("/api/tasks", { ...options, query: { pageSize: MOST_RECENT + MOST_LIVE } }),
    ]);
    // Oldest first: what runs keeps its place while others come.
    const next = [...running.tasks].sort((a, b) => a.createdAt - b.createdAt);
    if (!isSame(live.peek(), next)) live.value = next;
    const others = newest.tasks.filter(({ state }) => !LIVE.includes(state)).slice(0, MOST_RECENT);
    if (!isSame(recent.peek(), others)) recent.value = others;
    total.value = newest.total;
    problem.value = undefined;
  };
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      if (document.visibilityState === "visible" || live.peek() === undefined) {
        try {
          await look();
        } catch (error) {
          if (!over.signal.aborted) problem.value = messageOf(error);
        }
      }
      await pause(EVERY_MS, over.signal);
    }
  };
  void run();
  return { live, recent, problem, total, close: () => over.abort() };
}

function isSame(a: readonly TaskSummary[] | undefined, b: readonly TaskSummary[]): boolean {
  return (
    a !== undefined &&
    JSON.stringify(a.map(({ task, state, title }) => [task, state, title])) === JSON.stringify(b.map(({ task, state, title }) => [task, state, title]))
  );
}
