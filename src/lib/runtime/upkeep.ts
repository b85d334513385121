import type { Agent } from "../engine/agent.ts";
import type { Records, StoredRecord } from "../log/records.ts";
import type { Store } from "../log/store.ts";
import type { ListedTask } from "../log/task-index.ts";
import { isInterrupted, isTerminal, TERMINAL_STATES } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { joinKey, keyText, type StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { readRemoval, type Removal, removalNote, REMOVALS } from "../task/removal.ts";
import { loadView, toSnapshot } from "../task/view.ts";

/** Between two rounds, and how long a round may compact, ms. */
const ROUND_MS = 5000;
const COMPACT_MS = 50;

/** Tasks that one round removes or shortens; the next round takes more. */
const ROUND_LIMIT = 100;

/** Until a task that could not be removed (a hold keeps it) is looked for again, ms. */
const HELD_MS = 60_000;

/** Records in one listing. */
const PAGE = 1000;

/** What the upkeep of a store is made of. */
export interface UpkeepParts {
  readonly store: Store;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly limits: Pick<Limits, "retainTasksMs" | "retainTasks" | "rollKeepEntries" | "onceTtlMs">;
  /** The task is gone: its bytes may go too. */
  readonly release: (key: StreamKey) => Promise<void>;
  /** Ends a task that waits for its user, as its user would. */
  readonly cancel: (key: StreamKey) => Promise<void>;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly report: (error: IasError) => void;
}

/** Keeps a store small (SEMANTICS 14): compacts, removes finished tasks that are older than they are kept or that nobody wanted kept, shortens rolling streams. */
export interface UpkeepLoop extends AsyncDisposable {
  /** One round now; the timer does the same. */
  round(): Promise<void>;
}

/** Starts the one loop that calls `store.upkeep`. Disposing waits for a round that runs. */
export function startUpkeep(parts: UpkeepParts): UpkeepLoop {
  let running: Promise<void> | undefined;
  const round = (): Promise<void> =>
    (running ??= work(parts)
      .catch((error: unknown) => parts.report(IasError.from(error)))
      .finally(() => {
        running = undefined;
      }));
  const timer = setInterval(() => void round(), ROUND_MS).unref();
  return {
    round,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}

async function work(parts: UpkeepParts): Promise<void> {
  await parts.store.upkeep.compact({ budgetMs: COMPACT_MS });
  await removeOld(parts);
  await removeUnstored(parts);
  await shortenRolling(parts);
}

/** Finished tasks, oldest first: those older than `retainTasksMs`, and those over `retainTasks`. A hold keeps its task. */
async function removeOld(parts: UpkeepParts): Promise<void> {
  const { index } = parts.store;
  const { retainTasksMs, retainTasks } = parts.limits;
  if (retainTasksMs === Number.POSITIVE_INFINITY && retainTasks === Number.POSITIVE_INFINITY) return;
  const before = parts.now() - retainTasksMs;
  const { tasks, total } = await index.list({ states: TERMINAL_STATES, order: "oldest", limit: ROUND_LIMIT });
  let over = total - retainTasks;
  for (const task of tasks) {
    if (task.statusAt > before && over <= 0) continue;
    if (await remove(parts, task)) over -= 1;
  }
}

/** Tasks that their callers asked not to keep. One that is not over is looked for again later; one that waits for its user for too long is ended. */
async function removeUnstored(parts: UpkeepParts): Promise<void> {
  const { records } = parts.store;
  for (const note of await records.list(REMOVALS, { limit: PAGE })) {
    const removal = readRemoval(note);
    if (removal.dueAt > parts.now()) return;
    const dueAt = await retire(parts, removal).catch((error: unknown) => {
      parts.report(IasError.from(error));
      return parts.now() + HELD_MS;
    });
    if (dueAt !== undefined) await records.put(removalNote({ key: removal.key, afterMs: removal.afterMs }, dueAt));
    await records.delete(note.key);
  }
}

/** Removes a task whose time is over. When to look again; undefined where it is gone. */
async function retire(parts: UpkeepParts, { key, afterMs }: Removal): Promise<number | undefined> {
  const row = await parts.store.index.get(key);
  if (row === undefined) {
    // An answer without a task has a stream alone; a kill may have come between a task and its bytes.
    await parts.store.upkeep.remove(key);
    await parts.release(key);
    return undefined;
  }
  const now = parts.now();
  if (row.statusAt + afterMs > now) return row.statusAt + afterMs;
  if (isTerminal(row.state)) return (await remove(parts, row)) ? undefined : now + HELD_MS;
  if (isInterrupted(row.state)) await parts.cancel(key);
  return now + Math.max(afterMs, ROUND_MS);
}

/** Removes a task with all that is its own; false where a hold keeps it. What points at it goes first: after a kill in between the next round finds the task again. */
async function remove(parts: UpkeepParts, task: ListedTask): Promise<boolean> {
  const { records, upkeep } = parts.store;
  if ((await records.list(`${joinKey("hold", keyText(task.key))}/`, { limit: 1 })).length > 0) return false;
  const onceMs = task.statusAt + parts.limits.onceTtlMs - parts.now();
  // Idempotency records are found by message, not by task; the task's folder says which are its own.
  for await (const note of listAll(records, `${joinKey("task", keyText(task.key), "once")}/`)) {
    await forget(records, (JSON.parse(note.value) as { key: string }).key, onceMs);
  }
  if (!(await upkeep.remove(task.key))) return false;
  await parts.release(task.key);
  return true;
}

/** All records of a folder, page by page. */
async function* listAll(records: Records, prefix: string): AsyncGenerator<StoredRecord, void, undefined> {
  let after: string | undefined;
  for (;;) {
    const page = await records.list(prefix, { ...(after !== undefined && { after }), limit: PAGE });
    yield* page;
    after = page.at(-1)?.key;
    if (page.length < PAGE) return;
  }
}

/** Deletes an idempotency record of a task that goes in `ms`: until then a repeated send finds no task, and does not run again. */
async function forget(records: Records, key: string, ms: number): Promise<void> {
  const found = ms > 0 && ms < Number.POSITIVE_INFINITY ? await records.get(key) : undefined;
  if (found !== undefined) await records.put({ key, value: found.value, ifVersion: found.version, ttlMs: Math.ceil(ms) });
  else if (ms <= 0) await records.delete(key);
}

/** Streams of agents whose artifacts roll never end: all but their last `rollKeepEntries` entries become a snapshot. */
async function shortenRolling(parts: UpkeepParts): Promise<void> {
  const { index, log, upkeep } = parts.store;
  for (const agent of parts.agents.values()) {
    if (agent.maxArtifactBytes.policy !== "roll") continue;
    const { tasks } = await index.list({ agent: agent.id, states: ["TASK_STATE_WORKING"], limit: ROUND_LIMIT });
    for (const { key, head } of tasks) {
      const page = await log.read(key, { after: 0, maxBytes: 0 });
      const floor = head - parts.limits.rollKeepEntries;
      // Each time at least as much goes as stays, so that folding costs each entry a bounded number of times.
      if (page === undefined || floor - page.floor < parts.limits.rollKeepEntries) continue;
      const loaded = await loadView(log, key, floor);
      const snapshot = loaded && toSnapshot(loaded.view);
      if (snapshot !== undefined) await upkeep.truncate(key, { floor, snapshot });
    }
  }
}
