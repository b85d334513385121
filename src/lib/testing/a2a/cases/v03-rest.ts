import assert from "node:assert/strict";
import type { Json, JsonObject } from "../../../model/a2a.ts";
import { restV03, streamV03 } from "../clients/v03.ts";
import type { V03Reply } from "../clients/v03.ts";
import { onceForAgent } from "../conformance-case.ts";
import type { AgentCase, AgentContext } from "../conformance-case.ts";
import { isObject } from "../../../model/json.ts";
import { at, itemsAt, textAt } from "../json.ts";

/** Version 0.3 over REST below `base`: `v1/…`, the 0.3 proto's JSON in either naming. */
export function v03RestCases(base: string): readonly AgentCase[] {
  const send = async (context: AgentContext, options: SayOptions = {}): Promise<Json> =>
    taskOf(await restV03("POST", `${base}/v1/message:send`, say(context, options)));
  return [
    v03("v03.rest.send", "7.1", "a message, in snake or camel case, is answered with a task", async (context) => {
      for (const names of ["snake", "camel"] as const) {
        const task = await send(context, { names });
        assert.notEqual(textAt(task, "id"), "");
        assert.match(stateOf(task), /^(submitted|working|input-required|completed)$/);
      }
    }),
    v03("v03.rest.continue", "7.1", "a message with a task id goes on with that task", async (context) => {
      const id = textAt(await send(context), "id");
      assert.equal(textAt(await send(context, { taskId: id }), "id"), id);
    }),
    v03("v03.rest.validates", "7.1", "an empty message is invalid: 400, as JSON", async () => {
      const { http, body } = await restV03("POST", `${base}/v1/message:send`, { message: {} });
      assert.ok(http === 400 && isObject(body), `HTTP ${http} ${JSON.stringify(body)}`);
    }),
    v03("v03.rest.get", "7.3", "a task is read, with as much history as is asked for, in either naming", async (context) => {
      const id = textAt(await send(context), "id");
      for (let more = 0; more < 2; more += 1) await send(context, { taskId: id });
      for (const name of ["history_length", "historyLength"]) {
        const task = taskOf(await restV03("GET", `${base}/v1/tasks/${id}?${name}=2`));
        assert.deepEqual([textAt(task, "id"), itemsAt(task, "history").length], [id, 2], JSON.stringify(task));
      }
    }),
    v03("v03.rest.cancel", "7.4", "a waiting task is cancelled, without a body", async (context) => {
      const id = textAt(await send(context), "id");
      assert.equal(stateOf(taskOf(await restV03("POST", `${base}/v1/tasks/${id}:cancel`))), "canceled");
      assert.equal(stateOf(taskOf(await restV03("GET", `${base}/v1/tasks/${id}`))), "canceled");
    }),
    v03("v03.rest.unknown", "8.2", "a task that does not exist is 404, as JSON", async () => {
      for (const [method, path] of [
        ["GET", "v1/tasks/no-such-task"],
        ["POST", "v1/tasks/no-such-task:cancel"],
      ] as const) {
        const { http, body } = await restV03(method, `${base}/${path}`);
        assert.ok(http === 404 && isObject(body), `${method} ${path}: HTTP ${http} ${JSON.stringify(body)}`);
      }
    }),
    v03(
      "v03.rest.stream",
      "7.2",
      "message:stream begins with the task and ends with its last state",
      async (context) => {
        const events: Json[] = [];
        await streamV03(`${base}/v1/message:stream`, say(context), (event) => {
          events.push(event);
          return false;
        });
        assert.notEqual(at(events[0], "task"), undefined, JSON.stringify(events));
        const last = events.at(-1);
        assert.equal(stateOf(at(last, "statusUpdate") ?? at(last, "status_update")), "input-required", JSON.stringify(events));
      },
      "streaming",
    ),
  ];
}

interface SayOptions {
  readonly taskId?: string;
  readonly names?: "snake" | "camel";
}

function v03(id: string, spec: string, title: string, run: AgentCase["run"], needs?: "streaming"): AgentCase {
  return onceForAgent(id, { level: "MUST", spec: `0.3: ${spec}`, title, ...(needs === undefined ? {} : { when: (can) => can[needs] }) }, run);
}

function say(context: AgentContext, { taskId, names = "snake" }: SayOptions = {}): JsonObject {
  const [messageName, taskName] = names === "snake" ? ["message_id", "task_id"] : ["messageId", "taskId"];
  const task = taskId === undefined ? {} : { [taskName]: taskId };
  return { message: { [messageName]: context.messageId("tck-input-required"), role: "ROLE_USER", content: [{ text: "Hello" }], ...task } };
}

/** The task of an answer, wrapped or not. */
function taskOf({ http, body }: V03Reply): Json {
  assert.ok(http >= 200 && http < 300, `HTTP ${http} ${JSON.stringify(body)}`);
  const task = at(body, "task") ?? body;
  assert.notEqual(textAt(task, "id"), "", JSON.stringify(body));
  return task;
}

/** The state in its 0.3 JSON name, from the proto's name (CANCELLED has two Ls there) or as it is. */
function stateOf(value: Json | undefined): string {
  const state = textAt(value, "status", "state");
  return state
    .replace("TASK_STATE_CANCELLED", "TASK_STATE_CANCELED")
    .replace(/^TASK_STATE_/, "")
    .toLowerCase()
    .replaceAll("_", "-");
}
