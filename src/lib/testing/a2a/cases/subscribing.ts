import assert from "node:assert/strict";
import { onEachBinding, streams } from "../conformance-case.ts";
import type { BindingCase, BindingContext } from "../conformance-case.ts";
import { errors, refuse } from "../expect.ts";
import type { WireEvent } from "../shapes.ts";
import { collect, collecting, completedTask, getTask, opened, say, stateOf, waitingTask } from "../talk.ts";
import type { OpenStream } from "../wire-client.ts";

/** SubscribeToTask and several streams of one task (specification 3.1.6, 3.5.2). */
export const subscribingCases: readonly BindingCase[] = [
  onEachBinding(
    "subscribe.task-first",
    { level: "MUST", spec: "3.1.6", title: "the first event is the task as it is now", covers: ["STREAM-SUB-001"], when: streams },
    async (context) => {
      const { id } = await waitingTask(context);
      await using stream = await subscribe(context, id);
      const [first] = await collect(stream, () => true);
      assert.ok(first !== undefined && "task" in first, JSON.stringify(first));
      assert.deepEqual([first.task.id, first.task.status.state], [id, "TASK_STATE_INPUT_REQUIRED"]);
    },
  ),
  onEachBinding(
    "subscribe.ends",
    {
      level: "MUST",
      spec: "3.1.6",
      title: "the stream of a waiting task stays open, and ends at the terminal state",
      covers: ["STREAM-SUB-002"],
      when: streams,
    },
    async (context) => {
      const { id } = await waitingTask(context);
      await using stream = await subscribe(context, id);
      const collected = collecting(stream);
      await completedTask(context, { taskId: id });
      const states = (await collected).map(stateOf);
      assert.deepEqual([states[0], states.at(-1)], ["TASK_STATE_INPUT_REQUIRED", "TASK_STATE_COMPLETED"]);
    },
  ),
  onEachBinding(
    "subscribe.stays-open",
    { level: "SHOULD", spec: "3.1.6", title: "the stream goes on through further interruptions", when: streams },
    async (context) => {
      const { id } = await waitingTask(context);
      await using stream = await subscribe(context, id);
      const collected = collecting(stream);
      await waitingTask(context, { taskId: id });
      await completedTask(context, { taskId: id });
      const states = (await collected).map(stateOf);
      assert.equal(states.at(-1), "TASK_STATE_COMPLETED", states.join());
      assert.ok(states.filter((state) => state === "TASK_STATE_INPUT_REQUIRED").length >= 2, `the second interruption is seen: ${states.join()}`);
    },
  ),
  onEachBinding("subscribe.canceled", { level: "MUST", spec: "3.1.6", title: "cancelling a task ends its streams", when: streams }, async (context) => {
    const { id } = await waitingTask(context);
    await using stream = await subscribe(context, id);
    const collected = collecting(stream);
    await context.wire.call("CancelTask", { id });
    assert.equal((await collected).map(stateOf).at(-1), "TASK_STATE_CANCELED");
  }),
  onEachBinding(
    "subscribe.terminal",
    {
      level: "MUST",
      spec: "3.1.6",
      title: "a finished task cannot be subscribed to, and the refusal is not a stream",
      covers: ["STREAM-SUB-003"],
      when: streams,
    },
    async (context) => {
      const { id } = await completedTask(context);
      refuse(await context.wire.open("SubscribeToTask", { id }), errors.unsupportedOperation);
    },
  ),
  onEachBinding(
    "subscribe.unknown",
    { level: "MUST", spec: "3.1.6", title: "a task that does not exist is TaskNotFound", covers: ["STREAM-SUB-004"], when: streams },
    async (context) => {
      refuse(await context.wire.open("SubscribeToTask", { id: "no-such-task" }), errors.taskNotFound);
    },
  ),
  onEachBinding(
    "subscribe.same-events",
    {
      level: "MUST",
      spec: "3.5.2",
      title: "all streams of a task bring the same events in the same order",
      covers: ["STREAM-ORDER-002", "STREAM-ORDER-003"],
      when: streams,
    },
    async (context) => {
      const { id } = await waitingTask(context);
      await using one = await subscribe(context, id);
      await using two = await subscribe(context, id);
      const both = [collecting(one), collecting(two)];
      await completedTask(context, { taskId: id });
      const [first = [], second] = await Promise.all(both);
      assert.ok(first.length > 1, JSON.stringify(first));
      assert.deepEqual(first, second);
    },
  ),
  onEachBinding(
    "subscribe.independent",
    { level: "MUST", spec: "3.5.2", title: "closing one stream leaves the others, and the task", covers: ["STREAM-ORDER-004"], when: streams },
    async (context) => {
      const { id } = await waitingTask(context);
      await using kept = await subscribe(context, id);
      {
        await using closed = await subscribe(context, id);
        assert.equal((await collect(closed, () => true)).length, 1);
      }
      const collected = collecting(kept);
      await completedTask(context, { taskId: id });
      assert.equal((await collected).map(stateOf).at(-1), "TASK_STATE_COMPLETED");
    },
  ),
  onEachBinding(
    "subscribe.disconnect",
    { level: "MUST", spec: "3.5.2", title: "a task outlives the stream that started it, and can be joined again", when: streams },
    async (context) => {
      let id = "";
      {
        await using stream = opened(await context.wire.open("SendStreamingMessage", say(context, "test-resubscribe-message-id")));
        const [first] = await collect(stream, () => true);
        if (first !== undefined && "task" in first) ({ id } = first.task);
      }
      const again = await context.wire.open("SubscribeToTask", { id });
      const { state } = (await getTask(context, id)).status;
      assert.match(state, /_(SUBMITTED|WORKING|COMPLETED)$/, "a client that goes away cancels nothing");
      if (!again.ok && state === "TASK_STATE_COMPLETED") return; // this machine took longer than the task's 4 s
      await using stream = opened(again);
      const events: readonly WireEvent[] = await collect(stream);
      assert.ok("task" in (events[0] ?? {}), JSON.stringify(events));
      assert.equal(events.map(stateOf).at(-1), "TASK_STATE_COMPLETED");
    },
  ),
];

async function subscribe(context: BindingContext, id: string): Promise<OpenStream> {
  return opened(await context.wire.open("SubscribeToTask", { id }));
}
