import assert from "node:assert/strict";
import { LEASE_MS } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import type { IndexRow, ListedTask, TaskQuery } from "../log/task-index.ts";
import type { TaskState } from "../model/a2a.ts";
import type { LogCase, Writer } from "./log-support.ts";
import { keyOf, openWriter, rowOf, statusEntry, textEntries, textEntry } from "./log-support.ts";
import { createRandom } from "../model/random.ts";

/** Finding tasks (SEMANTICS 11, 21). */
export const indexCases: readonly LogCase[] = [
  {
    title: "index: a task appears with its first row, and follows its stream's head, epoch and lease",
    async run({ store, clock }) {
      const writer = await openWriter(store.log, keyOf("t"));
      await writer.write([textEntry("not yet")]);
      assert.equal(await store.index.get(keyOf("t")), undefined);
      const row = rowOf(keyOf("t"), { statusAt: 1_767_225_600_123 });
      await writer.write([statusEntry("TASK_STATE_WORKING")], { index: row });
      assert.deepEqual(await store.index.get(keyOf("t")), { ...row, head: 2, epoch: 1, leaseEndsAt: clock.now() + LEASE_MS });
      await writer.write(textEntries(3));
      clock.advance(100);
      await openWriter(store.log, keyOf("t"), 1);
      assert.deepEqual(await store.index.get(keyOf("t")), { ...row, head: 5, epoch: 2, leaseEndsAt: clock.now() + LEASE_MS });
      assert.equal(await store.index.get(keyOf("t", { user: "bob" })), undefined);
    },
  },
  {
    title: "index: `null` takes the row out",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(keyOf("t")) });
      await writer.send({ index: null });
      assert.equal(await store.index.get(keyOf("t")), undefined);
      assert.deepEqual(await store.index.list({ limit: 10 }), { tasks: [], total: 0, more: false });
    },
  },
  {
    title: "index: newest first, ties by task id, page by page",
    async run({ store }) {
      const rows = await fill(store, 60);
      const expected = rows.toSorted((a, b) => b.statusAt - a.statusAt || compare(b.key.task, a.key.task));
      for (const limit of [1, 7, 59, 60, 1000]) assert.deepEqual(await pages(store, { limit }), { tasks: names(expected), total: 60 });
    },
  },
  {
    title: "index: oldest first by creation, for queues, page by page",
    async run({ store }) {
      const rows = await fill(store, 60);
      const expected = rows.toSorted((a, b) => a.createdAt - b.createdAt || compare(a.key.task, b.key.task));
      for (const limit of [1, 7, 1000]) assert.deepEqual(await pages(store, { limit, order: "oldest" }), { tasks: names(expected), total: 60 });
    },
  },
  {
    title: "index: every filter, alone and together, gives the tasks that match, and their total",
    async run({ store }) {
      const rows = await fill(store, 80);
      const random = createRandom(21);
      const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
      for (let i = 0; i < 200; i += 1) {
        const query: TaskQuery = {
          limit: 1 + Math.floor(random() * 30),
          order: pick(["newest", "oldest"]),
          ...(random() < 0.4 && { tenant: pick(["acme", "other", "none"]) }),
          ...(random() < 0.4 && { user: pick(["ann", "bob"]) }),
          ...(random() < 0.3 && { agent: pick(["writer", "coder"]) }),
          ...(random() < 0.3 && { context: pick(["c0", "c1", "c2"]) }),
          ...(random() < 0.3 && {
            states: pick<readonly TaskState[]>([["TASK_STATE_WORKING"], ["TASK_STATE_COMPLETED", "TASK_STATE_WORKING"], ["TASK_STATE_REJECTED"], []]),
          }),
          ...(random() < 0.2 && { statusAfter: 1000 + Math.floor(random() * 20) }),
          ...(random() < 0.2 && { statusUntil: 1000 + Math.floor(random() * 20) }),
        };
        const matching = rows.filter((row) => matches(query, row));
        const bounded = matching
          .filter((row) => query.statusUntil === undefined || row.statusAt <= query.statusUntil)
          .toSorted((a, b) =>
            query.order === "oldest"
              ? a.createdAt - b.createdAt || compare(a.key.task, b.key.task)
              : b.statusAt - a.statusAt || compare(b.key.task, a.key.task),
          );
        assert.deepEqual(await pages(store, query), { tasks: names(bounded), total: matching.length }, JSON.stringify(query));
      }
    },
  },
  {
    title: "index: totals follow changes of state and removals",
    async run({ store }) {
      const writers: Writer[] = [];
      for (let i = 0; i < 5; i += 1) {
        const writer = await openWriter(store.log, keyOf(`t${i}`));
        await writer.write([statusEntry("TASK_STATE_SUBMITTED")], { index: rowOf(writer.key, { state: "TASK_STATE_SUBMITTED" }) });
        writers.push(writer);
      }
      const total = async (query: Omit<TaskQuery, "limit">) => (await store.index.list({ ...query, limit: 1 })).total;
      for (const writer of writers.slice(0, 3)) await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(writer.key, { statusAt: 2000 }) });
      assert.deepEqual(
        [await total({ states: ["TASK_STATE_SUBMITTED"] }), await total({ states: ["TASK_STATE_WORKING"], user: "ann" }), await total({ context: "c" })],
        [2, 3, 5],
      );
      for (const writer of writers.slice(0, 2)) {
        await writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(writer.key, { state: "TASK_STATE_COMPLETED", statusAt: 3000 }) });
      }
      assert.equal(await store.upkeep.remove(keyOf("t0")), true);
      assert.deepEqual(
        [await total({}), await total({ states: ["TASK_STATE_COMPLETED"], context: "c" }), await total({ tenant: "acme", user: "ann", agent: "writer" })],
        [4, 1, 4],
      );
    },
  },
  {
    title: "index: finds tasks whose lease has ended, by the log's clock",
    async run({ store, clock }) {
      const writers: Writer[] = [];
      for (const task of ["a", "b", "c"]) {
        const writer = await openWriter(store.log, keyOf(task));
        await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(writer.key) });
        writers.push(writer);
      }
      const ended = async () => names((await store.index.list({ leaseEnded: true, states: ["TASK_STATE_WORKING"], limit: 10 })).tasks);
      assert.deepEqual(await ended(), []);
      clock.advance(LEASE_MS - 1);
      await writers[1]?.send({});
      assert.deepEqual(await ended(), []);
      clock.advance(1);
      assert.deepEqual(await ended(), ["c", "a"]);
      assert.equal((await store.index.list({ leaseEnded: true, limit: 1 })).total, 2);
      await openWriter(store.log, keyOf("a"), "expired");
      assert.deepEqual(await ended(), ["c"]);
    },
  },
  {
    title: "index: a page has 1 to 1,000 tasks",
    async run({ store }) {
      for (const limit of [0, 1001]) await assert.rejects(store.index.list({ limit }), { name: "IasError", code: "invalid-request" });
    },
  },
];

/** Writes `count` tasks of several owners with ties in both times; each has been through two states. */
async function fill(store: Store, count: number): Promise<IndexRow[]> {
  const random = createRandom(count);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const rows: IndexRow[] = [];
  for (let i = 0; i < count; i += 1) {
    const key = keyOf(`task-${String(i * 7919).padStart(6, "0")}`, {
      tenant: pick(["acme", "other"]),
      user: pick(["ann", "bob"]),
      agent: pick(["writer", "coder"]),
    });
    const facts = { context: pick(["c0", "c1", "c2"]), createdAt: 500 + Math.floor(random() * 20) };
    const writer = await openWriter(store.log, key);
    await writer.write([statusEntry("TASK_STATE_SUBMITTED")], { index: rowOf(key, { ...facts, state: "TASK_STATE_SUBMITTED", statusAt: 900 }) });
    const row = rowOf(key, {
      ...facts,
      state: pick(["TASK_STATE_WORKING", "TASK_STATE_COMPLETED", "TASK_STATE_INPUT_REQUIRED"]),
      statusAt: 1000 + Math.floor(random() * 20),
    });
    await writer.write([statusEntry(row.state)], { index: row });
    rows.push(row);
  }
  return rows;
}

async function pages(store: Store, query: TaskQuery): Promise<{ tasks: string[]; total: number }> {
  const tasks: ListedTask[] = [];
  let after: TaskQuery["after"];
  for (;;) {
    const page = await store.index.list({ ...query, ...(after && { after }) });
    assert.ok(page.tasks.length <= query.limit);
    tasks.push(...page.tasks);
    const last = page.tasks.at(-1);
    if (!page.more || last === undefined) return { tasks: names(tasks), total: page.total };
    assert.equal(page.tasks.length, query.limit, "a page before the last is full");
    after = { time: query.order === "oldest" ? last.createdAt : last.statusAt, task: last.key.task };
  }
}

function names(rows: readonly IndexRow[]): string[] {
  return rows.map((row) => row.key.task);
}

function matches(query: TaskQuery, row: IndexRow): boolean {
  return (
    (query.tenant === undefined || query.tenant === row.key.tenant) &&
    (query.user === undefined || query.user === row.key.user) &&
    (query.agent === undefined || query.agent === row.key.agent) &&
    (query.context === undefined || query.context === row.context) &&
    (query.states === undefined || query.states.includes(row.state)) &&
    (query.statusAfter === undefined || row.statusAt >= query.statusAfter)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
