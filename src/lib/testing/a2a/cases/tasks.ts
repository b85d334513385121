import assert from "node:assert/strict";
import { onEachBinding } from "../conformance-case.ts";
import type { BindingCase, BindingContext } from "../conformance-case.ts";
import { errors, refuse, succeed } from "../expect.ts";
import { parseShape } from "../shapes.ts";
import { canonical, completedTask, getTask, historyTexts, sendForTask, sendUntil, waitingTask } from "../talk.ts";

/** GetTask, CancelTask and the history (specification 3.1.3, 3.1.5, 3.2.4). */
export const taskCases: readonly BindingCase[] = [
  onEachBinding(
    "task.get",
    { level: "MUST", spec: "3.1.3", title: "GetTask returns the task as it is, not wrapped", covers: ["CORE-GET-001"] },
    async (context) => {
      const answered = await completedTask(context);
      assert.deepEqual(canonical(await getTask(context, answered.id)), canonical(answered), "what the send answered");
    },
  ),
  onEachBinding(
    "task.get-unknown",
    {
      level: "MUST",
      spec: "3.1.3",
      title: "GetTask of a task that does not exist is TaskNotFound",
      covers: [
        "CORE-GET-002",
        "CORE-ERR-001",
        "GRPC-ERR-001",
        "GRPC-ERR-002",
        "JSONRPC-ERR-002",
        "JSONRPC-ERR-003",
        "JSONRPC-SSE-002",
        "HTTP_JSON-ERR-001",
        "HTTP_JSON-ERR-002",
        "HTTP_JSON-STATUS-001",
      ],
    },
    async ({ wire }) => {
      refuse(await wire.call("GetTask", { id: "no-such-task" }), errors.taskNotFound);
    },
  ),
  onEachBinding(
    "task.cancel",
    { level: "MUST", spec: "3.1.5", title: "CancelTask ends a waiting task and returns it", covers: ["CORE-CANCEL-001"] },
    async (context) => {
      const { id } = await waitingTask(context);
      const canceled = parseShape("Task", succeed(await context.wire.call("CancelTask", { id })));
      assert.deepEqual([canceled.id, canceled.status.state], [id, "TASK_STATE_CANCELED"]);
      assert.equal((await getTask(context, id)).status.state, "TASK_STATE_CANCELED");
    },
  ),
  onEachBinding("task.cancel-running", { level: "MUST", spec: "3.1.5", title: "CancelTask ends a running task" }, async (context) => {
    const { id } = await sendForTask(context, "test-resubscribe-message-id", { configuration: { returnImmediately: true } });
    const reply = await context.wire.call("CancelTask", { id });
    if (!reply.ok && (await getTask(context, id)).status.state === "TASK_STATE_COMPLETED") return; // this machine took longer than the task's 4 s
    assert.equal(parseShape("Task", succeed(reply)).status.state, "TASK_STATE_CANCELED");
  }),
  onEachBinding(
    "task.cancel-terminal",
    { level: "MUST", spec: "3.1.5", title: "CancelTask of a finished task is TaskNotCancelable", covers: ["CORE-CANCEL-002"] },
    async (context) => {
      const { id } = await completedTask(context);
      refuse(await context.wire.call("CancelTask", { id }), errors.taskNotCancelable);
    },
  ),
  onEachBinding(
    "task.cancel-unknown",
    { level: "MUST", spec: "3.1.5", title: "CancelTask of a task that does not exist is TaskNotFound", covers: ["CORE-CANCEL-003"] },
    async ({ wire }) => {
      refuse(await wire.call("CancelTask", { id: "no-such-task" }), errors.taskNotFound);
    },
  ),
  onEachBinding(
    "history.kept",
    { level: "SHOULD", spec: "3.7", title: "history holds what was said, in order", covers: ["CORE-HIST-004", "CORE-HIST-005", "CORE-HIST-006"] },
    async (context) => {
      const id = await conversation(context);
      for (const fields of [{}, { historyLength: 10 }]) {
        const said = historyTexts(await getTask(context, id, fields)).filter((text) => SAID.includes(text));
        assert.deepEqual(said, SAID);
      }
    },
  ),
  onEachBinding(
    "history.limit",
    { level: "MUST", spec: "3.2.4", title: "historyLength gives at most that many messages, the most recent", covers: ["CORE-HIST-002"] },
    async (context) => {
      const id = await conversation(context);
      const all = historyTexts(await getTask(context, id));
      for (const historyLength of [1, 2]) {
        const task = await getTask(context, id, { historyLength });
        assert.ok((task.history?.length ?? 0) <= historyLength, `at most ${historyLength}: ${JSON.stringify(task.history)}`);
        assert.deepEqual(historyTexts(task), all.slice(-historyLength));
      }
    },
  ),
  onEachBinding(
    "history.none",
    { level: "SHOULD", spec: "3.2.4", title: "historyLength 0 gives none, and the field is left out", covers: ["CORE-HIST-001", "CORE-HIST-003"] },
    async (context) => {
      const id = await conversation(context);
      const none = { configuration: { historyLength: 0 } };
      for (const task of [await getTask(context, id, { historyLength: 0 }), await sendUntil(context, "TASK_STATE_COMPLETED", "tck-complete-task", none)]) {
        if (context.wire.binding === "grpc") assert.deepEqual(task.history ?? [], []);
        else assert.ok(!("history" in task), JSON.stringify(task.history));
      }
    },
  ),
  onEachBinding("history.negative", { level: "MUST", spec: "3.3.2", title: "a negative historyLength is invalid" }, async (context) => {
    const { id } = await completedTask(context);
    refuse(await context.wire.call("GetTask", { id, historyLength: -1 }), errors.invalidParams);
  }),
];

const SAID = ["first question", "first follow-up", "second follow-up", "the last word"];

/** A task of four user messages, COMPLETED; returns its id. */
async function conversation(context: BindingContext): Promise<string> {
  const [first = "", second = "", third = "", last = ""] = SAID;
  const { id } = await waitingTask(context, { text: first });
  for (const text of [second, third]) await waitingTask(context, { text, taskId: id });
  await completedTask(context, { text: last, taskId: id });
  return id;
}
