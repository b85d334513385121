import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Server } from "../../src/lib/main/server.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { A2A_SOCKET_BINDING } from "../../src/lib/model/websocket-binding.ts";
import { bindingClients } from "./clients.ts";
import { grpcClient } from "./grpc-client.ts";
import { startTestServer } from "./server.ts";
import { type BindingClient, type Wire, WireError, type WireEvent } from "./wire.ts";

const message = (text: string, more: object = {}): Wire => ({ messageId: randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more });

async function collect(events: AsyncIterable<WireEvent>): Promise<readonly WireEvent[]> {
  const all: WireEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

function cursorOf({ id, event }: WireEvent): string {
  const { metadata } = event.task ?? event.statusUpdate ?? event.artifactUpdate;
  return id ?? metadata[EXTENSION_URI].cursor;
}

function textOf(events: readonly WireEvent[]): string {
  return events.map(({ event }) => event.artifactUpdate?.artifact.parts[0].text ?? "").join("");
}

/** `error` in the words of all bindings. */
const ERRORS = {
  TASK_NOT_FOUND: { jsonrpc: -32001, rest: 404, grpc: 5, websocket: -32001 },
  TASK_NOT_CANCELABLE: { jsonrpc: -32002, rest: 400, grpc: 9, websocket: -32002 },
  UNSUPPORTED_OPERATION: { jsonrpc: -32004, rest: 400, grpc: 9, websocket: -32004 },
  VERSION_NOT_SUPPORTED: { jsonrpc: -32009, rest: 400, grpc: 9, websocket: -32009 },
} as const;

async function refuses(client: BindingClient, reason: keyof typeof ERRORS, ask: Promise<unknown>): Promise<void> {
  await assert.rejects(ask, (error) => {
    assert.ok(error instanceof WireError, String(error));
    assert.deepEqual([error.code, error.info?.reason, error.info?.domain], [ERRORS[reason][client.name], reason, "a2a-protocol.org"]);
    return true;
  });
}

describe("JSON-RPC, HTTP+JSON, gRPC and WebSocket answer alike", () => {
  let server: Server;
  let clients: readonly BindingClient[];
  const each = (name: string, run: (client: BindingClient) => Promise<void>): void => {
    it(name, async (t) => {
      for (const client of clients) await t.test(client.name, () => run(client));
    });
  };

  before(async () => {
    server = await startTestServer();
    clients = bindingClients(server);
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  each("SendMessage waits for the end and returns the task; GetTask returns it again", async (client) => {
    const { task } = await client.call("SendMessage", { message: message("one two") });
    assert.equal(task.status.state, "TASK_STATE_COMPLETED");
    assert.equal(task.artifacts[0].parts.map((part: Wire) => part.text).join(""), "one two");
    assert.equal(task.history[0].parts[0].text, "one two");
    const again = await client.call("GetTask", { id: task.id });
    assert.deepEqual(again, task);
    assert.equal((await client.call("GetTask", { id: task.id, historyLength: 0 })).history, undefined);
  });

  each("SendMessage returns at once when asked to", async (client) => {
    const { task } = await client.call("SendMessage", { message: message("hang"), configuration: { returnImmediately: true } });
    assert.ok(["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"].includes(task.status.state));
    assert.equal((await client.call("CancelTask", { id: task.id })).status.state, "TASK_STATE_CANCELED");
  });

  each("SendMessage returns a message of an agent that replies so", async (client) => {
    const { message: reply } = await client.call("SendMessage", { message: message("reply hello there") });
    assert.equal(reply.role, "ROLE_AGENT");
    assert.deepEqual(reply.parts, [{ text: "hello there" }]);
  });

  each("SendStreamingMessage sends the task, then every token, then the end", async (client) => {
    const events = await collect(client.stream("SendStreamingMessage", { message: message("a b c") }));
    assert.deepEqual(Object.keys(events[0]?.event), ["task"]);
    assert.equal(textOf(events), "a b c");
    assert.equal(events.filter(({ event }) => event.artifactUpdate !== undefined).length, 3);
    assert.equal(events.at(-1)?.event.statusUpdate.status.state, "TASK_STATE_COMPLETED");
    const seqs = events.map((event) => Number(cursorOf(event).split(".")[1]));
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
    );
  });

  each("SendStreamingMessage sends a message of an agent that replies so, and ends", async (client) => {
    const events = await collect(client.stream("SendStreamingMessage", { message: message("reply yes") }));
    assert.equal(events.length, 1);
    assert.deepEqual(events[0]?.event.message.parts, [{ text: "yes" }]);
  });

  each("a send stream ends at INPUT_REQUIRED, a subscription goes on until the task has ended", async (client) => {
    const asked = await collect(client.stream("SendStreamingMessage", { message: message("ask") }));
    assert.equal(asked.at(-1)?.event.statusUpdate.status.state, "TASK_STATE_INPUT_REQUIRED");
    const taskId = asked[0]?.event.task.id;
    const subscribed = client.stream("SubscribeToTask", { id: taskId })[Symbol.asyncIterator]();
    const first = await subscribed.next();
    assert.equal(first.value?.event.task.status.state, "TASK_STATE_INPUT_REQUIRED");
    await client.call("SendMessage", { message: message("that one", { taskId }) });
    const rest: WireEvent[] = [];
    for (let next = await subscribed.next(); next.done !== true; next = await subscribed.next()) rest.push(next.value);
    assert.equal(textOf(rest), "that one");
    assert.equal(rest.at(-1)?.event.statusUpdate.status.state, "TASK_STATE_COMPLETED");
    await refuses(client, "UNSUPPORTED_OPERATION", collect(client.stream("SubscribeToTask", { id: taskId })));
  });

  each("a cursor resumes without a gap, also at another binding", async (client) => {
    const headers = { "a2a-extensions": EXTENSION_URI };
    const events = await collect(client.stream("SendStreamingMessage", { message: message("r e s u m e") }, headers));
    const taskId = events[0]?.event.task.id;
    for (const other of clients) {
      const resumed = await collect(other.stream("SubscribeToTask", { id: taskId }, { ...headers, "last-event-id": cursorOf(events[2] as WireEvent) }));
      assert.deepEqual(resumed.map(cursorOf), events.slice(3).map(cursorOf));
      assert.equal(textOf(resumed), textOf(events.slice(3)));
    }
  });

  each("ListTasks pages newest first, with what is required in the answer", async (client) => {
    const contextId = randomUUID();
    const ids: string[] = [];
    for (const text of ["1", "2", "3"]) ids.unshift((await client.call("SendMessage", { message: message(text, { contextId }) })).task.id);
    const first = await client.call("ListTasks", { contextId, pageSize: 2 });
    assert.deepEqual([first.pageSize, first.totalSize, first.tasks.length], [2, 3, 2]);
    const second = await client.call("ListTasks", { contextId, pageSize: 2, pageToken: first.nextPageToken });
    assert.deepEqual(
      [...first.tasks, ...second.tasks].map((task: Wire) => task.id),
      ids,
    );
    assert.equal(second.nextPageToken ?? "", "");
    assert.equal(first.tasks[0].artifacts, undefined);
    const full = await client.call("ListTasks", { contextId, includeArtifacts: true, status: "TASK_STATE_COMPLETED" });
    assert.equal(full.tasks[0].artifacts.length, 1);
    await assert.rejects(client.call("ListTasks", { pageSize: 101 }), (error) => error instanceof WireError && [-32602, 400, 3].includes(error.code));
  });

  each("CancelTask ends a running task; a finished one is not cancelable, an unknown one not found", async (client) => {
    const stream = client.stream("SendStreamingMessage", { message: message("hang") })[Symbol.asyncIterator]();
    const first = await stream.next();
    const id = first.value?.event.task.id;
    assert.equal((await client.call("CancelTask", { id })).status.state, "TASK_STATE_CANCELED");
    let last: WireEvent | undefined;
    for (let next = await stream.next(); next.done !== true; next = await stream.next()) last = next.value;
    assert.equal(last?.event.statusUpdate.status.state, "TASK_STATE_CANCELED");
    const { task } = await client.call("SendMessage", { message: message("done") });
    await refuses(client, "TASK_NOT_CANCELABLE", client.call("CancelTask", { id: task.id }));
    await refuses(client, "UNSUPPORTED_OPERATION", client.call("SendMessage", { message: message("more", { taskId: task.id }) }));
    for (const operation of ["GetTask", "CancelTask"]) await refuses(client, "TASK_NOT_FOUND", client.call(operation, { id: "none" }));
    await refuses(client, "TASK_NOT_FOUND", collect(client.stream("SubscribeToTask", { id: "none" })));
  });

  each("parts keep null, nested data and bytes", async (client) => {
    const { task } = await client.call("SendMessage", { message: message("parts") });
    const [nothing, data, raw] = task.artifacts[0].parts;
    assert.ok("data" in nothing && nothing.data === null, JSON.stringify(nothing));
    assert.deepEqual(data, { data: { a: [1, null, "x"] } });
    assert.deepEqual(raw, { raw: "AAEC", filename: "f.bin" });
    const sent = await client.call("SendMessage", { message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ data: null }, { text: "x" }] } });
    assert.deepEqual(sent.task.history[0].parts, [{ data: null }, { text: "x" }]);
  });

  each("a tenant in path or parameters is another room", async (client) => {
    const { task } = await client.call("SendMessage", { tenant: "acme", message: message("mine") });
    assert.equal((await client.call("GetTask", { tenant: "acme", id: task.id })).id, task.id);
    await refuses(client, "TASK_NOT_FOUND", client.call("GetTask", { id: task.id }));
  });

  each("versions other than 1.0 are refused, and a missing one is told", async (client) => {
    await refuses(client, "VERSION_NOT_SUPPORTED", client.call("SendMessage", { message: message("x") }, { "a2a-version": "99.0" }));
    assert.equal((await client.call("SendMessage", { message: message("x") }, { "a2a-version": "1.0.1" })).task.status.state, "TASK_STATE_COMPLETED");
    await assert.rejects(client.call("GetTask", { id: "x" }, { "a2a-version": "" }), /a2a-version: 1\.0/i);
  });

  each("invalid parameters name the field", async (client) => {
    await assert.rejects(client.call("SendMessage", { message: { messageId: "m", role: "ROLE_USER", parts: [] } }), (error) => {
      assert.ok(error instanceof WireError);
      assert.ok([-32602, 400, 3].includes(error.code));
      assert.match(error.message, /parts/);
      return true;
    });
  });

  each("what an engine throws stays inside", async (client) => {
    const { task } = await client.call("SendMessage", { message: message("fail") });
    assert.equal(task.status.state, "TASK_STATE_FAILED");
    assert.ok(!JSON.stringify(task).includes("secret"));
  });

  each("a stream over the limit of readers is refused before it sends anything", async (client) => {
    const small = await startTestServer({ limits: { maxReaders: 1 } });
    const own = bindingClients(small).find(({ name }) => name === client.name);
    assert.ok(own !== undefined);
    const stream = own.stream("SendStreamingMessage", { message: message("hang") })[Symbol.asyncIterator]();
    const id = (await stream.next()).value?.event.task.id;
    await assert.rejects(collect(own.stream("SendStreamingMessage", { message: message("x") })), (error) => {
      assert.ok(error instanceof WireError);
      assert.deepEqual([error.code, error.info?.reason], [{ jsonrpc: -32094, rest: 429, grpc: 8, websocket: -32094 }[client.name], "TOO_MANY_READERS"]);
      return true;
    });
    assert.equal((await own.call("ListTasks", {})).totalSize, 1);
    await own.call("CancelTask", { id });
    for (let next = await stream.next(); next.done !== true; next = await stream.next());
    assert.equal((await collect(own.stream("SendStreamingMessage", { message: message("x") }))).length > 2, true);
    await own[Symbol.asyncDispose]();
    await small[Symbol.asyncDispose]();
  });

  it("a foreign host is refused over gRPC too", async () => {
    const foreign = grpcClient(server.grpcAddress ?? "", { "grpc.default_authority": "evil.test:4001" });
    await assert.rejects(
      foreign.call("GetTask", { id: "x" }),
      (error) => error instanceof WireError && error.code === 7 && error.info?.reason === "HOST_NOT_ALLOWED",
    );
    await foreign[Symbol.asyncDispose]();
  });

  each("the card of an agent leads to that agent", async (client) => {
    const card = (await (await fetch(`${server.url}/a2a/other/.well-known/agent-card.json`)).json()) as Wire;
    const face = card.supportedInterfaces.find(
      (one: Wire) => one.protocolBinding === { jsonrpc: "JSONRPC", rest: "HTTP+JSON", grpc: "GRPC", websocket: A2A_SOCKET_BINDING }[client.name],
    );
    const reached = client.name === "grpc" ? grpcClient(face.url) : bindingClients(server, "other").find(({ name }) => name === client.name);
    assert.ok(reached !== undefined);
    const params = { ...(face.tenant !== undefined && { tenant: face.tenant }) };
    const { task } = await reached.call("SendMessage", { ...params, message: message("for the other") });
    assert.equal((await reached.call("GetTask", { ...params, id: task.id })).id, task.id);
    await refuses(client, "TASK_NOT_FOUND", client.call("GetTask", { id: task.id }));
    await reached[Symbol.asyncDispose]();
  });
});
