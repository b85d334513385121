import { IasError } from "../../model/errors.ts";
import type { StreamKey } from "../../model/key.ts";
import { createCounters } from "../counters.ts";
import type { IndexRow, ListedTask, TaskIndex, TaskQuery } from "../task-index.ts";
import { createSorted, type Sorted } from "./sorted.ts";

/** The index in memory; the store sets rows inside its appends. */
export interface MemoryIndex extends TaskIndex {
  /** Replaces the row `old` (of the same task) by `row`. */
  replace(old: IndexRow | undefined, row: IndexRow | undefined): void;
}

/** What the index asks of a stream. */
export interface IndexedStream {
  readonly row: IndexRow | undefined;
  readonly head: number;
  readonly epoch: number;
  readonly leaseEndsAt: number;
}

type Find = (key: StreamKey) => IndexedStream | undefined;

interface Orders {
  readonly newest: Sorted<IndexRow>;
  readonly oldest: Sorted<IndexRow>;
}

/** Makes the index of one memory store. */
export function createMemoryIndex(find: Find, now: () => number): MemoryIndex {
  const all = createOrders();
  const perUser = new Map<string, Orders>();
  const counters = createCounters({ contexts: true });

  const list = (row: IndexRow, change: "insert" | "remove") => {
    const owner = JSON.stringify([row.key.tenant, row.key.user]);
    let own = perUser.get(owner);
    if (own === undefined) perUser.set(owner, (own = createOrders()));
    for (const orders of [all, own]) {
      orders.newest[change](row);
      orders.oldest[change](row);
    }
    if (own.newest.items.length === 0) perUser.delete(owner);
    counters.add(row, change === "insert" ? 1 : -1);
  };

  return {
    replace(old, row) {
      if (old !== undefined) list(old, "remove");
      if (row !== undefined) list(row, "insert");
    },
    get: async (key) => {
      const stream = find(key);
      return stream && toListed(stream);
    },
    list: async (query) => {
      if (!(query.limit >= 1 && query.limit <= 1000)) throw new IasError("invalid-request", `limit must be 1 to 1,000, not ${query.limit}.`);
      const owned = query.tenant !== undefined && query.user !== undefined ? (perUser.get(JSON.stringify([query.tenant, query.user])) ?? createOrders()) : all;
      const order = query.order ?? "newest";
      const sorted = owned[order];
      const { after } = query;
      const start = after === undefined ? 0 : sorted.search((row) => compareTo(order, row, after) <= 0);
      const tasks: ListedTask[] = [];
      const matches = (row: IndexRow) => isMatch(query, row) && (query.leaseEnded !== true || (find(row.key)?.leaseEndsAt ?? 0) <= now());
      let more = false;
      for (let i = start; i < sorted.items.length && !more; i += 1) {
        const row = sorted.items[i];
        if (row === undefined || !matches(row) || (query.statusUntil !== undefined && row.statusAt > query.statusUntil)) continue;
        const stream = find(row.key);
        const listed = stream && toListed(stream);
        if (listed === undefined) continue;
        if (tasks.length === query.limit) more = true;
        else tasks.push(listed);
      }
      const scan = query.statusAfter !== undefined || query.leaseEnded === true;
      const total = scan ? owned.newest.items.filter(matches).length : counters.total(query);
      return { tasks, total, more };
    },
  };
}

function createOrders(): Orders {
  return {
    newest: createSorted((a, b) => compareTo("newest", a, { time: b.statusAt, task: b.key.task }) || compareOwners(a, b)),
    oldest: createSorted((a, b) => compareTo("oldest", a, { time: b.createdAt, task: b.key.task }) || compareOwners(a, b)),
  };
}

/** Below 0 if `row` comes before a row at `place`. */
function compareTo(order: "newest" | "oldest", row: IndexRow, place: { readonly time: number; readonly task: string }): number {
  if (order === "newest") return place.time - row.statusAt || compareText(place.task, row.key.task);
  return row.createdAt - place.time || compareText(row.key.task, place.task);
}

/** Tasks of different owners may have the same id. */
function compareOwners(a: IndexRow, b: IndexRow): number {
  return compareText(a.key.tenant, b.key.tenant) || compareText(a.key.user, b.key.user) || compareText(a.key.agent, b.key.agent);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isMatch(query: TaskQuery, row: IndexRow): boolean {
  const { tenant, user, agent } = row.key;
  return (
    (query.tenant ?? tenant) === tenant &&
    (query.user ?? user) === user &&
    (query.agent ?? agent) === agent &&
    (query.context ?? row.context) === row.context &&
    (query.states === undefined || query.states.includes(row.state)) &&
    (query.statusAfter === undefined || row.statusAt >= query.statusAfter)
  );
}

function toListed(stream: IndexedStream): ListedTask | undefined {
  return stream.row && { ...stream.row, head: stream.head, epoch: stream.epoch, leaseEndsAt: stream.leaseEndsAt };
}
