import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { connectA2ASocket, websocketClient } from "../../../test/bindings/websocket-client.ts";
import { messageOf } from "../../../test/support/messages.ts";
import { agentOf, EXTENDED, rpcClient, serving } from "../../../test/support/serving.ts";
import { startLockStep } from "../../../test/bindings/lock-step.ts";
import type { Call } from "../a2a/operations.ts";
import { EXTENSION_URI } from "../model/entry.ts";

const counter = agentOf(async function* (turn) {
  const count = Number(turn.input[0]?.parts[0]?.text ?? 3);
  for (let n = 0; n < count; n += 1) yield { kind: "text", text: `${n} `.padStart(100) };
});

const waiter = agentOf(async function* (_, signal) {
  yield { kind: "text", text: "here " };
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
});

async function connected(t: TestContext, agent = counter, options: Parameters<typeof serving>[2] = {}) {
  const server = await serving(t, [agent], options);
  const connection = await connectA2ASocket(`${server.url}/a2a/agent/ws`);
  t.after(() => connection.ws.terminate());
  return { server, ...connection };
}

test("WS-3, WS-4, WS-6, WS-7: a stream is announced, its events carry cursors, and a cursor goes on after them", async (t) => {
  const { say, hear } = await connected(t);
  const send = (id: number | string, method: string, params: object, headers = {}): void => say({ jsonrpc: "2.0", id, method, params, headers });
  const heard = [];
  const first = hear("a");
  send("a", "SendStreamingMessage", { message: messageOf("3") }, { "A2A-extensions": EXTENDED["a2a-extensions"] });
  for await (const message of first) {
    heard.push(message);
    if (message.end === true) break;
  }
  const [opened, task, ...rest] = heard;
  assert.deepEqual(opened, { jsonrpc: "2.0", method: "$/opened", params: { id: "a", headers: EXTENDED } });
  assert.match(task.cursor, /\.1$/);
  assert.deepEqual(heard.at(-1), { jsonrpc: "2.0", id: "a", result: null, end: true });
  assert.ok(heard.slice(1).every(({ id, jsonrpc }) => id === "a" && jsonrpc === "2.0"));

  const again = hear(2);
  send(2, "SubscribeToTask", { id: task.result.task.id }, { ...EXTENDED, "Last-Event-ID": task.cursor });
  const resumed = [];
  for await (const message of again) {
    if (message.method === undefined) resumed.push({ ...message, id: "a" });
    if (message.end === true) break;
  }
  assert.deepEqual(resumed, rest);

  const got = hear(3);
  send(3, "GetTask", { id: task.result.task.id }, EXTENDED);
  for await (const { result, headers } of got) {
    assert.equal(result.id, task.result.task.id);
    assert.deepEqual(headers, EXTENDED);
    break;
  }
});

test("WS-10, WS-11: a stream waits for credit, and only that stream", async (t) => {
  const { server, say, hear } = await connected(t);
  const client = websocketClient(`${server.url}/a2a/agent/ws`);
  t.after(() => client[Symbol.asyncDispose]());
  const { task } = await client.call("SendMessage", { message: messageOf("50") });
  const zero = { ...EXTENDED, "last-event-id": `${task.metadata[Object.keys(task.metadata)[0] ?? ""].cursor.split(".")[0]}.0` };
  const stream = hear(1);
  say({ jsonrpc: "2.0", id: 1, method: "SubscribeToTask", params: { id: task.id }, headers: zero, credit: 1 });
  let events = 0;
  let ended = false;
  for await (const message of stream) {
    if (message.method !== undefined) continue;
    ended = message.end === true;
    if (ended) break;
    events += 1;
    const pong = hear("p");
    say({ jsonrpc: "2.0", id: "p", method: "$/ping" });
    // Had a second event been sent without credit, it would have come before the pong, and the next one after only one grant.
    for await (const { result } of pong) {
      assert.deepEqual(result, {});
      break;
    }
    say({ jsonrpc: "2.0", method: "$/credit", params: { id: 1, bytes: Buffer.byteLength(JSON.stringify(message)) } });
  }
  assert.ok(events > 50);
});

test("WS-16: a stream that waits for credit says what is missing, and a grant of that brings the next event", async (t) => {
  const { server, say, hear } = await connected(t);
  const client = websocketClient(`${server.url}/a2a/agent/ws`);
  t.after(() => client[Symbol.asyncDispose]());
  const { task } = await client.call("SendMessage", { message: messageOf("20") });
  const zero = { ...EXTENDED, "last-event-id": `${task.metadata[Object.keys(task.metadata)[0] ?? ""].cursor.split(".")[0]}.0` };
  const stream = hear(1);
  say({ jsonrpc: "2.0", id: 1, method: "SubscribeToTask", params: { id: task.id }, headers: zero, credit: 0 });
  let last = 1;
  let events = 0;
  for await (const message of stream) {
    if (message.end === true) break;
    if (message.method === "$/opened") continue;
    if (message.method === "$/blocked") {
      assert.ok(message.params.missing === last || message.params.missing === 1, `${message.params.missing} of ${last}`);
      say({ jsonrpc: "2.0", method: "$/credit", params: { id: 1, bytes: Math.max(1, message.params.missing - 1) } });
    } else {
      events += 1;
      last = Buffer.byteLength(JSON.stringify(message));
    }
  }
  assert.ok(events > 20);
});

test("one request too many is refused with the limit's name, and the connection lives on", async (t) => {
  const { say, hear } = await connected(t, waiter, { limits: { maxSocketStreams: 1 } });
  const first = hear(1)[Symbol.asyncIterator]();
  say({ jsonrpc: "2.0", id: 1, method: "SendStreamingMessage", params: { message: messageOf("x") } });
  assert.equal((await first.next()).value.method, "$/opened");
  for await (const { error } of ask(2)) {
    assert.match(error.message, /^1 requests are under way on this connection \(maxSocketStreams\)/);
    assert.ok(JSON.stringify(error.data).includes("TOO_MANY_STREAMS"));
    break;
  }
  say({ jsonrpc: "2.0", method: "$/stop", params: { id: 1 } });
  for (let message = (await first.next()).value; message.end !== true; message = (await first.next()).value);
  for await (const { result } of ask(3)) {
    assert.equal(result.tasks.length, 1);
    break;
  }

  function ask(id: number): ReturnType<typeof hear> {
    const heard = hear(id);
    say({ jsonrpc: "2.0", id, method: "ListTasks", params: {} });
    return heard;
  }
});

test("a stream over a socket holds a message's worth and not a frame's", async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("1000");
  const agent = server.agents.get("agent");
  assert.ok(agent !== undefined);
  const call: Call = { principal: { tenant: "", user: "local" }, agent, version: "1.0", extensions: new Set([EXTENSION_URI]), signal: t.signal };
  const { logId } = (await (await fetch(`${server.url}/api/session`)).json()) as { readonly logId: string };
  const sizes = async (more: Partial<Call>): Promise<readonly number[]> => {
    const { frames } = await server.operations.subscribeToTask({ ...call, lastEventId: `${logId}.0`, ...more }, { id: task.id });
    const found: number[] = [];
    for await (const batch of frames) found.push(batch.reduce((sum, { event }) => sum + event.length, 0));
    return found;
  };
  const whole = await sizes({});
  const small = await sizes({ maxBatchBytes: 32 * 1024 });
  assert.ok(Math.max(...whole) > 64 * 1024 && Math.max(...small) <= 32 * 1024, `${Math.max(...whole)} ${Math.max(...small)}`);
});

test("WS-9: a stream and a wait are stopped, the task goes on", async (t) => {
  const { say, hear } = await connected(t, waiter);
  const stream = hear(1);
  say({ jsonrpc: "2.0", id: 1, method: "SendStreamingMessage", params: { message: messageOf("x") } });
  let id = "";
  for await (const message of stream) {
    if (message.result?.task !== undefined) {
      id = message.result.task.id;
      say({ jsonrpc: "2.0", method: "$/stop", params: { id: 1 } });
    }
    if (message.end === true) break;
  }
  const call = hear(2);
  say({ jsonrpc: "2.0", id: 2, method: "SendMessage", params: { message: messageOf("y") } });
  say({ jsonrpc: "2.0", method: "$/stop", params: { id: 2 } });
  for await (const { error, result } of call) {
    assert.ok(error?.code === -32098 || result !== undefined, JSON.stringify({ error, result }));
    break;
  }
  const got = hear(3);
  say({ jsonrpc: "2.0", id: 3, method: "GetTask", params: { id } });
  for await (const { result } of got) {
    assert.equal(result.status.state, "TASK_STATE_WORKING");
    break;
  }
});

test("WS-2, WS-5, WS-14: what cannot be answered to a request is answered to none, or ends the connection", async (t) => {
  const { server, ws, say, hear } = await connected(t, waiter);
  const none = hear(null);
  const next = none[Symbol.asyncIterator]();
  for (const [text, code] of [
    ["not json", -32700],
    ["[]", -32600],
    ['{"jsonrpc":"2.0","method":"GetTask","params":{}}', -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"GetTask"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"GetTask","headers":[]}', -32600],
  ] as const) {
    ws.send(text);
    const { value } = await next.next();
    assert.equal(value.error.code, code, text);
  }
  const twice = hear(1)[Symbol.asyncIterator]();
  const ask = { jsonrpc: "2.0", id: 1, method: "SendStreamingMessage", params: { message: messageOf("x") } };
  say(ask);
  assert.equal((await twice.next()).value.method, "$/opened");
  say(ask);
  for (let message = (await twice.next()).value; ; message = (await twice.next()).value) {
    if (message.error === undefined) continue;
    assert.equal(message.error.code, -32600);
    break;
  }
  say({ jsonrpc: "2.0", method: "$/of-a-later-version" });
  say({ jsonrpc: "2.0", method: "$/credit", params: { id: 1 } });
  const [code, reason] = (await once(ws, "close")) as [number, Buffer];
  assert.equal(code, 4400);
  assert.match(reason.toString(), /bytes/);
  const version = await connectA2ASocket(`${server.url}/a2a/agent/ws`, { "a2a-version": "7.0" });
  const refused = version.hear(1);
  version.say({ jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} });
  for await (const { error } of refused) {
    assert.equal(error.code, -32009);
    break;
  }
  version.ws.terminate();
});

test("in lock step: a token is made only after the one before was seen", { timeout: 60_000 }, async () => {
  await using lockStep = await startLockStep(300);
  await using client = websocketClient(`${lockStep.url}/ws`);
  const texts: string[] = [];
  for await (const { event } of client.stream("SendStreamingMessage", { message: messageOf("go") })) {
    const text = event.artifactUpdate?.artifact.parts[0].text;
    if (typeof text !== "string" || text === "") continue;
    lockStep.saw(text);
    texts.push(text);
  }
  assert.deepEqual(texts, lockStep.tokens);
});
