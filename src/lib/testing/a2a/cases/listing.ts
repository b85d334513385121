import assert from "node:assert/strict";
import type { JsonObject } from "../../../model/a2a.ts";
import { onEachBinding } from "../conformance-case.ts";
import type { BindingCase, BindingContext } from "../conformance-case.ts";
import { errors, refuse, succeed } from "../expect.ts";
import { at } from "../json.ts";
import { parseShape } from "../shapes.ts";
import { completedTask, sendUntil, waitingTask } from "../talk.ts";

/** ListTasks: filters, paging, order, what is left out (specification 3.1.4). */
export const listingCases: readonly BindingCase[] = [
  onEachBinding(
    "list.empty",
    { level: "MUST", spec: "3.1.4", title: "an unknown context has no tasks, one last page", covers: ["CORE-LIST-001", "CORE-LIST-004"] },
    async (context) => {
      const page = await listTasks(context, { contextId: context.messageId("no-such-context") });
      assert.deepEqual([page.tasks, page.nextPageToken, page.totalSize], [[], "", 0]);
    },
  ),
  onEachBinding(
    "list.default-page",
    { level: "MUST", spec: "3.1.4", title: "without pageSize, at most 50 tasks are given, and the page size is told" },
    async (context) => {
      const page = await listTasks(context, {});
      assert.equal(page.pageSize, 50);
      assert.ok(page.tasks.length <= 50);
    },
  ),
  onEachBinding(
    "list.pages",
    {
      level: "MUST",
      spec: "3.1.4",
      title: "pages follow by token, without gap or overlap, and the last token is empty",
      covers: ["CORE-LIST-002", "CORE-LIST-004"],
    },
    async (context) => {
      const { contextId, ids } = await threeTasks(context);
      const first = await listTasks(context, { contextId, pageSize: 2 });
      assert.deepEqual([first.tasks.length, first.pageSize, first.totalSize], [2, 2, 3]);
      assert.notEqual(first.nextPageToken, "");
      const second = await listTasks(context, { contextId, pageSize: 2, pageToken: first.nextPageToken });
      assert.deepEqual([second.tasks.length, second.nextPageToken, second.totalSize], [1, "", 3]);
      assert.deepEqual([...first.tasks, ...second.tasks].map((task) => task.id).toSorted(), ids.toSorted());
    },
  ),
  onEachBinding(
    "list.order",
    { level: "MUST", spec: "3.1.4", title: "the task whose status changed last comes first", covers: ["CORE-LIST-003"] },
    async (context) => {
      const { contextId, ids } = await threeTasks(context);
      const [oldest = ""] = ids;
      await completedTask(context, { taskId: oldest });
      const tasks = (await listTasks(context, { contextId })).tasks;
      assert.equal(tasks[0]?.id, oldest, "a changed task moves to the front");
      const times = tasks.map((task) => Date.parse(task.status.timestamp ?? ""));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => b - a),
      );
    },
  ),
  onEachBinding("list.status", { level: "MUST", spec: "3.1.4", title: "the status filter gives the tasks in that state" }, async (context) => {
    const { contextId, ids } = await threeTasks(context);
    await completedTask(context, { taskId: ids[1] ?? "" });
    const idsOf = async (status: string): Promise<string[]> => (await listTasks(context, { contextId, status })).tasks.map((task) => task.id);
    assert.deepEqual(await idsOf("TASK_STATE_COMPLETED"), [ids[1]]);
    assert.deepEqual(new Set(await idsOf("TASK_STATE_INPUT_REQUIRED")), new Set([ids[0], ids[2]]));
    assert.deepEqual(await idsOf("TASK_STATE_FAILED"), []);
  }),
  onEachBinding("list.since", { level: "MUST", spec: "3.1.4", title: "statusTimestampAfter gives tasks whose status is not older" }, async (context) => {
    const { contextId } = await threeTasks(context);
    const all = (await listTasks(context, { contextId })).tasks;
    const newest = all[0]?.status.timestamp ?? "";
    const since = (await listTasks(context, { contextId, statusTimestampAfter: newest })).tasks;
    assert.ok(
      since.some((task) => task.id === all[0]?.id),
      "the bound itself is included",
    );
    assert.ok(since.every((task) => Date.parse(task.status.timestamp ?? "") >= Date.parse(newest)));
    assert.deepEqual((await listTasks(context, { contextId, statusTimestampAfter: "2999-01-01T00:00:00Z" })).tasks, []);
  }),
  onEachBinding(
    "list.artifacts",
    { level: "MUST", spec: "3.1.4", title: "artifacts are left out, as a member, unless they are asked for", covers: ["CORE-LIST-005"] },
    async (context) => {
      const contextId = context.messageId("context");
      await sendUntil(context, "TASK_STATE_COMPLETED", "tck-artifact-text", { contextId });
      for (const fields of [{}, { includeArtifacts: false }]) {
        const value = succeed(await context.wire.call("ListTasks", { contextId, ...fields }));
        if (context.wire.binding === "grpc") assert.deepEqual(at(value, "tasks", 0, "artifacts") ?? [], []);
        else assert.equal(at(value, "tasks", 0, "artifacts"), undefined, JSON.stringify(value));
      }
      assert.equal((await listTasks(context, { contextId, includeArtifacts: true })).tasks[0]?.artifacts?.length, 1);
    },
  ),
  onEachBinding("list.history", { level: "MUST", spec: "3.1.4", title: "historyLength limits each task's history" }, async (context) => {
    const { contextId } = await threeTasks(context);
    for (const historyLength of [0, 1]) {
      const { tasks } = await listTasks(context, { contextId, historyLength });
      assert.ok(tasks.every((task) => (task.history?.length ?? 0) <= historyLength));
    }
  }),
  onEachBinding(
    "list.invalid",
    { level: "MUST", spec: "3.1.4", title: "a page size outside 1-100, a foreign token and a negative length are invalid" },
    async ({ wire }) => {
      for (const request of [{ pageSize: 0 }, { pageSize: 101 }, { pageSize: -1 }, { pageToken: "not-a-token" }, { historyLength: -1 }]) {
        refuse(await wire.call("ListTasks", request), errors.invalidParams);
      }
    },
  ),
  {
    ...onEachBinding("list.invalid-status", { level: "MUST", spec: "3.1.4", title: "a status that is not one is invalid" }, async ({ wire }) => {
      refuse(await wire.call("ListTasks", { status: "TASK_STATE_RUNNING" }), errors.invalidParams);
    }),
    bindings: ["jsonrpc", "rest"], // protobuf has no such value to send
  },
];

async function listTasks(context: BindingContext, request: JsonObject) {
  return parseShape("ListTasksResponse", succeed(await context.wire.call("ListTasks", request)));
}

/** Three waiting tasks of a new context; their ids, oldest first. */
async function threeTasks(context: BindingContext): Promise<{ contextId: string; ids: string[] }> {
  const contextId = context.messageId("context");
  const ids: string[] = [];
  for (let made = 0; made < 3; made += 1) ids.push((await waitingTask(context, { contextId })).id);
  return { contextId, ids };
}
