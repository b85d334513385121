import assert from "node:assert/strict";
import type { Json, JsonObject } from "../../../model/a2a.ts";
import { errorV03, postV03, resultV03, streamV03 } from "../clients/v03.ts";
import { onceForAgent } from "../conformance-case.ts";
import type { AgentCase, AgentContext } from "../conformance-case.ts";
import { at, itemsAt, members, textAt } from "../json.ts";

/** Version 0.3 over JSON-RPC at `url`. */
export function v03JsonRpcCases(url: string): readonly AgentCase[] {
  const sendTask = async (context: AgentContext, options: { taskId?: string; text?: string } = {}): Promise<Json> =>
    resultV03(url, "message/send", say(context, options));
  return [
    v03("v03.jsonrpc.requests", "6.11, 8.1", "malformed requests get JSON-RPC's errors, with HTTP 200, even without an id", async () => {
      const params = {};
      await expectCode(url, '{"jsonrpc": "2.0", "method": "message/send", "params": {"open": true', -32700, null);
      await expectCode(url, { jsonrpc: "aaa", method: "message/send", params }, -32600, null);
      await expectCode(url, { jsonrpc: "1.0", id: "one", method: "message/send", params }, -32600, "one");
      await expectCode(url, { jsonrpc: "2.0", params }, -32600, null);
      await expectCode(url, { jsonrpc: "2.0", id: "two", params }, -32600, "two");
      await expectCode(url, { jsonrpc: "2.0", id: { bad: "type" }, method: "message/send", params }, -32600, null);
      await expectCode(url, { jsonrpc: "2.0", method: "message/ssend", params }, -32601, null);
      await expectCode(url, { jsonrpc: "2.0", id: 3, method: "nonexistent/method", params }, -32601, 3);
      await expectCode(url, { jsonrpc: "2.0", method: "message/send", params: { "": "not_a_dict" } }, -32602, null);
    }),
    v03("v03.jsonrpc.validates", "7.1", "a message without what is required is invalid", async () => {
      for (const message of [{ kind: "message" }, { parts: "invalid" }]) {
        await errorV03(url, "message/send", { message }, -32602);
      }
    }),
    v03("v03.jsonrpc.send", "7.1", "a message is answered with a task in 0.3 form; the same ids again are a new message", async (context) => {
      const params = say(context);
      for (const _ of ["first", "again"]) {
        const task = await resultV03(url, "message/send", params);
        checkForm(task);
        assert.equal(at(task, "kind"), "task");
        assert.match(textAt(task, "status", "state"), /^(submitted|working|input-required|completed)$/);
        assert.ok(textAt(task, "id") !== "" && textAt(task, "contextId") !== "");
      }
    }),
    v03("v03.jsonrpc.continue", "7.1", "a message with a taskId goes on with that task", async (context) => {
      const id = textAt(await sendTask(context), "id");
      const task = await sendTask(context, { taskId: id });
      assert.equal(textAt(task, "id"), id);
      assert.match(textAt(task, "status", "state"), /^(submitted|working|input-required|completed)$/);
    }),
    v03("v03.jsonrpc.get", "7.3", "tasks/get returns the task, with as much history as is asked for", async (context) => {
      const id = textAt(await sendTask(context, { text: "one" }), "id");
      for (const text of ["two", "three"]) await sendTask(context, { taskId: id, text });
      const all = itemsAt(await resultV03(url, "tasks/get", { id }), "history");
      assert.ok(all.length >= 3, JSON.stringify(all));
      for (const historyLength of [1, 2]) {
        const task = await resultV03(url, "tasks/get", { id, historyLength });
        checkForm(task);
        assert.deepEqual([textAt(task, "id"), itemsAt(task, "history").length], [id, historyLength]);
        assert.deepEqual(itemsAt(task, "history"), all.slice(-historyLength));
      }
    }),
    v03("v03.jsonrpc.cancel", "7.4", "tasks/cancel ends a waiting task, once", async (context) => {
      const id = textAt(await sendTask(context), "id");
      const task = await resultV03(url, "tasks/cancel", { id });
      assert.deepEqual([textAt(task, "id"), textAt(task, "status", "state")], [id, "canceled"]);
    }),
    v03("v03.jsonrpc.unknown", "8.2", "a task that does not exist is -32001", async (context) => {
      await errorV03(url, "tasks/get", { id: "no-such-task" }, -32001);
      await errorV03(url, "tasks/cancel", { id: "no-such-task" }, -32001);
      await errorV03(url, "message/send", say(context, { taskId: "no-such-task" }), -32001);
    }),
    v03(
      "v03.jsonrpc.stream",
      "7.2",
      "message/stream begins with the task and ends with a final status",
      async (context) => {
        const events: Json[] = [];
        await streamV03(url, { jsonrpc: "2.0", id: "s", method: "message/stream", params: say(context) }, (event) => {
          assert.deepEqual([at(event, "jsonrpc"), at(event, "id")], ["2.0", "s"], JSON.stringify(event));
          checkForm(at(event, "result"));
          events.push(at(event, "result") ?? null);
          return false;
        });
        assert.equal(at(events[0], "kind"), "task", JSON.stringify(events));
        const last = events.at(-1);
        assert.deepEqual(
          [at(last, "kind"), textAt(last, "status", "state"), at(last, "final")],
          ["status-update", "input-required", true],
          JSON.stringify(events),
        );
      },
      "streaming",
    ),
    v03(
      "v03.jsonrpc.resubscribe",
      "7.9",
      "tasks/resubscribe brings what happens next",
      async (context) => {
        const id = textAt(await sendTask(context), "id");
        const seen: string[] = [];
        await streamV03(url, { jsonrpc: "2.0", id: "r", method: "tasks/resubscribe", params: { id } }, async (event) => {
          if (seen.length === 0) await resultV03(url, "tasks/cancel", { id });
          seen.push(textAt(event, "result", "status", "state"));
          return false;
        });
        assert.equal(seen.at(-1), "canceled", seen.join());
      },
      "streaming",
    ),
    v03(
      "v03.jsonrpc.push",
      "7.5-7.8",
      "push configurations are set, read, listed and deleted",
      async (context) => {
        const taskId = textAt(await sendTask(context), "id");
        const pushNotificationConfig = { id: "mine", url: "https://webhook.invalid/here", token: "a-token" };
        const set = await resultV03(url, "tasks/pushNotificationConfig/set", { taskId, pushNotificationConfig });
        assert.deepEqual([textAt(set, "taskId"), textAt(set, "pushNotificationConfig", "url")], [taskId, pushNotificationConfig.url]);
        const ids = { id: taskId, pushNotificationConfigId: "mine" };
        assert.equal(textAt(await resultV03(url, "tasks/pushNotificationConfig/get", ids), "pushNotificationConfig", "id"), "mine");
        assert.equal(itemsAt({ list: await resultV03(url, "tasks/pushNotificationConfig/list", { id: taskId }) }, "list").length, 1);
        await resultV03(url, "tasks/pushNotificationConfig/delete", ids);
        assert.equal(itemsAt({ list: await resultV03(url, "tasks/pushNotificationConfig/list", { id: taskId }) }, "list").length, 0);
      },
      "push",
    ),
  ];
}

function v03(id: string, spec: string, title: string, run: AgentCase["run"], needs?: "streaming" | "push"): AgentCase {
  return onceForAgent(id, { level: "MUST", spec: `0.3: ${spec}`, title, ...(needs === undefined ? {} : { when: (can) => can[needs] }) }, run);
}

function say(context: AgentContext, { taskId, text = "Hello" }: { taskId?: string; text?: string } = {}): JsonObject {
  const ids = taskId === undefined ? {} : { taskId };
  return { message: { kind: "message", messageId: context.messageId("tck-input-required"), role: "user", parts: [{ kind: "text", text }], ...ids } };
}

/** The form of 0.3: no enum of 1.0, and each part and message says its kind. */
function checkForm(value: Json | undefined): void {
  for (const [name, member] of members(value)) {
    if (typeof member === "string") assert.doesNotMatch(member, /^(TASK_STATE|ROLE)_/, `${name} in 0.3 form`);
    for (const part of name === "parts" ? itemsAt({ member }, "member") : []) assert.match(textAt(part, "kind"), /^(text|file|data)$/);
    for (const message of name === "history" ? itemsAt({ member }, "member") : []) assert.equal(at(message, "kind"), "message");
  }
}

async function expectCode(url: string, body: Json, code: number, id: Json): Promise<void> {
  const reply = await postV03(url, body);
  const said = `${JSON.stringify(body)} → HTTP ${reply.http} ${JSON.stringify(reply.body)}`;
  assert.deepEqual([reply.http, at(reply.body, "error", "code"), at(reply.body, "jsonrpc"), at(reply.body, "id")], [200, code, "2.0", id], said);
}
