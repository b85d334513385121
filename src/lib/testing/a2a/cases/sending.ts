import assert from "node:assert/strict";
import type { JsonObject } from "../../../model/a2a.ts";
import { onEachBinding } from "../conformance-case.ts";
import type { BindingCase } from "../conformance-case.ts";
import { errors, refuse, refuseSomehow, succeed } from "../expect.ts";
import { isObject } from "../../../model/json.ts";
import { at, members } from "../json.ts";
import { parseShape } from "../shapes.ts";
import { completedTask, getTask, say, sendForTask, sendUntil, waitingTask } from "../talk.ts";

/** SendMessage: its answer, execution modes, identifiers, refusals (specification 3.1.1, 3.2.2, 3.3.2, 3.4). */
export const sendingCases: readonly BindingCase[] = [
  onEachBinding(
    "send.answers",
    {
      level: "MUST",
      spec: "3.1.1",
      title: "a message is answered with a task or a message, in the exact wire form",
      covers: ["CORE-SEND-001", "DM-TASK-001", "DM-STATUS-001", "DM-SERIAL-004", "GRPC-SVC-001", "GRPC-SVC-002"],
    },
    async (context) => {
      const task = await completedTask(context);
      assert.deepEqual(
        task.status.message?.parts.map((part) => part.text),
        ["Hello from TCK"],
      );
      assert.equal(task.status.message?.role, "ROLE_AGENT");
    },
  ),
  onEachBinding(
    "send.form",
    {
      level: "MUST",
      spec: "5.5",
      title: "names are camelCase, enums their names, times UTC",
      covers: ["DM-TASK-002", "DM-MSG-002", "DM-SERIAL-001", "DM-SERIAL-002", "DM-SERIAL-003"],
    },
    async (context) => {
      const value = succeed(await context.wire.call("SendMessage", say(context, "tck-artifact-text")));
      for (const [name, member] of members(value)) {
        assert.doesNotMatch(name, /^[a-z]+(_[a-z]+)+$/, "snake_case is for the proto");
        if (name === "state" || name === "role") assert.equal(typeof member, "string", `${name} is an enum's name`);
        if (name === "timestamp") assert.match(JSON.stringify(member), /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"$/);
      }
    },
  ),
  onEachBinding(
    "send.blocks",
    {
      level: "MUST",
      spec: "3.2.2",
      title: "by default the answer waits for a terminal or interrupted state and brings all artifacts",
      covers: ["CORE-EXECUTION-MODE-001"],
    },
    async (context) => {
      await sendUntil(context, "TASK_STATE_COMPLETED", "tck-complete-task", { configuration: { returnImmediately: false } });
      await sendUntil(context, "TASK_STATE_INPUT_REQUIRED", "tck-input-required");
      const task = await sendUntil(context, "TASK_STATE_COMPLETED", "tck-artifact-text");
      assert.equal(task.artifacts?.length, 1);
    },
  ),
  onEachBinding(
    "send.returns-immediately",
    { level: "MUST", spec: "3.2.2", title: "with returnImmediately the answer is the task in progress", covers: ["CORE-EXECUTION-MODE-002"] },
    async (context) => {
      const task = await sendForTask(context, "test-resubscribe-message-id", { configuration: { returnImmediately: true } });
      assert.match(task.status.state, /^TASK_STATE_(SUBMITTED|WORKING)$/);
    },
  ),
  onEachBinding(
    "send.message-reply",
    { level: "MUST", spec: "3.1.1", title: "an agent may answer with a message and no task", covers: ["DM-MSG-001"] },
    async (context) => {
      const value = succeed(await context.wire.call("SendMessage", say(context, "tck-message-response")));
      const response = parseShape("SendMessageResponse", value);
      assert.ok("message" in response, `a message, not a task: ${JSON.stringify(value)}`);
      assert.equal(response.message.role, "ROLE_AGENT");
      assert.deepEqual(
        response.message.parts.map((part) => part.text),
        ["Direct message response"],
      );
    },
  ),
  onEachBinding("send.rejected", { level: "MUST", spec: "4.1.3", title: "a refused task ends as rejected" }, async (context) => {
    await sendUntil(context, "TASK_STATE_REJECTED", "tck-reject-task");
  }),
  onEachBinding(
    "send.new-ids",
    {
      level: "MUST",
      spec: "3.4",
      title: "each new task has an id and a contextId of its own",
      covers: ["CORE-MULTI-001", "CORE-MULTI-001a", "CORE-MULTI-003"],
    },
    async (context) => {
      const tasks = [await completedTask(context), await completedTask(context)];
      assert.equal(new Set(tasks.map((task) => task.id)).size, 2, "task ids differ");
      assert.equal(new Set(tasks.map((task) => task.contextId)).size, 2, "contextIds differ");
      assert.ok(
        tasks.every((task) => task.contextId),
        "a generated contextId is told",
      );
    },
  ),
  onEachBinding(
    "send.keeps-context",
    {
      level: "MUST",
      spec: "3.4.1",
      title: "a client's contextId is kept, for several tasks, or the message is refused; it is never replaced",
      covers: ["CORE-MULTI-002", "CORE-MULTI-002a"],
    },
    async (context) => {
      const contextId = context.messageId("tck-client-context");
      const tasks = [await completedTask(context, { contextId }), await completedTask(context, { contextId })];
      assert.deepEqual(
        tasks.map((task) => task.contextId),
        [contextId, contextId],
      );
      assert.notEqual(tasks[0]?.id, tasks[1]?.id, "a contextId alone starts a new task");
    },
  ),
  onEachBinding(
    "send.repeated-message-id",
    { level: "MUST", spec: "3.3.1", title: "without asking for idempotency, a repeated messageId is a new message" },
    async (context) => {
      const request = say(context, "tck-complete-task");
      const ids = [
        at(succeed(await context.wire.call("SendMessage", request)), "task", "id"),
        at(succeed(await context.wire.call("SendMessage", request)), "task", "id"),
      ];
      assert.notEqual(ids[0], ids[1]);
    },
  ),
  onEachBinding(
    "send.unknown-task",
    { level: "MUST", spec: "3.4.2", title: "a message to a task that does not exist is TaskNotFound", covers: ["CORE-MULTI-004"] },
    async (context) => {
      refuse(await context.wire.call("SendMessage", say(context, "tck-multi", { taskId: "no-such-task" })), errors.taskNotFound);
    },
  ),
  onEachBinding(
    "send.terminal-task",
    { level: "MUST", spec: "3.1.1", title: "a message to a finished task is an unsupported operation", covers: ["CORE-SEND-002"] },
    async (context) => {
      for (const task of [await completedTask(context), await sendUntil(context, "TASK_STATE_REJECTED", "tck-reject-task")]) {
        refuse(await context.wire.call("SendMessage", say(context, "tck-terminal", { taskId: task.id })), errors.unsupportedOperation);
      }
    },
  ),
  onEachBinding(
    "send.infers-context",
    { level: "MUST", spec: "3.4.3", title: "a follow-up with the taskId alone goes on in the task's context", covers: ["CORE-MULTI-005"] },
    async (context) => {
      const { id, contextId } = await waitingTask(context);
      const task = await sendUntil(context, "TASK_STATE_COMPLETED", "tck-complete-task", { taskId: id });
      assert.deepEqual([task.id, task.contextId], [id, contextId]);
    },
  ),
  onEachBinding(
    "send.mismatching-context",
    { level: "MUST", spec: "3.4.3", title: "a contextId that is not the task's is refused, and the task is untouched", covers: ["CORE-MULTI-006"] },
    async (context) => {
      const { id } = await waitingTask(context);
      refuseSomehow(await context.wire.call("SendMessage", say(context, "tck-complete-task", { taskId: id, contextId: "another-context" })));
      assert.equal((await getTask(context, id)).status.state, "TASK_STATE_INPUT_REQUIRED");
    },
  ),
  onEachBinding(
    "send.unsupported-media",
    { level: "MUST", spec: "3.1.1", title: "a part of a media type that the agent does not take is ContentTypeNotSupported", covers: ["CORE-SEND-003"] },
    async (context) => {
      const mediaType = "application/x-no-such-type";
      for (const part of [
        { raw: "dGNr", mediaType },
        { text: "tck", mediaType },
        { data: {}, mediaType },
      ])
        refuse(await context.wire.call("SendMessage", say(context, "tck-complete-task", { parts: [part] })), errors.contentTypeNotSupported);
    },
  ),
  onEachBinding(
    "send.validates",
    { level: "MUST", spec: "3.3.2", title: "a message without what is required is invalid, not processed", covers: ["CORE-ERR-002"] },
    async (context) => {
      const whole = say(context, "tck-complete-task")["message"];
      assert.ok(isObject(whole));
      const without = (name: string): JsonObject => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
      const wrong: JsonObject[] = [
        {},
        { message: without("parts") },
        { message: { ...whole, parts: [] } },
        { message: without("messageId") },
        { message: without("role") },
      ];
      wrong.push({ message: { ...whole, parts: [{}] } });
      for (const request of wrong) refuse(await context.wire.call("SendMessage", request), errors.invalidParams);
    },
  ),
  onEachBinding("send.negative-history", { level: "MUST", spec: "3.3.2", title: "a negative historyLength is invalid" }, async (context) => {
    refuse(await context.wire.call("SendMessage", say(context, "tck-complete-task", { configuration: { historyLength: -1 } })), errors.invalidParams);
  }),
];
