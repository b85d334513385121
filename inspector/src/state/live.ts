import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Phase } from "../../../src/lib/liveness/liveness.ts";
import { isTerminal, type Task } from "../../../src/lib/model/a2a.ts";
import type { FeedFrame, TaskSummary, TaskSummaryPage } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { retryDelay } from "./backoff.ts";
import { callApi } from "./call.ts";
import { serverNow } from "./clock.ts";
import { type Feed, followAll, type FollowOptions } from "./feed.ts";
import { onFrame, onTick, pause } from "./frame.ts";
import { createPulse, type Pulse } from "./pulse.ts";
import { ALL_STATES } from "./words.ts";

/** A task that runs or waits. Its signals change at most twenty times a second, and nothing else of it changes. */
export interface LiveTask {
  readonly agent: string;
  readonly task: string;
  readonly title: string;
  readonly phase: ReadonlySignal<Phase>;
  /** Tokens a second, in words. */
  readonly rate: ReadonlySignal<string>;
  /** The last words, and who says them. */
  readonly words: ReadonlySignal<string>;
}

/** Which tasks there are, as the feed tells it: nothing is asked for again and again. Whoever made it closes it. */
export interface LiveTasks {
  /** Those that run or wait for a person, oldest first; undefined before the first answer. */
  readonly live: ReadonlySignal<readonly LiveTask[] | undefined>;
  /** How many more run. */
  readonly more: ReadonlySignal<number>;
  /** The newest others. */
  readonly recent: ReadonlySignal<readonly TaskSummary[] | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** There is no task at all; undefined before the first answer. */
  readonly isEmpty: ReadonlySignal<boolean | undefined>;
  /** Somebody points at one of the lists: nothing moves away under the pointer. */
  hold(list: "live" | "recent" | undefined): void;
  close(): void;
}

/** Where tasks are listed and followed; tests give others. */
export interface LiveOptions extends Partial<Pick<FollowOptions, "source">> {
  readonly list?: (query: Readonly<Record<string, string | number>>, signal: AbortSignal) => Promise<TaskSummaryPage>;
}

const LIVE_STATES = ALL_STATES.filter((state) => !isTerminal(state)).join(",");
const MOST_LIVE = 50;
const MOST_RECENT = 8;
/** Entries from which a line says what a task does just now. */
const TAIL = 100;
/** A row changes at most so often, ms: faster than anybody reads. */
const ROW_MS = 50;
/** Between two lists, ms, where a task came without its beginning. */
const LIST_MS = 1000;

interface Known {
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  readonly pulse: Pulse;
  listed: TaskSummary | undefined;
  /** When its line changed last, by the page's clock since it was opened, ms. */
  shownAt: number;
  row: (LiveTask & { readonly phase: Signal<Phase>; readonly rate: Signal<string>; readonly words: Signal<string> }) | undefined;
}

/** Follows which tasks there are, and what they do. */
export function followTasks({ list = listTasks, source }: LiveOptions = {}): LiveTasks {
  const live = signal<readonly LiveTask[] | undefined>(undefined);
  const more = signal(0);
  const recent = signal<readonly TaskSummary[] | undefined>(undefined);
  const isEmpty = signal<boolean | undefined>(undefined);
  const unlisted = signal<string | undefined>(undefined);
  const over = new AbortController();
  const known = new Map<string, Known>();
  const dirty = new Set<Known>();
  let held: "live" | "recent" | undefined;
  /** Which have ended since a list was asked for, which may still have them as they were. */
  const ended = new Set<string>();
  let isListed = false;
  let isChanged = false;
  /** The last list did not have all that run. */
  let hasUnlisted = false;

  const enter = (agent: string, task: string, context: string): Known => {
    const key = `${agent}\n${task}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const made: Known = { agent, task, context, pulse: createPulse(), listed: undefined, shownAt: 0, row: undefined };
    known.set(key, made);
    return made;
  };

  const arrange = (): void => {
    if (!isListed || held === "recent") return;
    isChanged = false;
    const described = [...known.values()].flatMap((one) => {
      const summary = summaryOf(one);
      return summary === undefined ? [] : [{ one, summary, isOver: isTerminal(summary.state) }];
    });
    const running = described.filter(({ isOver }) => !isOver).sort((a, b) => a.summary.createdAt - b.summary.createdAt);
    // Oldest first: what runs keeps its place while others come. Under the pointer what has ended keeps it, too.
    const kept = held === "live" ? described.filter(({ one }) => one.row !== undefined && live.peek()?.includes(one.row) === true) : [];
    const rows = kept.map(({ one }) => one.row).filter((row) => row !== undefined);
    for (const { one, summary } of running) {
      if (rows.length >= MOST_LIVE) break;
      one.row ??= {
        agent: one.agent,
        task: one.task,
        title: summary.title ?? "…",
        phase: signal(one.pulse.phase),
        rate: signal(""),
        words: signal(wordsOf(one)),
      };
      if (!rows.includes(one.row)) rows.push(one.row);
    }
    if (!isSame(live.peek(), rows)) live.value = rows;
    more.value = [...known.values()].filter(({ row, pulse }) => (row === undefined || !rows.includes(row)) && !isOver(pulse)).length;

    const gone = described.filter(({ one, isOver }) => isOver && (one.row === undefined || !rows.includes(one.row)));
    for (const { one } of gone) forget(one);
    remember(gone.map(({ summary }) => summary));
    for (const one of known.values()) if (isOver(one.pulse) && summaryOf(one) === undefined) forget(one);
    if (hasUnlisted && running.length < MOST_LIVE && more.peek() > 0) void lookAgain();
  };
  const forget = ({ agent, task }: Known): void => {
    known.delete(`${agent}\n${task}`);
    ended.add(task);
  };

  /** Puts tasks that have ended among the recent ones. */
  const remember = (tasks: readonly TaskSummary[]): void => {
    if (tasks.length === 0 && recent.peek() !== undefined) return;
    const names = new Set(tasks.map(({ task }) => task));
    const all = [...tasks, ...(recent.peek() ?? []).filter(({ task }) => !names.has(task))];
    recent.value = all.sort((a, b) => b.statusAt - a.statusAt).slice(0, MOST_RECENT);
  };

  const flush = (): void => {
    const now = performance.now();
    for (const one of dirty) {
      const { row, pulse } = one;
      // Rows take turns: each costs a layout of its line, and fifty in one frame would cost the frame.
      if (row !== undefined && now - one.shownAt < ROW_MS) continue;
      dirty.delete(one);
      if (row === undefined) continue;
      one.shownAt = now;
      row.phase.value = pulse.phase;
      row.words.value = wordsOf(one);
    }
    if (dirty.size > 0) onFrame(flush);
    if (isChanged) arrange();
  };

  const look = async (): Promise<void> => {
    ended.clear();
    const [running, newest] = await Promise.all([
      list({ states: LIVE_STATES, pageSize: MOST_LIVE }, over.signal),
      list({ pageSize: MOST_RECENT + MOST_LIVE }, over.signal),
    ]);
    for (const summary of running.tasks) if (!ended.has(summary.task)) enter(summary.agent, summary.task, summary.context).listed = summary;
    hasUnlisted = running.nextPageToken !== "";
    if (!isListed) recent.value = undefined;
    isListed = true;
    isEmpty.value = newest.total === 0 && known.size === 0;
    const shown = new Set([...known.values()].map(({ task }) => task));
    remember(newest.tasks.filter(({ task, state }) => isTerminal(state) && !shown.has(task)));
    arrange();
  };
  let looking = false;
  let again = false;
  const lookAgain = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    for (let failures = 0; again && !over.signal.aborted;) {
      again = false;
      try {
        await look();
        failures = 0;
        unlisted.value = undefined;
      } catch (error) {
        if (over.signal.aborted) return;
        unlisted.value = messageOf(error);
        failures += 1;
        again = true;
      }
      await pause(failures === 0 ? LIST_MS : retryDelay(failures), over.signal);
    }
    looking = false;
  };

  const take = ({ agent, task, context, snapshot, floor, entries }: FeedFrame): void => {
    const one = enter(agent, task, context);
    const { pulse } = one;
    const isNew = pulse.head === 0;
    const before = pulse.state;
    const now = serverNow();
    if (snapshot !== undefined && floor !== undefined) pulse.restore(snapshot as unknown as Task, floor);
    for (const entry of entries) pulse.take(entry, now);
    if (isNew || pulse.state !== before) isChanged = true;
    if (isNew) isEmpty.value = false;
    // It came without its beginning, and no list has told of it.
    if (isNew && isListed && summaryOf(one) === undefined && (live.peek()?.length ?? 0) < MOST_LIVE) void lookAgain();
    dirty.add(one);
    onFrame(flush);
  };
  const feed: Feed = followAll(
    {
      take,
      restart() {
        known.clear();
        dirty.clear();
        isListed = false;
      },
      ready: () => void lookAgain(),
    },
    { tail: TAIL, ...(source !== undefined && { source }) },
  );
  const untick = onTick(() => {
    const now = serverNow();
    // While the page hears nothing it does not know who is silent.
    const isOpen = feed.state.peek() === "open";
    for (const one of known.values()) {
      if (isOpen) one.pulse.tick(now);
      if (one.row === undefined) continue;
      one.row.phase.value = one.pulse.phase;
      const rate = isOpen ? one.pulse.rate : undefined;
      one.row.rate.value = rate === undefined ? "" : `${Math.round(rate)} tok/s`;
    }
  });

  return {
    live,
    more,
    recent,
    isEmpty,
    problem: computed(() => unlisted.value ?? feed.trouble.value),
    hold(next) {
      held = next;
      arrange();
    },
    close() {
      over.abort();
      feed.close();
      untick();
    },
  };
}

/** A task as a list has it, where a list or its first entry has told what it is. */
function summaryOf({ agent, task, context, pulse, listed }: Known): TaskSummary | undefined {
  const { head, begun } = pulse;
  if (listed === undefined && begun === undefined) return undefined;
  const isListNewer = listed !== undefined && listed.head > head;
  const title = listed?.title ?? (begun?.title === "" ? undefined : begun?.title);
  return {
    agent,
    task,
    context,
    state: (isListNewer ? listed.state : (pulse.state ?? listed?.state)) ?? "TASK_STATE_WORKING",
    statusAt: Math.max(pulse.statusAt, listed?.statusAt ?? 0),
    createdAt: listed?.createdAt ?? begun?.at ?? 0,
    head: Math.max(head, listed?.head ?? 0),
    ...(title !== undefined && { title }),
  };
}

function isOver({ state }: Pulse): boolean {
  return state !== undefined && isTerminal(state);
}

function wordsOf({ pulse: { speaker, words } }: Known): string {
  return speaker === "" ? words : `${speaker}: ${words}`;
}

function isSame(a: readonly LiveTask[] | undefined, b: readonly LiveTask[]): boolean {
  return a !== undefined && a.length === b.length && a.every((row, at) => row === b[at]);
}

function listTasks(query: Readonly<Record<string, string | number>>, signal: AbortSignal): Promise<TaskSummaryPage> {
  return callApi<TaskSummaryPage>("/api/tasks", { query, signal });
}
