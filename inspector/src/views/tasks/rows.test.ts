import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { begins, ends, says, type ScriptedServer, scriptedServer, until } from "../../../../test/support/scripted-feed.ts";
import { followRows, type TaskFilter, type TaskRows } from "./rows.ts";

async function follow(
  t: TestContext,
  server: ScriptedServer,
  { isAway, ...filter }: Partial<TaskFilter> & { readonly isAway?: () => boolean } = {},
): Promise<TaskRows> {
  const rows = followRows({ source: server.source, ...(isAway !== undefined && { isAway }) });
  t.after(() => rows.close());
  await rows.ask({
    ...filter,
    list: (pageToken) => server.list({ pageSize: 3, ...(filter.state !== undefined && { states: filter.state }), ...(pageToken !== "" && { pageToken }) }),
  });
  return rows;
}

/** The feed is there, and the list was looked at again: the head of `task` has moved. */
async function connected(server: ScriptedServer, rows: TaskRows, task: string): Promise<void> {
  server.says(task, 2, says(task, "x"));
  await until(() => rows.rows.value?.find(({ summary }) => summary.task === task)?.head.value, 2);
}

const shown = (rows: TaskRows) => rows.rows.value?.map(({ summary, state, head }) => [summary.task, state.value.slice(11), head.value]);

test("how a task stands follows the feed, and its row keeps its place", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING", { statusAt: 2, head: 7 });
  server.lists("b", "TASK_STATE_WORKING", { statusAt: 1, head: 1 });
  const rows = await follow(t, server);
  server.says("b", 2, says("b", "one"), ends("b"));
  await until(
    () => shown(rows),
    [
      ["a", "WORKING", 7],
      ["b", "COMPLETED", 3],
    ],
  );
  server.says("a", 8, says("a", "two"));
  await until(
    () => shown(rows),
    [
      ["a", "WORKING", 8],
      ["b", "COMPLETED", 3],
    ],
  );
});

test("a new task comes on top, and waits while somebody points at the list", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING");
  const rows = await follow(t, server);
  server.lists("b", "TASK_STATE_WORKING", { statusAt: 2 });
  server.says("b", 1, begins("b"));
  await until(() => shown(rows)?.map(([task]) => task), ["b", "a"]);
  rows.hold(true);
  server.lists("c", "TASK_STATE_WORKING", { statusAt: 3 });
  server.says("c", 1, begins("c"));
  await until(() => rows.waiting.value, 1);
  assert.deepEqual(
    shown(rows)?.map(([task]) => task),
    ["b", "a"],
  );
  server.says("c", 2, ends("c"));
  rows.hold(false);
  await until(
    () => shown(rows)?.map(([task, state]) => [task, state]),
    [
      ["c", "COMPLETED"],
      ["b", "WORKING"],
      ["a", "WORKING"],
    ],
  );
  assert.deepEqual([rows.waiting.value, rows.total.value], [0, 3]);
});

test("who reads further down is told of new tasks by their number, and sees them when they wish", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING");
  const rows = await follow(t, server, { isAway: () => true });
  server.lists("b", "TASK_STATE_WORKING", { statusAt: 2 });
  server.says("b", 1, begins("b"));
  await until(() => rows.waiting.value, 1);
  rows.showWaiting();
  assert.deepEqual(
    shown(rows)?.map(([task]) => task),
    ["b", "a"],
  );
});

test("of what is asked for only what fits comes in, also when it begins to fit, and tokens of other tasks ask nothing", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_COMPLETED");
  const rows = await follow(t, server, { state: "TASK_STATE_COMPLETED" });
  await connected(server, rows, "a");
  server.says("b", 1, begins("b"), says("b", "one"));
  for (let seq = 3; seq < 20; seq += 1) server.says("b", seq, says("b", "more"));
  server.lists("b", "TASK_STATE_COMPLETED", { statusAt: 2 });
  server.says("b", 20, ends("b"));
  await until(() => shown(rows)?.map(([task]) => task), ["b", "a"]);
  assert.deepEqual(
    server.asked,
    ["TASK_STATE_COMPLETED", "TASK_STATE_COMPLETED", "TASK_STATE_COMPLETED"],
    "to begin with, when the feed was there, and for b's end",
  );
});

test("of a server with another log nothing of the first stays", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING");
  const rows = await follow(t, server);
  await connected(server, rows, "a");
  server.forgets();
  server.lists("z", "TASK_STATE_WORKING");
  server.cut("other");
  await until(() => shown(rows)?.map(([task]) => task), ["z"]);
});

test("older tasks come below, once each, though new ones have moved the pages", async (t) => {
  const server = scriptedServer();
  for (let n = 1; n <= 5; n += 1) server.lists(`t${n}`, "TASK_STATE_COMPLETED", { statusAt: n });
  const rows = await follow(t, server);
  await connected(server, rows, "t5");
  assert.deepEqual([shown(rows)?.map(([task]) => task), rows.hasMore.value], [["t5", "t4", "t3"], true]);
  server.lists("new", "TASK_STATE_WORKING", { statusAt: 9 });
  await rows.showMore();
  assert.deepEqual([shown(rows)?.map(([task]) => task), rows.hasMore.value], [["t5", "t4", "t3", "t2", "t1"], false]);
});
