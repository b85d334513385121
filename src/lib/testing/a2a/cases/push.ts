import assert from "node:assert/strict";
import type { JsonObject } from "../../../model/a2a.ts";
import { onEachBinding, pushes } from "../conformance-case.ts";
import type { BindingCase, BindingContext } from "../conformance-case.ts";
import { errors, refuse, succeed } from "../expect.ts";
import { parseShape } from "../shapes.ts";
import { completedTask, stateOf, waitingTask } from "../talk.ts";
import type { Notification } from "../webhook.ts";

/** How long a notification may take, in ms. */
const DELIVERY_MS = 15_000;

const NOWHERE = "https://webhook.invalid/here";

/** Push notifications: configurations and delivery (specification 3.1.7-3.1.10, 4.3.3). */
export const pushCases: readonly BindingCase[] = [
  onEachBinding(
    "push.create",
    {
      level: "MUST",
      spec: "3.1.7",
      title: "a configuration is created with its id, also on a finished task, without contacting its address",
      covers: ["PUSH-CREATE-001"],
      when: pushes,
    },
    async (context) => {
      const { id: taskId } = await completedTask(context);
      const created = await create(context, { taskId, id: "mine", url: NOWHERE, authentication: { scheme: "Bearer", credentials: "secret" } });
      assert.deepEqual([created.id, created.url, created.authentication?.scheme], ["mine", NOWHERE, "Bearer"]);
      assert.notEqual((await create(context, { taskId, url: NOWHERE })).id, "", "an id is assigned");
    },
  ),
  onEachBinding(
    "push.get",
    {
      level: "MUST",
      spec: "3.1.8",
      title: "a configuration persists and can be read; one that does not exist is not found",
      covers: ["PUSH-CREATE-002", "PUSH-GET-001", "PUSH-GET-002"],
      when: pushes,
    },
    async (context) => {
      const { id: taskId } = await waitingTask(context);
      await create(context, { taskId, id: "mine", url: NOWHERE });
      await waitingTask(context, { taskId });
      const got = parseShape("TaskPushNotificationConfig", succeed(await context.wire.call("GetTaskPushNotificationConfig", { taskId, id: "mine" })));
      assert.deepEqual([got.id, got.taskId, got.url], ["mine", taskId, NOWHERE]);
      refuse(await context.wire.call("GetTaskPushNotificationConfig", { taskId, id: "another" }), errors.taskNotFound);
    },
  ),
  onEachBinding(
    "push.list",
    {
      level: "MUST",
      spec: "3.1.9",
      title: "all configurations of a task are listed, and of that task only; the same id replaces",
      covers: ["PUSH-LIST-001"],
      when: pushes,
    },
    async (context) => {
      const [one, two] = [await completedTask(context), await completedTask(context)];
      await create(context, { taskId: one.id, id: "a", url: NOWHERE });
      await create(context, { taskId: one.id, id: "b", url: NOWHERE });
      await create(context, { taskId: two.id, id: "a", url: NOWHERE });
      await create(context, { taskId: one.id, id: "a", url: `${NOWHERE}/new` });
      assert.deepEqual(await list(context, one.id), [
        ["a", `${NOWHERE}/new`],
        ["b", NOWHERE],
      ]);
      assert.deepEqual(await list(context, two.id), [["a", NOWHERE]]);
    },
  ),
  onEachBinding(
    "push.delete",
    {
      level: "MUST",
      spec: "3.1.10",
      title: "a deleted configuration is gone; deleting it again changes nothing",
      covers: ["PUSH-DEL-001", "PUSH-DEL-002"],
      when: pushes,
    },
    async (context) => {
      const { id: taskId } = await completedTask(context);
      await create(context, { taskId, id: "mine", url: NOWHERE });
      for (const _ of ["first", "again"]) succeed(await context.wire.call("DeleteTaskPushNotificationConfig", { taskId, id: "mine" }));
      refuse(await context.wire.call("GetTaskPushNotificationConfig", { taskId, id: "mine" }), errors.taskNotFound);
      assert.deepEqual(await list(context, taskId), []);
    },
  ),
  onEachBinding(
    "push.unknown-task",
    { level: "MUST", spec: "3.1.7", title: "a configuration for a task that does not exist is TaskNotFound", when: pushes },
    async ({ wire }) => {
      refuse(await wire.call("CreateTaskPushNotificationConfig", { taskId: "no-such-task", id: "mine", url: NOWHERE }), errors.taskNotFound);
      refuse(await wire.call("ListTaskPushNotificationConfigs", { taskId: "no-such-task" }), errors.taskNotFound);
    },
  ),
  onEachBinding(
    "push.delivery",
    {
      level: "MUST",
      spec: "4.3.3",
      title: "a configuration given with the message is notified, with its credentials, in StreamResponse form",
      covers: ["PUSH-DELIVER-001", "PUSH-DELIVER-002", "PUSH-DELIVER-003"],
      when: pushes,
    },
    async (context) => {
      await using hook = await context.webhook();
      const authentication = { scheme: "Bearer", credentials: "a-secret-of-this-task" };
      const configuration = { taskPushNotificationConfig: { id: "mine", url: hook.url, token: "a-token", authentication } };
      const { id: taskId } = await waitingTask(context, { configuration });
      await completedTask(context, { taskId });
      const received = await hook.until(endsAt("TASK_STATE_COMPLETED"), DELIVERY_MS);
      checkNotifications(received, taskId);
      for (const { headers } of received) assert.equal(headers.authorization, "Bearer a-secret-of-this-task");
    },
  ),
  onEachBinding(
    "push.delivery-later",
    {
      level: "MUST",
      spec: "3.1.7",
      title: "a configuration created later is notified of what comes, until it is deleted",
      covers: ["PUSH-CREATE-001", "PUSH-DEL-001"],
      when: pushes,
    },
    async (context) => {
      await using kept = await context.webhook();
      await using dropped = await context.webhook();
      const { id: taskId } = await waitingTask(context);
      await create(context, { taskId, id: "kept", url: kept.url });
      await create(context, { taskId, id: "dropped", url: dropped.url });
      succeed(await context.wire.call("DeleteTaskPushNotificationConfig", { taskId, id: "dropped" }));
      await completedTask(context, { taskId });
      checkNotifications(await kept.until(endsAt("TASK_STATE_COMPLETED"), DELIVERY_MS), taskId);
      assert.deepEqual(dropped.received, []);
    },
  ),
  onEachBinding(
    "push.not-supported",
    {
      level: "MUST",
      spec: "3.3.4",
      title: "without the capability, each push operation says so, whatever the task",
      covers: ["CORE-CAP-001", "GRPC-ERR-002", "JSONRPC-SSE-002", "HTTP_JSON-STATUS-001"],
      when: (can) => !can.push,
    },
    async ({ wire }) => {
      const ids = { taskId: "no-such-task", id: "mine" };
      refuse(await wire.call("CreateTaskPushNotificationConfig", { ...ids, url: NOWHERE }), errors.pushNotSupported);
      refuse(await wire.call("GetTaskPushNotificationConfig", ids), errors.pushNotSupported);
      refuse(await wire.call("ListTaskPushNotificationConfigs", { taskId: "no-such-task" }), errors.pushNotSupported);
      refuse(await wire.call("DeleteTaskPushNotificationConfig", ids), errors.pushNotSupported);
    },
  ),
];

async function create(context: BindingContext, config: JsonObject) {
  return parseShape("TaskPushNotificationConfig", succeed(await context.wire.call("CreateTaskPushNotificationConfig", config)));
}

async function list(context: BindingContext, taskId: string): Promise<(readonly [string, string])[]> {
  const value = succeed(await context.wire.call("ListTaskPushNotificationConfigs", { taskId }));
  const { configs = [] } = parseShape("ListTaskPushNotificationConfigsResponse", value);
  return configs.map((config) => [config.id, config.url] as const).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function endsAt(state: string): (received: readonly Notification[]) => boolean {
  return (received) => received.some(({ body }) => stateOf(parseShape("StreamResponse", body)) === state);
}

function checkNotifications(received: readonly Notification[], taskId: string): void {
  for (const { method, headers, body } of received) {
    assert.equal(method, "POST");
    assert.match(headers["content-type"] ?? "", /^application\/(a2a\+)?json\b/);
    const event = parseShape("StreamResponse", body);
    const about =
      "task" in event
        ? event.task.id
        : "statusUpdate" in event
          ? event.statusUpdate.taskId
          : "artifactUpdate" in event
            ? event.artifactUpdate.taskId
            : undefined;
    assert.equal(about, taskId, JSON.stringify(body));
  }
}
