import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { SendMessageRequest, StreamResponse, Task } from "@a2a-js/sdk";
import { LegacyJsonRpcTransport, LegacyRestTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { readEvents } from "./sse.ts";
import { startTestServer } from "./server.ts";
import type { Wire } from "./wire.ts";

const send = (text: string, more: object = {}): SendMessageRequest =>
  SendMessageRequest.fromJSON({
    message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more },
    configuration: { returnImmediately: false },
  });

async function collect(events: AsyncIterable<StreamResponse>): Promise<readonly Wire[]> {
  const all: Wire[] = [];
  for await (const event of events) all.push(StreamResponse.toJSON(event));
  return all;
}

describe("protocol 0.3", () => {
  let server: Server;
  let url: string;
  before(async () => {
    server = await startTestServer();
    url = `${server.url}/a2a/main`;
  });
  after(() => server[Symbol.asyncDispose]());

  const rpc = async (body: Wire, headers: Readonly<Record<string, string>> = {}): Promise<Wire> => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify({ jsonrpc: "2.0", ...body }),
    });
    return { status: response.status, ...((await response.json()) as object) };
  };

  it("serves the official SDK's 0.3 clients on JSON-RPC and REST", async (t) => {
    for (const client of [new LegacyJsonRpcTransport({ endpoint: url }), new LegacyRestTransport({ endpoint: `${url}/rest` })]) {
      await t.test(client.protocolName, async () => {
        const sent = Task.toJSON((await client.sendMessage(send("one two"))) as Task) as Wire;
        assert.equal(sent.status.state, "TASK_STATE_COMPLETED");
        assert.equal(sent.artifacts[0].parts.map((part: Wire) => part.text).join(""), "one two");
        const got = Task.toJSON(await client.getTask({ tenant: "", id: sent.id, historyLength: 1 })) as Wire;
        assert.deepEqual(got.history[0].parts, [{ text: "one two" }]);

        const events = await collect(client.sendMessageStream(send("a b c")));
        assert.deepEqual(Object.keys(events[0]), ["task"]);
        assert.equal(events.map((event) => event.artifactUpdate?.artifact.parts[0].text ?? "").join(""), "a b c");
        assert.equal(events.at(-1).statusUpdate.status.state, "TASK_STATE_COMPLETED");

        const asked = await collect(client.sendMessageStream(send("ask")));
        assert.equal(asked.at(-1).statusUpdate.status.state, "TASK_STATE_INPUT_REQUIRED");
        const { id } = asked[0].task;
        const subscribed = client.resubscribeTask({ tenant: "", id });
        const first = await subscribed.next();
        assert.equal(first.value?.payload?.$case, "task");
        const canceled = Task.toJSON(await client.cancelTask({ tenant: "", id, metadata: {} })) as Wire;
        assert.equal(canceled.status.state, "TASK_STATE_CANCELED");
        const rest = await collect(subscribed);
        assert.equal(rest.at(-1).statusUpdate.status.state, "TASK_STATE_CANCELED");

        await assert.rejects(client.getTask({ tenant: "", id: "none", historyLength: 0 }), { name: "TaskNotFoundError" });
        await assert.rejects(client.sendMessage(send("more", { taskId: id })), { name: "UnsupportedOperationError" });
        const reply = (await client.sendMessage(send("reply hello"))) as Wire;
        assert.equal(reply.parts[0].content.value, "hello");
      });
    }
  });

  it("has the last status of a send stream final, and a cursor in each event", async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: "s",
        method: "message/stream",
        params: { message: { kind: "message", messageId: "m", role: "user", parts: [{ kind: "text", text: "ask" }] } },
      }),
    });
    const results: Wire[] = [];
    for await (const { event } of readEvents(response)) {
      assert.deepEqual([event.jsonrpc, event.id], ["2.0", "s"]);
      results.push(event.result);
    }
    assert.deepEqual(
      results.map(({ kind, status, final }) => [kind, status?.state, final]),
      [
        ["task", "submitted", undefined],
        ["status-update", "working", false],
        ["status-update", "input-required", true],
      ],
    );
    for (const { metadata } of results) assert.match(metadata[EXTENSION_URI].cursor, /^[a-z0-9]+\.\d+$/);
  });

  it("judges the envelope before the version, and echoes the id", async () => {
    const cases: readonly [body: Wire, code: number, id: Wire][] = [
      ['{"jsonrpc": "2.0", "method"', -32700, null],
      [{ jsonrpc: "aaa", method: "message/send", params: {} }, -32600, null],
      [{ jsonrpc: "1.0", method: "message/send", params: {}, id: 4 }, -32600, 4],
      [{ id: "x", params: {} }, -32600, "x"],
      [{ method: "message/ssend" }, -32601, null],
      [{ method: "nonexistent/method", id: 5 }, -32601, 5],
      [{ method: "message/send", id: { bad: "type" }, params: {} }, -32600, null],
      [{ method: "message/send", params: { "": "not_a_dict" } }, -32602, null],
      [{ method: "message/send", id: 6, params: { message: { parts: "invalid" } } }, -32602, 6],
      [{ method: "message/send", id: 7, params: { message: { kind: "message" } } }, -32602, 7],
      [{ method: "tasks/get", id: 8, params: { id: "none" } }, -32001, 8],
      [{ method: "agent/getAuthenticatedExtendedCard", id: 10 }, -32007, 10],
      [{ method: "tasks/cancel", id: 9, params: { id: "none" } }, -32001, 9],
    ];
    for (const [body, code, id] of cases) {
      const answer = await rpc(body);
      assert.deepEqual([answer.error?.code, answer.id, answer.status], [code, id, 200], JSON.stringify(body));
    }
    assert.equal((await rpc({ method: "tasks/get", id: 8, params: { id: "none" } })).error.data, undefined);
  });

  it("tells in a stream why there is none, to who asks for a stream", async () => {
    const ask = (accept: string): Promise<Response> =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", accept },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tasks/resubscribe", params: { id: "none" } }),
      });
    const events: Wire[] = [];
    for await (const { event } of readEvents(await ask("text/event-stream"))) events.push(event);
    assert.deepEqual(
      events.map(({ id, error }) => [id, error.code]),
      [[1, -32001]],
    );
    assert.equal(((await (await ask("application/json")).json()) as Wire).error.code, -32001);
  });

  it("keeps one webhook of a task without an id", async () => {
    const { result: task } = await rpc({ method: "message/send", id: 1, params: { message: { messageId: "m", role: "user", parts: [{ text: "ask" }] } } });
    const set = { taskId: task.id, pushNotificationConfig: { url: "https://hook.invalid/" } };
    const made = (await rpc({ method: "tasks/pushNotificationConfig/set", id: 2, params: set })).result;
    for (const more of [{}, { pushNotificationConfigId: "default" }, { pushNotificationConfigId: made.pushNotificationConfig.id }]) {
      assert.deepEqual((await rpc({ method: "tasks/pushNotificationConfig/get", id: 3, params: { id: task.id, ...more } })).result, made);
    }
    assert.deepEqual((await rpc({ method: "tasks/pushNotificationConfig/list", id: 4, params: { id: task.id } })).result, [made]);
    const { id } = made.pushNotificationConfig;
    assert.equal((await rpc({ method: "tasks/pushNotificationConfig/delete", id: 5, params: { id: task.id, pushNotificationConfigId: id } })).result, null);
    assert.equal((await rpc({ method: "tasks/pushNotificationConfig/get", id: 6, params: { id: task.id } })).error.code, -32001);
  });

  it("is told of a task that has ended without names of 1.0", async () => {
    const { result: task } = await rpc({ method: "message/send", id: 1, params: { message: { messageId: "m", role: "user", parts: [{ text: "ask" }] } } });
    assert.equal((await rpc({ method: "tasks/cancel", id: 2, params: { id: task.id } })).result.status.state, "canceled");
    const { error } = await rpc({ method: "tasks/resubscribe", id: 3, params: { id: task.id } });
    assert.deepEqual([error.code, /has ended \(.*\); read the task instead\.$/.test(error.message)], [-32004, true], error.message);
  });

  it("names the header that a method or path of 1.0 needs", async () => {
    const answer = await rpc({ method: "GetTask", id: 1, params: { id: "x" } });
    assert.equal(answer.error.code, -32009);
    assert.match(answer.error.message, /A2A-Version: 1\.0/);
    const rest = await fetch(`${url}/rest/tasks/x`);
    assert.equal(rest.status, 400);
    assert.match(((await rest.json()) as Wire).error.message, /A2A-Version: 1\.0/);
    assert.equal((await fetch(`${url}/rest/tasks?A2A-Version=1.0`)).status, 200);
    assert.equal((await rpc({ method: "message/send", id: 1, params: {} }, { "a2a-version": "1.0" })).error.code, -32601);
  });

  it("takes the proto's names in REST bodies, in snake_case too", async () => {
    const post = (path: string, body?: object): Promise<Response> =>
      fetch(`${url}/rest/v1/${path}`, { method: "POST", headers: { "content-type": "application/json" }, ...(body && { body: JSON.stringify(body) }) });
    const sent = await post("message:send", { message: { message_id: "m", role: "ROLE_USER", content: [{ text: "ask" }] } });
    const { task } = (await sent.json()) as Wire;
    assert.equal(task.status.state, "TASK_STATE_INPUT_REQUIRED");
    const got = (await (await fetch(`${url}/rest/v1/tasks/${task.id}?history_length=1`)).json()) as Wire;
    assert.deepEqual(got.history[0].content, [{ text: "ask" }]);
    const canceled = (await (await post(`tasks/${task.id}:cancel`)).json()) as Wire;
    assert.equal(canceled.status.state, "TASK_STATE_CANCELLED");
    assert.equal((await post("message:send", { message: {} })).status, 400);
    assert.equal((await fetch(`${url}/rest/v1/tasks/none`)).status, 404);
    assert.equal((await fetch(`${url}/rest/v1/unknown`)).status, 404);
    assert.equal((await post("message:send", [] as object)).status, 400);
  });
});
