import assert from "node:assert/strict";
import type { TaskState } from "../../../model/a2a.ts";
import { onEachBinding, streams } from "../conformance-case.ts";
import type { BindingCase } from "../conformance-case.ts";
import { errors, refuse } from "../expect.ts";
import type { WireEvent } from "../shapes.ts";
import { artifactText, completedTask, getTask, opened, say, stateOf, streamToEnd, waitingTask } from "../talk.ts";

/** SendStreamingMessage (specification 3.1.2, 3.5.2). */
export const streamingCases: readonly BindingCase[] = [
  onEachBinding(
    "stream.lifecycle",
    {
      level: "MUST",
      spec: "3.1.2",
      title: "a task's stream begins with the task, brings its updates in order and ends at its terminal state",
      covers: ["CORE-STREAM-001", "CORE-STREAM-003", "STREAM-ORDER-001", "GRPC-ERR-003", "JSONRPC-SSE-001", "HTTP_JSON-SSE-001"],
      when: streams,
    },
    async (context) => {
      for (const [prefix, text] of [
        ["tck-stream-001", "Stream hello from TCK"],
        ["tck-stream-003", "Stream task lifecycle"],
        ["tck-stream-ordering-001", "Ordered output"],
      ] as const) {
        const events = await streamToEnd(context, prefix);
        checkLifecycle(events);
        assert.equal(artifactText(events), text);
        const states = events.map(stateOf).filter((state) => state !== undefined);
        assert.deepEqual(
          states.filter((state) => state !== "TASK_STATE_SUBMITTED"),
          ["TASK_STATE_WORKING", "TASK_STATE_COMPLETED"],
        );
        const order = events.flatMap((event) => ("artifactUpdate" in event ? ["artifact"] : [stateOf(event)]));
        assert.ok(
          order.indexOf("TASK_STATE_WORKING") < order.indexOf("artifact") && order.indexOf("artifact") < order.indexOf("TASK_STATE_COMPLETED"),
          order.join(),
        );
      }
    },
  ),
  onEachBinding(
    "stream.completes-at-once",
    { level: "MUST", spec: "3.1.2", title: "a task that completes at once has a stream as well", covers: ["CORE-STREAM-002"], when: streams },
    async (context) => checkLifecycle(await streamToEnd(context, "tck-stream-002")),
  ),
  onEachBinding(
    "stream.message-reply",
    { level: "MUST", spec: "3.1.2", title: "a message reply is a stream of exactly one message", covers: ["CORE-STREAM-002"], when: streams },
    async (context) => {
      const events = await streamToEnd(context, "tck-message-response");
      assert.deepEqual(
        events.map((event) => Object.keys(event)),
        [["message"]],
      );
    },
  ),
  onEachBinding(
    "stream.chunks",
    { level: "MUST", spec: "4.2.2", title: "chunks of one artifact: the first opens it, the next append, the last says so", when: streams },
    async (context) => {
      const events = await streamToEnd(context, "tck-stream-artifact-chunked");
      const updates = events.flatMap((event) => ("artifactUpdate" in event ? [event.artifactUpdate] : []));
      assert.equal(artifactText(events), "chunk-1 chunk-2");
      assert.equal(new Set(updates.map((update) => update.artifact.artifactId)).size, 1);
      assert.deepEqual(
        updates.map((update) => update.append ?? false),
        updates.map((_, index) => index > 0),
      );
      assert.equal(updates.at(-1)?.lastChunk, true);
      const task = await getTask(context, taskIdOf(events));
      assert.equal(task.artifacts?.[0]?.parts.map((part) => part.text).join(""), "chunk-1 chunk-2");
    },
  ),
  onEachBinding(
    "stream.artifacts",
    { level: "MUST", spec: "4.1.6", title: "streamed artifacts carry text and files", covers: ["DM-ART-001"], when: streams },
    async (context) => {
      assert.equal(artifactText(await streamToEnd(context, "tck-stream-artifact-text")), "Streamed text content");
      const parts = (await streamToEnd(context, "tck-stream-artifact-file")).flatMap((event) =>
        "artifactUpdate" in event ? event.artifactUpdate.artifact.parts : [],
      );
      assert.deepEqual(
        parts.map((part) => [part.raw, part.filename, part.mediaType]),
        [["dGNr", "output.txt", "text/plain"]],
      );
    },
  ),
  onEachBinding(
    "stream.interrupted",
    { level: "SHOULD", spec: "11.7", title: "a send stream ends when the task waits for its user", when: streams },
    async (context) => {
      const events = await streamToEnd(context, "tck-input-required");
      assert.ok("task" in (events[0] ?? {}), "the task comes first");
      assert.equal(
        events.map(stateOf).findLast((state) => state !== undefined),
        "TASK_STATE_INPUT_REQUIRED",
      );
    },
  ),
  onEachBinding(
    "stream.follow-up",
    { level: "MUST", spec: "3.4.3", title: "a streamed follow-up begins with the task it goes on with", when: streams },
    async (context) => {
      const { id } = await waitingTask(context);
      const events = await streamToEnd(context, "tck-complete-task", { taskId: id });
      assert.equal(taskIdOf(events), id);
      assert.equal(
        events.map(stateOf).findLast((state) => state !== undefined),
        "TASK_STATE_COMPLETED",
      );
    },
  ),
  onEachBinding(
    "stream.refused",
    {
      level: "MUST",
      spec: "3.1.2",
      title: "a stream that cannot begin is refused with an error of its own, not opened",
      covers: ["CORE-SEND-002"],
      when: streams,
    },
    async (context) => {
      const open = async (request: Parameters<typeof context.wire.open>[1]) => context.wire.open("SendStreamingMessage", request);
      refuse(await open(say(context, "tck-stream-001", { taskId: "no-such-task" })), errors.taskNotFound);
      refuse(await open(say(context, "tck-stream-001", { taskId: (await completedTask(context)).id })), errors.unsupportedOperation);
      refuse(await open({}), errors.invalidParams);
    },
  ),
  onEachBinding(
    "stream.not-supported",
    {
      level: "MUST",
      spec: "3.3.4",
      title: "without the capability, both streaming operations are unsupported",
      covers: ["CORE-CAP-002", "GRPC-ERR-002", "JSONRPC-SSE-002", "HTTP_JSON-STATUS-001"],
      when: (can) => !can.streaming,
    },
    async (context) => {
      refuse(await context.wire.open("SendStreamingMessage", say(context, "tck-stream-001")), errors.unsupportedOperation);
      refuse(await context.wire.open("SubscribeToTask", { id: (await waitingTask(context)).id }), errors.unsupportedOperation);
    },
  ),
  onEachBinding(
    "stream.content-type",
    {
      level: "MUST",
      spec: "9.4.2, 11.7",
      title: "a stream over HTTP is text/event-stream",
      covers: ["JSONRPC-SSE-001", "HTTP_JSON-SSE-001"],
      bindings: ["jsonrpc", "rest"],
      when: streams,
    },
    async (context) => {
      await using stream = opened(await context.wire.open("SendStreamingMessage", say(context, "tck-stream-001")));
      assert.match(stream.headers.get("content-type") ?? "", /^text\/event-stream\b/);
    },
  ),
];

const ORDER: Readonly<Record<TaskState, number>> = {
  TASK_STATE_SUBMITTED: 0,
  TASK_STATE_WORKING: 1,
  TASK_STATE_INPUT_REQUIRED: 1,
  TASK_STATE_AUTH_REQUIRED: 1,
  TASK_STATE_COMPLETED: 2,
  TASK_STATE_FAILED: 2,
  TASK_STATE_CANCELED: 2,
  TASK_STATE_REJECTED: 2,
};

/** Task first and only updates after it, all of one task and context, states never falling back, ending at COMPLETED. */
function checkLifecycle(events: readonly WireEvent[]): void {
  const [first, ...updates] = events;
  assert.ok(first !== undefined && "task" in first, `the task comes first: ${JSON.stringify(events)}`);
  for (const event of updates) {
    const update =
      "statusUpdate" in event
        ? event.statusUpdate
        : "artifactUpdate" in event
          ? event.artifactUpdate
          : "task" in event
            ? undefined
            : assert.fail("a message inside a task's stream");
    if (update !== undefined) assert.deepEqual([update.taskId, update.contextId], [first.task.id, first.task.contextId]);
  }
  const ranks = events.map(stateOf).flatMap((state) => (state === undefined ? [] : [ORDER[state]]));
  assert.deepEqual(
    ranks,
    ranks.toSorted((a, b) => a - b),
    "no state falls back",
  );
  assert.equal(
    events.map(stateOf).findLast((state) => state !== undefined),
    "TASK_STATE_COMPLETED",
    "the stream ends at the terminal state",
  );
}

function taskIdOf(events: readonly WireEvent[]): string {
  const [first] = events;
  assert.ok(first !== undefined && "task" in first, `the task comes first: ${JSON.stringify(events)}`);
  return first.task.id;
}
