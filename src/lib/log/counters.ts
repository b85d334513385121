import type { TaskState } from "../model/a2a.ts";
import type { IndexRow, TaskQuery } from "./task-index.ts";

/** How many tasks match a filter of tenant, user, agent, context and states, without looking at the tasks (SEMANTICS 21). */
export interface Counters {
  add(row: IndexRow, delta: 1 | -1): void;
  /** Adds `count` tasks of one owner in one state; only without `contexts`. */
  load(tasks: { readonly tenant: string; readonly user: string; readonly agent: string; readonly state: TaskState; readonly count: number }): void;
  total(query: Pick<TaskQuery, "tenant" | "user" | "agent" | "context" | "states">): number;
}

type Counts = Map<TaskState, number>;

/**
 * Counts per state for each of the eight ways to give or leave out tenant, user and agent, and per context for each (tenant, user, agent) in it.
 * A task costs one entry of its context; contexts are summed over their few owners. With `contexts: false` none are kept, and `total` must not be asked for one.
 */
export function createCounters(options: { readonly contexts: boolean }): Counters {
  const groups = new Map<string, Counts>();
  const contexts = new Map<string, Map<string, { readonly row: IndexRow; readonly counts: Counts }>>();

  const addToGroups = (tenant: string, user: string, agent: string, state: TaskState, delta: number) => {
    for (let mask = 0; mask < 8; mask += 1) {
      const key = groupKey(mask & 1 ? tenant : undefined, mask & 2 ? user : undefined, mask & 4 ? agent : undefined);
      let counts = groups.get(key);
      if (counts === undefined) groups.set(key, (counts = new Map()));
      if (bump(counts, state, delta)) groups.delete(key);
    }
  };

  return {
    load: ({ tenant, user, agent, state, count }) => addToGroups(tenant, user, agent, state, count),
    add(row, delta) {
      const { tenant, user, agent } = row.key;
      addToGroups(tenant, user, agent, row.state, delta);
      if (!options.contexts) return;
      let owners = contexts.get(row.context);
      if (owners === undefined) contexts.set(row.context, (owners = new Map()));
      const key = groupKey(tenant, user, agent);
      let owner = owners.get(key);
      if (owner === undefined) owners.set(key, (owner = { row, counts: new Map() }));
      if (bump(owner.counts, row.state, delta)) owners.delete(key);
      if (owners.size === 0) contexts.delete(row.context);
    },
    total(query) {
      if (query.context === undefined) return sum(groups.get(groupKey(query.tenant, query.user, query.agent)), query.states);
      let total = 0;
      for (const { row, counts } of contexts.get(query.context)?.values() ?? []) {
        const { tenant, user, agent } = row.key;
        if ((query.tenant ?? tenant) === tenant && (query.user ?? user) === user && (query.agent ?? agent) === agent) total += sum(counts, query.states);
      }
      return total;
    },
  };
}

function groupKey(tenant: string | undefined, user: string | undefined, agent: string | undefined): string {
  return JSON.stringify([tenant ?? 0, user ?? 0, agent ?? 0]);
}

/** Changes a count; true if nothing is counted any more. */
function bump(counts: Counts, state: TaskState, delta: number): boolean {
  const count = (counts.get(state) ?? 0) + delta;
  if (count === 0) counts.delete(state);
  else counts.set(state, count);
  return counts.size === 0;
}

function sum(counts: Counts | undefined, states: readonly TaskState[] | undefined): number {
  let total = 0;
  if (counts === undefined) return 0;
  if (states === undefined) for (const count of counts.values()) total += count;
  else for (const state of new Set(states)) total += counts.get(state) ?? 0;
  return total;
}
