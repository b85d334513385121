import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { begins, ends, says, type ScriptedServer, scriptedServer, until } from "../../../test/support/scripted-feed.ts";
import { followTasks, type LiveTasks } from "./live.ts";

function follow(t: TestContext, server: ScriptedServer): LiveTasks {
  const tasks = followTasks({ source: server.source, list: server.list });
  t.after(() => tasks.close());
  return tasks;
}

const rowsOf = (tasks: LiveTasks) => tasks.live.value?.map(({ task, title, words }) => [task, title, words.value]);
const recentOf = (tasks: LiveTasks) => tasks.recent.value?.map(({ task, state }) => [task, state]);

test("what runs is listed once, and then told by the feed: new tasks, words, and ends, without a question more", async (t) => {
  const server = scriptedServer();
  server.lists("old", "TASK_STATE_WORKING", { head: 900 });
  server.lists("done", "TASK_STATE_FAILED");
  const tasks = follow(t, server);
  server.says("old", 900, says("old", "its tail"));
  await until(() => rowsOf(tasks), [["old", "about old", "its tail"]]);
  assert.deepEqual(recentOf(tasks), [["done", "TASK_STATE_FAILED"]]);
  assert.equal(tasks.isEmpty.value, false);

  server.says("new", 1, begins("new"), says("new", "one "));
  await until(
    () => rowsOf(tasks),
    [
      ["old", "about old", "its tail"],
      ["new", "about new", "one "],
    ],
  );
  server.says("new", 3, says("new", "two"));
  server.says("old", 901, ends("old"));
  await until(() => rowsOf(tasks), [["new", "about new", "one two"]]);
  assert.deepEqual(recentOf(tasks), [
    ["old", "TASK_STATE_COMPLETED"],
    ["done", "TASK_STATE_FAILED"],
  ]);
  assert.equal(server.asked.length, 2, "one list of what runs, one of all");
});

test("a row that is pointed at stays where it is, though its task has ended", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING", { createdAt: 1 });
  server.lists("b", "TASK_STATE_WORKING", { createdAt: 2 });
  const tasks = follow(t, server);
  await until(() => tasks.live.value?.map(({ task }) => task), ["a", "b"]);
  tasks.hold("live");
  server.says("a", 2, ends("a"));
  server.says("c", 1, begins("c"));
  await until(
    () => tasks.live.value?.map(({ task, phase }) => [task, phase.value === "ended"]),
    [
      ["a", true],
      ["b", false],
      ["c", false],
    ],
  );
  tasks.hold(undefined);
  assert.deepEqual(
    tasks.live.value?.map(({ task }) => task),
    ["b", "c"],
  );
  assert.deepEqual(recentOf(tasks), [["a", "TASK_STATE_COMPLETED"]]);
});

test("after a cut it goes on from its cursor; a server with another log is looked at anew", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING");
  const tasks = follow(t, server);
  server.says("a", 1, begins("a"), says("a", "one"));
  await until(() => rowsOf(tasks), [["a", "about a", "one"]]);
  server.cut();
  server.says("a", 3, says("a", " two"));
  await until(() => rowsOf(tasks), [["a", "about a", "one two"]]);
  assert.deepEqual(server.cursors, [undefined, "log.1"]);

  server.forgets();
  server.lists("z", "TASK_STATE_WORKING");
  server.cut("other");
  await until(() => rowsOf(tasks), [["z", "about z", ""]]);
  assert.deepEqual(server.cursors, [undefined, "log.1", "log.1", undefined]);
});

test("what ended while a list was on its way does not come back with it", async (t) => {
  const server = scriptedServer();
  server.lists("a", "TASK_STATE_WORKING");
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let calls = 0;
  const list: typeof server.list = async (query) => {
    const page = await server.list(query);
    if ((calls += 1) <= 2) return page;
    asked.resolve();
    await answer.promise;
    return page;
  };
  const tasks = followTasks({ source: server.source, list });
  t.after(() => tasks.close());
  await until(() => tasks.live.value?.map(({ task }) => task), ["a"]);
  server.lists("z", "TASK_STATE_WORKING");
  server.cut();
  await asked.promise;
  server.says("a", 1, begins("a"), ends("a"));
  await until(() => tasks.live.value?.map(({ task }) => task), []);
  answer.resolve();
  await until(() => tasks.live.value?.map(({ task }) => task), ["z"]);
});
